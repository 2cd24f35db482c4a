"""SQS: one attempt a record, all records of a batch at once; only those that stay in the queue are named."""

from typing import TypedDict

import shared.aws.cold_start as cold_start  # before all others: it is about their imports
from shared.aws import wiring
from shared.usecases.deliver_push import deliver
from shared.usecases.push_attempt import Delivery

cold_start.at_cold_start(wiring.pushing)


class SqsRecord(TypedDict):
    """What is used of a record of an SQS event."""

    messageId: str
    receiptHandle: str
    body: str
    attributes: dict[str, str]
    messageAttributes: dict[str, object]


class SqsEvent(TypedDict):
    Records: list[SqsRecord]


class ItemFailure(TypedDict):
    itemIdentifier: str


class PartialFailure(TypedDict):
    batchItemFailures: list[ItemFailure]


def handler(event: SqsEvent, _context: object) -> PartialFailure:
    kept = deliver([_delivery(record) for record in event["Records"]], wiring.pushing())
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in kept]}


def _delivery(record: SqsRecord) -> Delivery:
    attributes = record["attributes"]
    return Delivery(
        id=record["messageId"],
        receipt=record["receiptHandle"],
        body=record["body"],
        handed_at=int(attributes["SentTimestamp"]) / 1000,
        taken=int(attributes["ApproximateReceiveCount"]),
        again=bool(record["messageAttributes"]),
    )
