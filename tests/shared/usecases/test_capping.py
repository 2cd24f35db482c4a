"""Caps through the API and the results that agents tell: refused at the cap, back by itself, right after failures."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from shared.errors import CAP_REACHED, NO_SPAN
from shared.lifecycle import State
from shared.message import Change, Limits, Message
from shared.ports import Unavailable
from shared.wire import Ack, Events, ResultEvent
from tests.agent_bench import Bench
from tests.api_rig import Answer, Rig
from tests.samples import NOW, message

DAY = 86_400


@pytest.fixture
def rig() -> Rig:
    return Rig()


def cap_account(rig: Rig, **limits: int) -> None:
    account = rig.accounts.accounts["acme"]
    rig.accounts.accounts["acme"] = replace(account, limits=Limits(requests_per_second=0, **limits))


def cap_port(rig: Rig, number: int, **limits: int) -> None:
    rig.accounts.ports["acme", number] = replace(rig.accounts.ports["acme", number], **limits)


def row(rig: Rig, number: int) -> dict[str, object]:
    return next(one for one in rig.call("/sms/get_valid_spans").data if one["port"] == number)


def counted(rig: Rig) -> list[int]:
    """Parts, in every tally of a cap."""
    return [tally.count for key, tally in rig.tallies.rows.items() if key.startswith("parts#")]


# ------------------------------------------------------------------------------------------------------ accounts


def test_an_account_at_its_cap_is_refused_until_its_day_ends(rig: Rig) -> None:
    cap_account(rig, parts_per_day=5)
    assert rig.send(msg="a" * 161, dest_num="111,222").code == 0
    answer = rig.send(msg="a" * 161)
    assert (answer.http, answer.code) == (429, CAP_REACHED.code)
    assert "1 left, and this needs 2" in answer.msg
    assert len(rig.outbox.rows) == 2
    assert rig.send().code == 0
    rig.clock.sleep(float(rig.send().headers["retry-after"]))
    assert rig.send(msg="a" * 161).code == 0


def test_the_month_stays_full_when_a_new_day_begins(rig: Rig) -> None:
    cap_account(rig, parts_per_day=3, parts_per_month=4)
    assert [rig.send(dest_num="111,222").code for _ in range(2)] == [0, CAP_REACHED.code]
    rig.clock.sleep(DAY)
    assert rig.send(dest_num="111,222").code == 0
    rig.clock.sleep(DAY)
    answer = rig.send()
    assert (answer.code, "a month" in answer.msg) == (CAP_REACHED.code, True)
    assert float(answer.headers["retry-after"]) > DAY


def test_what_a_refused_call_took_from_one_cap_is_given_back(rig: Rig) -> None:
    cap_account(rig, parts_per_day=100, parts_per_month=1)
    rig.send(dest_num="111,222")
    assert counted(rig) == [0]


def test_a_repeat_is_answered_as_at_first_and_counts_once(rig: Rig) -> None:
    cap_account(rig, parts_per_day=2)
    first = rig.send(request_id="a")
    assert rig.send(request_id="a").data == first.data
    assert counted(rig) == [1]
    rig.send()
    assert rig.send(request_id="a").data == first.data
    assert rig.send().code == CAP_REACHED.code


class Meeting:
    """One call has taken its room and is about to store, when another comes; it goes on as soon as that one waits."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.add, self.sleep = rig, rig.outbox.add, rig.clock.sleep
        self.arrived, self.may_go_on = Event(), Event()

    def during(self, other: Callable[[], Answer], **body: Any) -> tuple[Answer, Answer]:
        self.rig.outbox.add = self._hold  # type: ignore[method-assign]
        with ThreadPoolExecutor(1) as worker:
            first = worker.submit(self.rig.send, **body)
            assert self.arrived.wait(20)

            def let_it_go_on(seconds: float) -> None:
                self.may_go_on.set()
                first.result(20)
                self.sleep(seconds)

            self.rig.clock.sleep = let_it_go_on  # type: ignore[method-assign]
            second = other()
            self.may_go_on.set()
            return first.result(20), second

    def _hold(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        self.rig.outbox.add = self.add  # type: ignore[method-assign]
        self.arrived.set()
        assert self.may_go_on.wait(20)
        return self.add(messages)


def test_room_that_a_repeat_holds_for_a_moment_keeps_nobody_out(rig: Rig) -> None:
    cap_account(rig, parts_per_day=3)
    first = rig.send(request_id="a")
    again, other = Meeting(rig).during(lambda: rig.send(dest_num="111,222"), request_id="a")
    assert (again.text, other.code) == (first.text, 0)
    assert counted(rig) == [3]


def test_of_the_same_request_at_once_none_is_refused_for_the_room_that_another_took(rig: Rig) -> None:
    cap_account(rig, parts_per_day=1)
    first, again = Meeting(rig).during(lambda: rig.send(request_id="a"), request_id="a")
    assert (first.code, again.text) == (0, first.text)
    assert counted(rig) == [1]


def test_a_dry_run_counts_nothing(rig: Rig) -> None:
    cap_account(rig, parts_per_day=1)
    cap_port(rig, 1, parts_per_day=1)
    assert rig.send(dry_run=1, dest_num="111,222,333").code == 0
    assert not counted(rig)


def test_who_has_no_caps_pays_no_write_and_no_read_for_them(rig: Rig) -> None:
    rig.send()
    before = rig.tallies.reads, rig.tallies.writes
    rig.send(dest_num="111,222,333")
    rig.call("/sms/get_valid_spans")
    assert (rig.tallies.reads, rig.tallies.writes) == before


# --------------------------------------------------------------------------------------------------------- spans


def test_a_span_at_its_cap_is_not_available_says_why_and_returns_by_itself(rig: Rig) -> None:
    cap_port(rig, 3, parts_per_day=2)
    assert rig.send(spans=[3], dest_num="111,222").code == 0
    assert (row(rig, 3)["status"], row(rig, 3)["reason"]) == (0, "daily limit reached")
    answer = rig.send(spans=[3])
    assert (answer.http, answer.code) == (503, NO_SPAN.code)
    assert "daily or monthly limit" in answer.msg
    rig.clock.sleep(float(answer.headers["retry-after"]))
    assert (row(rig, 3)["status"], row(rig, 3)["reason"]) == (1, "")
    assert rig.send(spans=[3]).code == 0


def test_the_rest_of_the_pool_takes_what_a_full_span_cannot(rig: Rig) -> None:
    cap_port(rig, 1, parts_per_day=1)
    cap_port(rig, 2, parts_per_month=3)
    dealt = [row["port"] for row in rig.send(dest_num=",".join(f"10{n}" for n in range(8))).data]
    assert Counter(dealt)[1] <= 1 and Counter(dealt)[2] <= 3
    for _ in range(5):
        dealt += [row["port"] for row in rig.send().data]
    assert len(dealt) == 13
    assert Counter(dealt)[1] <= 1 and Counter(dealt)[2] <= 3


def test_a_request_larger_than_what_is_left_is_refused_whole_and_a_smaller_one_fits(rig: Rig) -> None:
    cap_port(rig, 3, parts_per_day=3)
    assert rig.send(spans=[3], dest_num="1001,1002,1003,1004").code == NO_SPAN.code
    assert not rig.outbox.rows
    assert rig.send(spans=[3], dest_num="1001,1002,1003").code == 0


def test_a_full_span_does_not_stand_in_for_another(rig: Rig) -> None:
    cap_port(rig, 1, parts_per_day=1)
    assert [rig.send(spans=[1]).code for _ in range(2)] == [0, NO_SPAN.code]
    rig.send(spans=[1, 2])
    assert rig.posted("acme-north")[-1].jobs[0].spans == ("imei:north2",)


# ------------------------------------------------------------------------------------------------------- results


class Site:
    """One agent with two capped spans, over which one message was dealt to the first."""

    def __init__(self, parts: int = 2) -> None:
        self.bench = Bench()
        self.connection = self.bench.greeted()
        for number in (1, 2):
            port = self.bench.accounts.ports["acme", number]
            self.bench.accounts.ports["acme", number] = replace(port, parts_per_day=10)
        one = self.bench
        one.outbox.add([message(parts=parts)])
        for key in (self.key(1),):
            one.tallies.take(key, parts, most=10, at=NOW, until=NOW + DAY)

    def key(self, number: int) -> str:
        return f"parts#acme#{number}#2025-06-15"

    def count(self, number: int) -> int:
        return self.bench.tallies.rows[self.key(number)].count if self.key(number) in self.bench.tallies.rows else 0

    def tell(self, outcome: str, span: str, event_id: str = "e1") -> None:
        told = ResultEvent.model_validate(
            {"event_id": event_id, "job_id": "m1", "outcome": outcome, "span": span, "at": NOW, "parts": 2}
        )
        answers = self.bench.say(self.connection, Events(events=(told,)))
        assert answers == [Ack(event_ids=(event_id,))]


@pytest.fixture
def site() -> Site:
    return Site()


def test_what_another_span_sent_counts_for_that_one_once(site: Site) -> None:
    for _ in range(2):
        site.tell("sent", "imei:2")
    assert (site.count(1), site.count(2)) == (0, 2)


def test_what_no_modem_had_is_given_back(site: Site) -> None:
    site.tell("unavailable", "")
    assert (site.count(1), site.count(2)) == (0, 0)


def test_what_the_cloud_ended_is_given_back_once_its_site_confirms_that_no_modem_had_it(site: Site) -> None:
    site.bench.outbox.record("acme", "m1", Change(state=State.EXPIRED, at=NOW))
    assert site.count(1) == 2
    for _ in range(2):
        site.tell("expired", "")
    assert site.count(1) == 0


def test_what_a_modem_tried_counts_whatever_became_of_it(site: Site) -> None:
    site.tell("refused", "imei:1")
    assert site.count(1) == 2


def test_an_uncertain_one_is_counted_when_it_is_settled(site: Site) -> None:
    site.tell("uncertain", "imei:2")
    assert (site.count(1), site.count(2)) == (2, 0)
    site.tell("sent", "imei:2", "e2")
    assert (site.count(1), site.count(2)) == (0, 2)


def test_the_span_dealt_costs_no_write_when_it_sends(site: Site) -> None:
    before = site.bench.tallies.writes + site.bench.tallies.reads
    site.tell("sent", "imei:1")
    assert site.bench.tallies.writes + site.bench.tallies.reads == before


def test_of_a_day_that_is_over_nothing_is_counted_any_more(site: Site) -> None:
    site.bench.clock.sleep(2 * DAY)
    site.tell("sent", "imei:2")
    assert (site.count(1), site.count(2)) == (2, 0)


def test_a_tally_out_of_reach_keeps_no_result_from_being_told(site: Site) -> None:
    site.bench.tallies.faults.then(Unavailable("throttled"))
    site.tell("sent", "imei:2")
    assert len(site.bench.pushes.events) == 1
