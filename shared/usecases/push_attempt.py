"""One wanted event at one moment: whether it is tried, and what becomes of it.

Rules: what was told once is not told again; a report waits until its message's result has been tried; an endpoint that
keeps failing is left in peace, which costs a push none of its tries. A crash between any two writes repeats an attempt
or a dead letter, and loses none.
"""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from shared.lifecycle import Status
from shared.ports import AccountStore, Clock, Egress, PushQueue, Unavailable
from shared.push_event import PushEvent
from shared.push_ports import PushLog, PushMetrics
from shared.push_record import Circuit, PushAttempt, PushRecord, PushState
from shared.push_request import build
from shared.push_retry import (
    GIVE_UP_S,
    LONGEST_DELAY_S,
    LONGEST_S,
    PROBE_S,
    RETRY_S,
    asked_rest_s,
    crowded_s,
    deferral_s,
    is_half_open,
    is_open,
    judge,
    rest_s,
    weight,
)
from shared.push_settings import PushSettings
from shared.telling_ports import Alerts
from shared.usecases.push_turns import Turns

_log = logging.getLogger(__name__)

KEPT_ATTEMPTS = 12  # more than there are tries
# How long a report waits, each time it is taken, for a result of which nothing is known: it is just coming, or stands
# in a backlog. In the end it goes without: the result may be older than the log, or of a time when results were off.
RESULT_WAITS_S = (5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 30.0, 60.0, 120.0, 300.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One record of the queue. `handed_at`: epoch s when it was put there; `taken`: how often it was taken, this time
    too; `again`: it stands in for an earlier record.
    """

    id: str
    receipt: str
    body: str
    handed_at: float
    taken: int = 1
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushing:
    """All that delivering needs."""

    accounts: AccountStore
    log: PushLog
    queue: PushQueue
    egress: Egress
    alerts: Alerts
    metrics: PushMetrics
    clock: Clock
    chance: Callable[[], float] = random.random
    delays: Sequence[float] = RETRY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one record came to. `done`: the queue may forget it. `age`: of a push that is still to be told. `state`: of
    the push after it; None where nothing was left to do.
    """

    done: bool
    account: str = ""
    state: PushState | None = None
    tried: bool = False
    failed: bool = False
    age: float = 0.0


DONE = Outcome(done=True)


class Attempting:
    """`zone` is the account's; `turns` are those of the batch that the record came in."""

    def __init__(
        self, delivery: Delivery, event: PushEvent, settings: PushSettings, zone: str, by: Pushing, turns: Turns
    ) -> None:
        self._delivery, self._event, self._settings = delivery, event, settings
        self._zone, self._by, self._turns = zone, by, turns
        self._now = by.clock.now()
        self._view = by.log.view(event, settings.endpoint)
        self._record = self._view.record or PushRecord(
            event=event, state=PushState.WAITING, first_at=delivery.handed_at, next_at=delivery.handed_at
        )

    def run(self) -> Outcome:
        record, now = self._record, self._now
        if record.state is not PushState.WAITING:
            return DONE  # told already, or given up: this record is a repeat
        if record.next_at > now + 1:
            return self._hide(record.next_at - now)
        if self._view.record and now - record.first_at > GIVE_UP_S:
            return self._end(PushState.DEAD, "given up: not delivered within two days")
        if self._follows and not self._knows_result() and self._delivery.taken <= len(RESULT_WAITS_S):
            return self._hide(RESULT_WAITS_S[self._delivery.taken - 1])
        if self._result_rests() or is_open(self._view.circuit, now):
            return self._rest()
        return self._in_turn()

    def _in_turn(self) -> Outcome:
        with self._turns.hold(self._event.account, self._settings.endpoint) as mine:
            if not mine:
                return self._put_back(crowded_s(self._waited, self._by.chance()))
            return self._attempt() if self._may_probe(self._view.circuit) else self._rest()

    @property
    def _waited(self) -> float:
        return self._now - self._record.first_at

    @property
    def _follows(self) -> bool:
        """A report goes after its message's result, while results are told at all."""
        return self._event.type == "SMS-Status-Report" and bool(self._settings.results_enable)

    def _knows_result(self) -> bool:
        """What was delivered was sent, whatever it may have been taken for before."""
        delivered = self._event.status == Status.DELIVERED
        return any(one.event.status == Status.SENT or not delivered for one in self._view.results)

    def _result_rests(self) -> bool:
        """A result is known that has not been tried: its endpoint is left in peace, or crowded."""
        results = self._view.results if self._follows else ()
        return any(one.state is PushState.WAITING and not one.tries for one in results)

    def _may_probe(self, circuit: Circuit) -> bool:
        """Of an endpoint that has rested, one push finds out how it is."""
        if not is_half_open(circuit, self._now):
            return True
        until = self._now + PROBE_S
        return self._by.log.claim_probe(self._event.account, self._settings.endpoint, circuit, until)

    def _rest(self) -> Outcome:
        return self._put_back(deferral_s(self._view.circuit, self._now, self._waited, self._by.chance()))

    def _hide(self, seconds: float) -> Outcome:
        """Keeps the record hidden, as long as it can be; where the queue refuses, a fresh one takes its place."""
        if self._by.queue.defer(self._delivery.receipt, min(seconds, LONGEST_S)):
            return self._waiting(done=False)
        return self._put_back(seconds)

    def _put_back(self, seconds: float) -> Outcome:
        """Waits, no try. The log learns of the push, so that its report waits too and its age is known."""
        if self._view.record is None:
            self._by.log.save(self._record)
        self._by.queue.put_back(self._event, min(seconds, LONGEST_DELAY_S))
        return self._waiting(done=True)

    def _waiting(self, *, done: bool) -> Outcome:
        return Outcome(done=done, account=self._event.account, state=PushState.WAITING, age=self._waited)

    def _attempt(self) -> Outcome:
        request = build(self._settings, self._event, self._zone, self._now)
        attempt = self._by.egress.send(request.method, request.url, request.headers, request.body)
        self._note_endpoint(attempt)
        tries = self._record.tries + 1
        before = self._record.attempts[1 - tries :] if tries > 1 else ()  # since it was replayed, if it was
        verdict = judge(attempt, before, tries, self._by.chance(), self._by.delays)
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
        return Outcome(done=True, account=self._event.account, state=state)

    def _note_endpoint(self, attempt: PushAttempt) -> None:
        """Best effort: what the attempt came to must not be forgotten because of this."""
        try:
            self._tell_circuit(attempt)
        except Unavailable:
            _log.warning("how an endpoint is doing was not noted", extra={"account": self._event.account})

    def _tell_circuit(self, attempt: PushAttempt) -> None:
        log, account, endpoint = self._by.log, self._event.account, self._settings.endpoint
        if heavy := weight(attempt):
            failures = log.failed(account, endpoint, heavy).failures
            rest = rest_s(failures)
            if wait := max(rest, asked_rest_s(attempt)):
                log.open(account, endpoint, self._by.clock.now() + wait)
                if rest and not rest_s(failures - heavy):  # the count is atomic, so one attempt sees the step
                    self._by.alerts.tell("push endpoint failing", f"{account}: {endpoint} {attempt.error}")
        elif self._view.circuit.failures:
            log.close(account, endpoint)
            if rest_s(self._view.circuit.failures):
                self._by.alerts.tell("push endpoint back", f"{account}: {endpoint} takes pushes again")
