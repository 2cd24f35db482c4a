"""Batch reports as Lambda reads them, and what a schedule tells its target."""

import asyncio
import json
import threading

import pytest
from botocore.exceptions import ClientError

from local_cloud import event_sources
from local_cloud.clock import Clock
from local_cloud.event_sources import QueuePoller, ScheduleRunner, default_event, failed_items
from local_cloud.runtime_api import Outcome
from local_cloud.topology import QueueSource, Schedule, TemplateError, rate_seconds

ALL = {"a", "b"}


@pytest.mark.aws("lambda/latest/dg/services-sqs-errorhandling.html")
@pytest.mark.parametrize(
    ("report", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
        # A report that cannot be followed fails the whole batch.
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, ALL),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, ALL),
        ({"batchItemFailures": [{"item": "a"}]}, ALL),
        ({"batchItemFailures": [{"itemIdentifier": "unknown"}]}, ALL),
        ({"batchItemFailures": "a"}, ALL),
        (["a"], ALL),
    ],
)
def test_a_batch_report_is_read_as_lambda_reads_it(report, failed):
    assert failed_items(json.dumps(report).encode(), ALL) == failed


@pytest.mark.parametrize(
    ("expression", "seconds"), [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(2 hours)", 7200)]
)
def test_rates_are_seconds(expression, seconds):
    assert rate_seconds(expression) == seconds


def test_a_cron_expression_is_refused_and_not_forgotten():
    with pytest.raises(TemplateError, match="cron"):
        rate_seconds("cron(0 12 * * ? *)")


@pytest.mark.aws("lambda/latest/dg/with-eventbridge-scheduler.html")
def test_the_scheduler_writes_its_detail_as_a_text():
    schedule = Schedule(name="s", function="f", every_s=60, source="aws.scheduler")
    event = default_event(schedule, 0)
    assert event["detail"] == "{}"
    assert event["time"] == "1970-01-01T00:00:00Z"
    assert event["resources"] == ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/s"]


class FakePool:
    """A function that fails as often as it is told to."""

    def __init__(self, failures: int) -> None:
        self.calls: list[bytes] = []
        self._failures = failures

    async def invoke(self, payload: bytes) -> Outcome:
        self.calls.append(payload)
        return Outcome(b"{}", failed=len(self.calls) <= self._failures)


async def _turned(clock: Clock, pool: FakePool, *steps: float) -> list[int]:
    counts = []
    for seconds in steps:
        clock.turn(seconds)
        for _ in range(20):
            await asyncio.sleep(0)
        counts.append(len(pool.calls))
    return counts


async def _schedule(pool: FakePool, every_s: int, *steps: float, retries: int = 2) -> list[int]:
    clock = Clock()
    schedule = Schedule(
        name="s", function="f", every_s=every_s, source="aws.scheduler", input='{"own": 1}', retries=retries
    )
    running = asyncio.create_task(ScheduleRunner(schedule, pool, clock).run())
    await asyncio.sleep(0)
    try:
        return await _turned(clock, pool, *steps)
    finally:
        running.cancel()


class MoodyQueue:
    """A queue of one message whose service breaks before it answers, and again when the message is deleted."""

    def __init__(self) -> None:
        self.asked, self.deleted = 0, 0
        self.handled = threading.Event()

    def receive_message(self, **_: object) -> dict[str, object]:
        self.asked += 1
        if self.asked == 1:
            raise ClientError({"Error": {"Code": "InternalError"}}, "ReceiveMessage")
        return (
            {}
            if self.deleted > 1
            else {"Messages": [{"MessageId": "m", "ReceiptHandle": "r", "Body": "", "MD5OfBody": ""}]}
        )

    def delete_message(self, **_: object) -> None:
        self.deleted += 1
        if self.deleted == 1:
            raise ClientError({"Error": {"Code": "InternalError"}}, "DeleteMessage")
        self.handled.set()


def test_a_queue_whose_service_breaks_is_read_again_and_ends_nothing(monkeypatch):
    monkeypatch.setattr(event_sources, "_AGAIN_S", 0.0)
    source = QueueSource(name="s", function="f", queue="q", batch_size=1, window_s=0, partial_failures=False)
    pool, queue = FakePool(failures=0), MoodyQueue()
    poller = QueuePoller(source, "http://127.0.0.1:1/123456789012/q", pool, "http://127.0.0.1:1")
    poller._sqs = queue

    async def main():
        running = asyncio.create_task(poller.run())
        assert await asyncio.to_thread(queue.handled.wait, 10)
        assert not running.done()
        running.cancel()

    asyncio.run(main())
    assert len(pool.calls) >= 2


@pytest.mark.aws("scheduler/latest/UserGuide/schedule-types.html")
def test_a_schedule_runs_at_its_rate():
    pool = FakePool(failures=0)
    assert asyncio.run(_schedule(pool, 60, 59, 2, 59, 2)) == [0, 1, 1, 2]
    assert pool.calls[0] == b'{"own": 1}'


@pytest.mark.aws("lambda/latest/dg/invocation-async-error-handling.html")
def test_a_scheduled_call_that_fails_is_tried_twice_more():
    pool = FakePool(failures=9)
    assert asyncio.run(_schedule(pool, 100_000, 100_001, 59, 2, 119, 2, 1000)) == [1, 1, 2, 2, 3, 3]


@pytest.mark.aws("lambda/latest/dg/invocation-async-configuring.html")
@pytest.mark.parametrize(("retries", "calls"), [(0, [1, 1, 1]), (1, [1, 2, 2])])
def test_a_scheduled_call_is_tried_again_no_more_often_than_configured(retries, calls):
    pool = FakePool(failures=9)
    assert asyncio.run(_schedule(pool, 100_000, 100_001, 61, 1000, retries=retries)) == calls
