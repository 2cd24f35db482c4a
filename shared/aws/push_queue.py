"""The queue of pushes and its dead-letter queue: implements `PushQueue` on SQS.

Every record bears its account as MessageGroupId: on a standard queue that makes fair queueing, so that one account's
backlog does not delay another's. A retry hides the record that was taken; other waiting puts a fresh one in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.aws.clients import code_of, unavailable
from shared.ports import Unavailable
from shared.push_event import PushEvent, to_json

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef as Entry

AGAIN = "again"  # the attribute of a record that takes another's place

_BATCH = 10  # SQS quota: entries of one batch call
_BATCH_BYTES = 240 * 1024  # SQS quota: 256 KiB for all of a batch where it was never raised
_HIDDEN_S = 60  # how long `exhume` hides what it gives


class SqsPushQueue:
    def __init__(self, client: SQSClient, queue_url: str, dead_url: str) -> None:
        self._client, self._url, self._dead_url = client, queue_url, dead_url

    def put(self, events: Sequence[PushEvent]) -> None:
        for entries in _batches(events):
            self._put(entries)

    def _put(self, entries: list[Entry]) -> None:
        with unavailable():
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        if failed := answer.get("Failed"):
            raise Unavailable(f"{len(failed)} pushes were not enqueued")

    def put_back(self, event: PushEvent, seconds: float) -> None:
        with unavailable():
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=to_json(event),
                MessageGroupId=event.account,
                DelaySeconds=max(round(seconds), 0),
                MessageAttributes={AGAIN: {"DataType": "String", "StringValue": "1"}},
            )

    def defer(self, receipt: str, seconds: float) -> bool:
        """False when hiding it so long would pass the 12 h since it was taken that SQS allows."""
        try:
            with unavailable():
                self._client.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=max(round(seconds), 0)
                )
        except ClientError as error:
            if code_of(error).endswith("InvalidParameterValue"):
                return False
            raise
        return True

    def bury(self, body: str, account: str, reason: str) -> None:
        with unavailable():
            self._client.send_message(
                QueueUrl=self._dead_url,
                MessageBody=body,
                MessageGroupId=account or "unreadable",
                MessageAttributes={"reason": {"DataType": "String", "StringValue": reason[:1000]}},
            )

    def exhume(self, limit: int) -> Sequence[tuple[str, str]]:
        with unavailable():
            answer = self._client.receive_message(
                QueueUrl=self._dead_url,
                MaxNumberOfMessages=min(limit, _BATCH),
                VisibilityTimeout=_HIDDEN_S,
                WaitTimeSeconds=1,  # without a wait only some of SQS's servers are asked, and "empty" may be wrong
            )
        return [(record["ReceiptHandle"], record["Body"]) for record in answer.get("Messages", [])]

    def forget_dead(self, receipt: str) -> None:
        with unavailable():
            self._client.delete_message(QueueUrl=self._dead_url, ReceiptHandle=receipt)


def _batches(events: Sequence[PushEvent]) -> list[list[Entry]]:
    batches: list[list[Entry]] = []
    size = 0
    for number, event in enumerate(events):
        body = to_json(event)
        size += len(body.encode())
        if not batches or len(batches[-1]) == _BATCH or size > _BATCH_BYTES:
            batches.append([])
            size = len(body.encode())
        batches[-1].append({"Id": str(number), "MessageBody": body, "MessageGroupId": event.account})
    return batches
