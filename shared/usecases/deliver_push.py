"""A batch of the push queue: all its records are tried at the same time, and none of them touches another; only copies
of one event are tried one after the other, so that the second finds what came of the first.

Settings count as they are now. What becomes of a single push: push_attempt.py.
"""

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock

from shared.ports import PushQueue, Unavailable
from shared.push_event import BadPushEvent, PushEvent, from_json
from shared.push_ports import PushLog, PushMetrics
from shared.push_record import PushState
from shared.push_request import wanted
from shared.push_settings import from_stored
from shared.usecases.push_attempt import DONE, Attempting, Delivery, Outcome, Pushing
from shared.usecases.push_turns import Turns

THREADS = 10  # an SQS batch: no record waits for another's receiver

_log = logging.getLogger(__name__)


def deliver(deliveries: Sequence[Delivery], by: Pushing) -> list[str]:
    """Ids of the records that the queue must keep."""
    turns = Turns(by.log, by.clock)
    alone = {delivery.body: Lock() for delivery in deliveries}
    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(_deliver_one, delivery, by, turns, alone[delivery.body]) for delivery in deliveries]
    kept, outcomes = [], []
    for delivery, future in zip(deliveries, futures, strict=True):
        if (error := future.exception()) is not None:
            _log.error("push record %s stays in the queue", delivery.id, exc_info=error)
            _come_back_soon(delivery, by.queue)
            kept.append(delivery.id)
            continue
        outcomes.append(future.result())
        kept += [] if future.result().done else [delivery.id]
    _count(outcomes, by.metrics)
    return kept


def _come_back_soon(delivery: Delivery, queue: PushQueue) -> None:
    """Something broke: most such things pass within seconds, and the queue's own time is minutes."""
    try:
        queue.defer(delivery.receipt, min(2.0 ** min(delivery.taken, 9), 300.0))
    except Unavailable:
        _log.warning("push record %s comes back when the queue lets it", delivery.id)


def _count(outcomes: Iterable[Outcome], metrics: PushMetrics) -> None:
    of: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.account:
            of.setdefault(outcome.account, []).append(outcome)
    for account, some in of.items():
        attempts, failures = sum(one.tried for one in some), sum(one.failed for one in some)
        metrics.pushes(account, attempts=attempts, failures=failures, oldest_s=max(one.age for one in some))


def _deliver_one(delivery: Delivery, by: Pushing, turns: Turns, alone: Lock) -> Outcome:
    with alone:
        return _delivered(delivery, by, turns)


def _delivered(delivery: Delivery, by: Pushing, turns: Turns) -> Outcome:
    try:
        event = from_json(delivery.body)
    except BadPushEvent as error:
        by.queue.bury(delivery.body, "", f"unreadable: {error}")
        return DONE
    outcome = _told(event, delivery, by, turns)
    facts = {"account": event.account, "message_id": event.message_id, "event": event.id, "tried": outcome.tried}
    _log.info("push taken", extra=facts | {"state": outcome.state or "nothing to do"})
    return outcome


def _told(event: PushEvent, delivery: Delivery, by: Pushing, turns: Turns) -> Outcome:
    settings = from_stored(by.accounts.push_settings(event.account))
    account = by.accounts.account(event.account)
    if account is None or not wanted(settings, event):
        _forget(event, delivery, by.log)
        return Outcome(done=True, state=PushState.OFF)
    return Attempting(delivery, event, settings, account.timezone, by, turns).run()


def _forget(event: PushEvent, delivery: Delivery, log: PushLog) -> None:
    """Switched off. A record seen before may have left a line in the log, for which a report could be waiting."""
    record = log.get(event.account, event.id) if delivery.again or delivery.taken > 1 else None
    if record and record.state is PushState.WAITING:
        log.save(replace(record, state=PushState.OFF))
