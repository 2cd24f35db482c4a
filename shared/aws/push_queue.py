"""The queue of pushes and its dead-letter queue: implements `PushQueue` on SQS.

Every record bears its account as MessageGroupId: on a standard queue that makes fair queueing, so that one account's
backlog does not delay another's. Retries and waiting are done by hiding the record that was taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from shared.ports import Unavailable
from shared.push_event import PushEvent, to_json

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef as Entry

_BATCH = 10  # SQS quota: entries of one batch call
_BATCH_BYTES = 240 * 1024  # SQS quota: 256 KiB for all of a batch where it was never raised
_HIDDEN_S = 60  # how long `exhume` hides what it gives

_T = TypeVar("_T")


class SqsPushQueue:
    def __init__(self, client: SQSClient, queue_url: str, dead_url: str) -> None:
        self._client, self._url, self._dead_url = client, queue_url, dead_url

    def put(self, events: Sequence[PushEvent]) -> None:
        for entries in _batches(events):
            self._put(entries)

    def _put(self, entries: list[Entry]) -> None:
        answer = _asked(lambda: self._client.send_message_batch(QueueUrl=self._url, Entries=entries))
        if failed := answer.get("Failed"):
            raise Unavailable(f"{len(failed)} pushes were not enqueued")

    def defer(self, receipt: str, seconds: float) -> bool:
        """False when hiding it so long would pass the 12 h that one record can be hidden for."""
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=max(round(seconds), 0)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in {
                "InvalidParameterValue",
                "AWS.SimpleQueueService.InvalidParameterValue",
            }:
                return False
            raise Unavailable("the push queue") from error
        except BotoCoreError as error:
            raise Unavailable("the push queue") from error
        return True

    def bury(self, body: str, account: str, reason: str) -> None:
        _asked(
            lambda: self._client.send_message(
                QueueUrl=self._dead_url,
                MessageBody=body,
                MessageGroupId=_group(account),
                MessageAttributes={"reason": {"DataType": "String", "StringValue": reason[:1000]}},
            )
        )

    def exhume(self, limit: int) -> Sequence[tuple[str, str]]:
        answer = _asked(
            lambda: self._client.receive_message(
                QueueUrl=self._dead_url, MaxNumberOfMessages=min(limit, _BATCH), VisibilityTimeout=_HIDDEN_S
            )
        )
        return [(record["ReceiptHandle"], record["Body"]) for record in answer.get("Messages", [])]

    def forget_dead(self, receipt: str) -> None:
        _asked(lambda: self._client.delete_message(QueueUrl=self._dead_url, ReceiptHandle=receipt))


def _batches(events: Sequence[PushEvent]) -> list[list[Entry]]:
    batches: list[list[Entry]] = []
    size = 0
    for number, event in enumerate(events):
        body = to_json(event)
        size += len(body.encode())
        if not batches or len(batches[-1]) == _BATCH or size > _BATCH_BYTES:
            batches.append([])
            size = len(body.encode())
        batches[-1].append({"Id": str(number), "MessageBody": body, "MessageGroupId": _group(event.account)})
    return batches


def _group(account: str) -> str:
    """A MessageGroupId takes only some characters and 128 of them; an account's name may be anything."""
    return hashlib.sha256(account.encode()).hexdigest()[:32]


def _asked(call: Callable[[], _T]) -> _T:
    try:
        return call()
    except (ClientError, BotoCoreError) as error:
        raise Unavailable("the push queue") from error
