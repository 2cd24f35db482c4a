"""What calls functions by itself: queues and schedules.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule.html
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud import aws
from local_cloud.clock import Clock
from local_cloud.runtime_api import Outcome
from local_cloud.topology import QueueSource, Schedule, as_list, as_object
from local_cloud.worker_pool import Pool

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# What one ReceiveMessage gives at most; a larger batch is gathered from several.
_RECEIVE_LIMIT = 10
# Short, because whoever stops the gateway waits for the polls that are under way.
_WAIT_S = 1
_AGAIN_S = 1.0
# Without a ceiling of its own, a source uses at most this many environments here.
_CONCURRENCY = 4
# An asynchronous invocation that fails is tried twice more, after one minute and then two, or less often as configured.
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
_ASYNC_RETRY_DELAYS_S = (60.0, 120.0)

_log = logging.getLogger(__name__)


class QueuePoller:
    """Takes batches from one queue to one function; deletes what was done, leaves what failed to come back."""

    def __init__(self, source: QueueSource, url: str, pool: Pool, endpoint: str) -> None:
        self._source, self._url, self._pool = source, url, pool
        self._arn = f"arn:aws:sqs:{aws.REGION}:{aws.ACCOUNT}:{url.rpartition('/')[2]}"
        self._sqs = aws.sqs(endpoint)
        self._slots = asyncio.Semaphore(source.max_concurrency or _CONCURRENCY)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as batches:
            while True:
                await self._slots.acquire()
                batches.create_task(self._process(await self._gather()))

    async def _gather(self) -> list[MessageTypeDef]:
        """At least one message; then more until the batch is full, the window is over or the queue is empty."""
        messages = await self._receive(self._source.batch_size, wait_s=_WAIT_S)
        until = time.monotonic() + self._source.window_s
        while 0 < len(messages) < self._source.batch_size:
            left = until - time.monotonic()
            more = await self._receive(self._source.batch_size - len(messages), wait_s=max(0, int(left)))
            messages += more
            if not more and left <= 1:
                break
        return messages

    async def _receive(self, count: int, wait_s: int) -> list[MessageTypeDef]:
        """None, a moment later, where the queue does not answer as it should."""
        try:
            answer = await asyncio.to_thread(
                self._sqs.receive_message,
                QueueUrl=self._url,
                MaxNumberOfMessages=min(count, _RECEIVE_LIMIT),
                WaitTimeSeconds=wait_s,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        except (ClientError, BotoCoreError) as error:
            _log.warning("%s cannot be read: %s", self._arn, error)
            await asyncio.sleep(_AGAIN_S)
            return []
        return list(answer.get("Messages", []))

    async def _process(self, messages: list[MessageTypeDef]) -> None:
        try:
            if messages:
                event = {"Records": [self._record(each) for each in messages]}
                outcome = await self._pool.invoke(json.dumps(event).encode())
                await self._delete(messages, self._failed(outcome, messages))
        finally:
            self._slots.release()

    def _record(self, message: MessageTypeDef) -> dict[str, object]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": dict(message.get("Attributes", {})),
            "messageAttributes": dict(message.get("MessageAttributes", {})),
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": aws.REGION,
        }

    def _failed(self, outcome: Outcome, messages: list[MessageTypeDef]) -> set[str]:
        everything = {each["MessageId"] for each in messages}
        if outcome.failed:
            _log.warning("%s failed a batch with %s; its log says more", self._source.function, outcome.error_type)
            return everything
        return failed_items(outcome.payload, everything) if self._source.partial_failures else set()

    async def _delete(self, messages: list[MessageTypeDef], failed: set[str]) -> None:
        for message in messages:
            if message["MessageId"] not in failed:
                await self._forget(message["ReceiptHandle"])

    async def _forget(self, handle: str) -> None:
        """What cannot be deleted comes again, as with any queue that delivers at least once."""
        try:
            await asyncio.to_thread(self._sqs.delete_message, QueueUrl=self._url, ReceiptHandle=handle)
        except (ClientError, BotoCoreError) as error:
            _log.warning("%s: a message stays: %s", self._arn, error)


def failed_items(payload: bytes, everything: set[str]) -> set[str]:
    """The messages that a function reports as failed: `batchItemFailures`. A report that makes no sense fails all."""
    answer = json.loads(payload)
    if answer is None or answer == {}:
        return set()
    if not isinstance(answer, dict) or not isinstance(answer.get("batchItemFailures") or [], list):
        return everything
    reported = {as_object(each).get("itemIdentifier") for each in as_list(answer.get("batchItemFailures"))}
    named = {each for each in reported if isinstance(each, str)}
    return named if named == reported and named <= everything else everything


class ScheduleRunner:
    """Invokes one function at a fixed rate, asynchronously: nobody waits for the answer, and a failure is retried."""

    def __init__(self, schedule: Schedule, pool: Pool, clock: Clock) -> None:
        self._schedule, self._pool, self._clock = schedule, pool, clock

    async def run(self) -> None:
        due = self._clock.now() + self._schedule.every_s
        async with asyncio.TaskGroup() as calls:
            while True:
                await self._clock.sleep_until(due)
                calls.create_task(self._call(due))
                # What was slept through is not made up for.
                due = max(due, self._clock.now()) + self._schedule.every_s

    async def _call(self, due: float) -> None:
        event = self._event(due)
        for delay in (*_ASYNC_RETRY_DELAYS_S[: self._schedule.retries], None):
            outcome = await self._pool.invoke(event)
            if not outcome.failed:
                return
            _log.warning("%s failed with %s; its log says more", self._schedule.function, outcome.error_type)
            if delay is not None:
                await self._clock.sleep(delay)

    def _event(self, due: float) -> bytes:
        if self._schedule.input is not None:
            return self._schedule.input.encode()
        return json.dumps(default_event(self._schedule, due)).encode()


def default_event(schedule: Schedule, due: float) -> dict[str, object]:
    """What a target gets that was given no input. The Scheduler writes `detail` as a text, a rule as an object."""
    scheduled = schedule.source == "aws.scheduler"
    place = f"scheduler:{{}}:schedule/default/{schedule.name}" if scheduled else f"events:{{}}:rule/{schedule.name}"
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": schedule.source,
        "account": aws.ACCOUNT,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(due)),
        "region": aws.REGION,
        "resources": ["arn:aws:" + place.format(f"{aws.REGION}:{aws.ACCOUNT}")],
        "detail": "{}" if scheduled else {},
    }
