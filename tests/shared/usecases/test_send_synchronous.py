"""POST /sms/send with mode 1: the answer waits for the modem and never tells a false failure."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from shared.errors import NO_SPAN, NOT_SENT, STILL_SENDING
from shared.lifecycle import State
from shared.message import Message
from shared.ports import Unavailable
from shared.usecases.send import LOOK_S, MODE1_WAIT_S
from tests.api_rig import Rig
from tests.fakes import FakeClock


class BusyClock(FakeClock):
    """While somebody sleeps, something happens."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[tuple[float, Callable[[], None]]] = []
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.pauses.append(seconds)
        due = [happens for at, happens in self.meanwhile if at <= self.time]
        self.meanwhile = [(at, happens) for at, happens in self.meanwhile if at > self.time]
        for happens in due:
            happens()


@pytest.fixture
def clock() -> BusyClock:
    return BusyClock()


@pytest.fixture
def rig(clock: BusyClock) -> Rig:
    return Rig(clock=clock)


def after(rig: Rig, clock: BusyClock, seconds: float, state: State, **facts: Any) -> None:
    """In so many seconds every message will have ended so."""

    def happens() -> None:
        for account, number in list(rig.outbox.rows):
            rig.end(account, number, state, **facts)

    clock.meanwhile.append((clock.time + seconds, happens))


def test_it_answers_sent_once_the_modem_took_it(rig: Rig, clock: BusyClock) -> None:
    started = clock.time
    after(rig, clock, 3, State.SENT, port=2, port_name="lte-1.2")
    answer = rig.send(mode=1, spans=[1, 2])
    assert (answer.http, answer.code) == (200, 0)
    assert (answer.data[0]["status"], answer.data[0]["port"], answer.data[0]["port_name"]) == ("SENT", 2, "lte-1.2")
    assert clock.time - started < 5


@pytest.mark.parametrize(
    ("state", "text", "code", "error"),
    [
        (State.REFUSED, "no credit", "CMS 38", "refused: no credit (CMS 38)"),
        (State.UNCERTAIN, "the modem did not answer", "", "uncertain: the modem did not answer"),
        (State.UNAVAILABLE, "no span ready", "", "unavailable: no span ready"),
        (State.EXPIRED, "past its validity", "", "expired: past its validity"),
    ],
)
def test_a_message_that_failed_says_so_with_a_code_of_its_own(
    rig: Rig, clock: BusyClock, state: State, text: str, code: str, error: str
) -> None:
    after(rig, clock, 1, state, text=text, code=code)
    answer = rig.send(mode=1)
    assert (answer.http, answer.code) == (200, NOT_SENT.code)
    assert (answer.data[0]["status"], answer.data[0]["error"]) == ("FAILED", error)


def test_before_the_gateway_gives_up_it_answers_sending_and_never_a_failure(rig: Rig, clock: BusyClock) -> None:
    started = clock.time
    answer = rig.send(mode=1)
    assert (answer.http, answer.code, answer.data[0]["status"]) == (200, STILL_SENDING.code, "SENDING")
    assert clock.time - started == MODE1_WAIT_S
    assert rig.outbox.count_pending("acme", rig.outbox.rows["acme", answer.data[0]["id"]].agent, 9) == 1


def test_it_looks_often_at_first_and_then_less_and_less(rig: Rig, clock: BusyClock) -> None:
    rig.send(mode=1)
    assert clock.pauses[0] < 0.2
    assert clock.pauses[:-1] == sorted(clock.pauses[:-1])
    assert max(clock.pauses) <= 2
    assert len(clock.pauses) < 25


def test_not_being_able_to_look_is_no_failure(rig: Rig, clock: BusyClock) -> None:
    def blind() -> None:
        rig.outbox.faults.then(Unavailable("throttled"), RuntimeError("a bug"))

    clock.meanwhile.append((clock.time, blind))
    after(rig, clock, 2, State.SENT)
    clock.meanwhile.reverse()
    assert rig.send(mode=1).data[0]["status"] == "SENT"


def test_looks_that_hang_near_the_end_do_not_outlast_the_gateways_patience(rig: Rig, clock: BusyClock) -> None:
    started = clock.time

    def hang(account: str, ids: Sequence[str]) -> tuple[Message, ...]:
        if clock.time - started > MODE1_WAIT_S / 2:
            clock.time += LOOK_S
            raise Unavailable("no answer")
        return rig.outbox.get(account, ids)

    rig.outbox.look = hang  # type: ignore[method-assign, assignment]
    assert rig.send(mode=1).code == STILL_SENDING.code
    assert clock.time - started <= MODE1_WAIT_S + LOOK_S


def test_some_sent_and_some_failed_is_told_row_by_row(rig: Rig, clock: BusyClock) -> None:
    def happens() -> None:
        for number, (account, key) in enumerate(sorted(rig.outbox.rows)):
            rig.end(account, key, State.REFUSED if number else State.SENT, text="no")

    clock.meanwhile.append((clock.time + 1, happens))
    answer = rig.send(mode=1, dest_num="111,222")
    assert answer.code == NOT_SENT.code
    assert "1 of 2" in answer.msg
    assert [row["status"] for row in answer.data] == ["SENT", "FAILED"]


def test_one_that_is_still_open_is_told_before_one_that_failed(rig: Rig, clock: BusyClock) -> None:
    clock.meanwhile.append((clock.time + 1, lambda: rig.end(*min(rig.outbox.rows), State.REFUSED)))
    answer = rig.send(mode=1, dest_num="111,222")
    assert answer.code == STILL_SENDING.code
    assert [row["status"] for row in answer.data] == ["FAILED", "SENDING"]


def test_it_tells_what_the_modem_did_even_when_the_report_is_there_already(rig: Rig, clock: BusyClock) -> None:
    after(rig, clock, 1, State.DELIVERED, delivered_at=clock.time)
    assert rig.send(mode=1).data[0]["status"] == "SENT"


@pytest.mark.parametrize("spans", [[], [3]])
def test_without_an_available_span_it_fails_at_once(rig: Rig, clock: BusyClock, spans: list[int]) -> None:
    rig.take_offline("acme", "north")
    rig.take_offline("acme", "south")
    answer = rig.send(mode=1, spans=spans)
    assert (answer.http, answer.code) == (503, NO_SPAN.code)
    assert not clock.pauses
    assert not rig.outbox.rows
