"""One attempt to tell the customer of one event, and what becomes of it. `deliver` does a batch, all at once.

Rules: settings count as they are at the attempt; what was told once is not told again; a report waits until its
message's result has been tried; an endpoint that keeps failing is left in peace, which costs a push none of its tries.
A crash between any two writes repeats an attempt or a dead letter, and loses none.
"""

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from shared.ports import (
    AccountStore,
    Circuit,
    Clock,
    Egress,
    PushAttempt,
    PushLog,
    PushMetrics,
    PushQueue,
    PushRecord,
    PushState,
    PushView,
)
from shared.push_event import BadPushEvent, PushEvent, from_json
from shared.push_request import build, wanted
from shared.push_retry import (
    GIVE_UP_S,
    LONGEST_DELAY_S,
    PROBE_S,
    RETRY_S,
    deferral_s,
    is_half_open,
    is_open,
    judge,
    rest_s,
    weight,
)
from shared.push_settings import PushSettings, from_stored

KEPT_ATTEMPTS = 12  # more than there are tries
RESULT_MISSING_S = 60.0  # a report waits so long for a result of which nothing is known
RESULT_POLL_S = 5.0
THREADS = 10  # an SQS batch: no record waits for another's receiver

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One record of the queue. `handed_at`: epoch s when it was put there; `fresh`: it was never taken before."""

    id: str
    receipt: str
    body: str
    handed_at: float
    fresh: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushing:
    """All that delivering needs."""

    accounts: AccountStore
    log: PushLog
    queue: PushQueue
    egress: Egress
    metrics: PushMetrics
    clock: Clock
    chance: Callable[[], float] = random.random
    delays: Sequence[float] = RETRY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one record came to. `done`: the queue may forget it. `age`: of a push that is still to be told."""

    done: bool
    account: str = ""
    tried: bool = False
    failed: bool = False
    age: float = 0.0


_DONE = Outcome(done=True)


def deliver(deliveries: Sequence[Delivery], by: Pushing) -> list[str]:
    """Ids of the records that the queue must keep. One record's trouble never touches another."""
    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(deliver_one, delivery, by) for delivery in deliveries]
    kept, outcomes = [], []
    for delivery, future in zip(deliveries, futures, strict=True):
        if (error := future.exception()) is not None:
            _log.error("push record %s stays in the queue", delivery.id, exc_info=error)
            kept.append(delivery.id)
            continue
        outcomes.append(future.result())
        kept += [] if future.result().done else [delivery.id]
    _count(outcomes, by.metrics)
    return kept


def _count(outcomes: Iterable[Outcome], metrics: PushMetrics) -> None:
    of: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.account:
            of.setdefault(outcome.account, []).append(outcome)
    for account, some in of.items():
        attempts, failures = sum(one.tried for one in some), sum(one.failed for one in some)
        metrics.pushes(account, attempts=attempts, failures=failures, oldest_s=max(one.age for one in some))


def deliver_one(delivery: Delivery, by: Pushing) -> Outcome:
    try:
        event = from_json(delivery.body)
    except BadPushEvent as error:
        by.queue.bury(delivery.body, "", f"unreadable: {error}")
        return _DONE
    settings = from_stored(by.accounts.push_settings(event.account))
    account = by.accounts.account(event.account)
    if account is None or not wanted(settings, event):
        _forget(event, delivery, by.log)
        return _DONE
    return _One(delivery, event, settings, account.timezone, by).run()


def _forget(event: PushEvent, delivery: Delivery, log: PushLog) -> None:
    """Switched off. A record seen before may have left a line in the log, for which a report could be waiting."""
    record = None if delivery.fresh else log.get(event.account, event.id)
    if record and record.state is PushState.WAITING:
        log.save(replace(record, state=PushState.OFF))


