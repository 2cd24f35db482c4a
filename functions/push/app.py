"""SQS: one attempt a record, all records of a batch at once; only those that stay in the queue are named."""

from typing import Any

from shared.aws import wiring
from shared.usecases.deliver_push import Delivery, deliver

wiring.at_cold_start(wiring.pushing)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """An SQS event → the partial batch response."""
    kept = deliver([_delivery(record) for record in event["Records"]], wiring.pushing())
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in kept]}


def _delivery(record: dict[str, Any]) -> Delivery:
    attributes = record["attributes"]
    return Delivery(
        id=record["messageId"],
        receipt=record["receiptHandle"],
        body=record["body"],
        handed_at=int(attributes["SentTimestamp"]) / 1000,
        fresh=attributes["ApproximateReceiveCount"] == "1" and not record["messageAttributes"],
    )