class _One:
    """One wanted event at one moment."""

    def __init__(self, delivery: Delivery, event: PushEvent, settings: PushSettings, zone: str, by: Pushing) -> None:
        self._delivery, self._event, self._settings, self._zone, self._by = delivery, event, settings, zone, by
        self._now = by.clock.now()
        self._view: PushView = by.log.view(event, settings.endpoint)
        self._record = self._view.record or PushRecord(
            event=event, state=PushState.WAITING, first_at=delivery.handed_at, next_at=delivery.handed_at
        )

    def run(self) -> Outcome:
        record, now = self._record, self._now
        if record.state is not PushState.WAITING:
            return _DONE  # told already, or given up: this record is a repeat
        if record.next_at > now + 1:
            return self._hide(record.next_at - now)
        if self._view.record and now - record.first_at > GIVE_UP_S:
            return self._end(PushState.DEAD, "given up: not delivered within two days")
        if self._result_is_coming():
            return self._hide(RESULT_POLL_S)
        if self._result_rests() or not self._may_try(self._view.circuit):
            return self._rest()
        return self._attempt()

    @property
    def _follows(self) -> bool:
        """A report goes after its message's result, while results are told at all."""
        return self._event.type == "SMS-Status-Report" and bool(self._settings.results_enable)

    def _result_is_coming(self) -> bool:
        """Nothing is known of a result yet. There may never be one: it is older than the log, or was never told."""
        return self._follows and not self._view.results and self._now - self._record.first_at < RESULT_MISSING_S

    def _result_rests(self) -> bool:
        """There is a result, and it has not been tried, because its endpoint is left in peace."""
        results = self._view.results if self._follows else ()
        return bool(results) and not any(one.tries or one.state is not PushState.WAITING for one in results)

    def _may_try(self, circuit: Circuit) -> bool:
        if is_open(circuit, self._now):
            return False
        if not is_half_open(circuit, self._now):
            return True
        until = self._now + PROBE_S
        return self._by.log.claim_probe(self._event.account, self._settings.endpoint, circuit, until)

    def _rest(self) -> Outcome:
        """Waits, no try. The log learns of the push, so that its report waits too and its age is known."""
        if self._view.record is None:
            self._by.log.save(self._record)
        waited = self._now - self._record.first_at
        return self._put_back(deferral_s(self._view.circuit, self._now, waited, self._by.chance()))

    def _hide(self, seconds: float) -> Outcome:
        """Keeps the record hidden; where the queue refuses so long a time, a fresh one takes its place."""
        if self._by.queue.defer(self._delivery.receipt, seconds):
            return self._waiting(done=False)
        return self._put_back(seconds)

    def _put_back(self, seconds: float) -> Outcome:
        self._by.queue.put_back(self._event, min(seconds, LONGEST_DELAY_S))
        return self._waiting(done=True)

    def _waiting(self, *, done: bool) -> Outcome:
        return Outcome(done=done, account=self._event.account, age=self._now - self._record.first_at)

    def _attempt(self) -> Outcome:
        request = build(self._settings, self._event, self._zone, self._now)
        attempt = self._by.egress.send(request.method, request.url, request.headers, request.body)
        self._note_endpoint(attempt)
        tries = self._record.tries + 1
        verdict = judge(attempt, tries, self._by.chance(), self._by.delays)
        attempts = (*self._record.attempts, attempt)[-KEPT_ATTEMPTS:]
        self._record = replace(self._record, tries=tries, attempts=attempts)
        failed = verdict.state is not PushState.DELIVERED
        if verdict.state is PushState.WAITING:
            self._record = replace(self._record, next_at=self._by.clock.now() + verdict.wait)
            self._by.log.save(self._record)
            return replace(self._hide(verdict.wait), tried=True, failed=True)
        return replace(self._end(verdict.state, attempt.error), tried=True, failed=failed)

    def _end(self, state: PushState, why: str) -> Outcome:
        if state is PushState.DEAD:
            self._by.queue.bury(self._delivery.body, self._event.account, why)
        self._by.log.save(replace(self._record, state=state))
        return Outcome(done=True, account=self._event.account)

    def _note_endpoint(self, attempt: PushAttempt) -> None:
        log, account, endpoint = self._by.log, self._event.account, self._settings.endpoint
        if heavy := weight(attempt):
            rest = rest_s(log.failed(account, endpoint, heavy).failures)
            if rest:
                log.open(account, endpoint, self._by.clock.now() + rest)
        elif self._view.circuit.failures:
            log.close(account, endpoint)
