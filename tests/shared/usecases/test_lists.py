"""POST /smsoutbox/get and /smsinbox/get: rows, pages, filters."""

from dataclasses import replace
from typing import Any

import pytest

from shared.errors import BAD_FIELD, TOO_BROAD
from shared.lifecycle import State
from shared.ports import TooBroad
from tests.api_rig import Answer, Rig

NOON = 1_750_075_200.0  # 2025-06-16 12:00:00 UTC


@pytest.fixture
def rig() -> Rig:
    return Rig()


def sent(rig: Rig, at: float, state: State = State.SENT, **body: Any) -> str:
    """A message whose attempt ended then."""
    rig.clock.time = at - 5
    number: str = rig.send(**body).data[0]["id"]
    rig.clock.time = at
    rig.end("acme", number, state, text="why")
    return number


def outbox(rig: Rig, **body: Any) -> Answer:
    return rig.call("/smsoutbox/get", **body)


def texts(answer: Answer) -> list[str]:
    return [row["message"] for row in answer.data]


def test_a_row_has_every_documented_key_and_only_those(rig: Rig) -> None:
    number = sent(rig, NOON, msg="hi", spans=[1])
    assert outbox(rig).data == [
        {
            "port_name": "lte-1.1",
            "phonenumber": "+4917012345",
            "time": "2025-06-16 12:00:00",
            "message": "hi",
            "status": "SENT",
            "id": number,
            "port": 1,
            "parts": 1,
            "delivered_time": "",
        }
    ]


def test_delivered_is_spelled_as_the_page_spells_it(rig: Rig) -> None:
    number = sent(rig, NOON)
    rig.clock.time = NOON + 8
    rig.end("acme", number, State.DELIVERED, delivered_at=NOON + 8)
    (row,) = outbox(rig).data
    assert (row["status"], row["time"], row["delivered_time"]) == (
        "DELIVERD",
        "2025-06-16 12:00:00",
        "2025-06-16 12:00:08",
    )


@pytest.mark.parametrize(
    "state",
    [State.REFUSED, State.UNDELIVERED, State.UNCERTAIN, State.EXPIRED, State.CANCELLED, State.UNAVAILABLE],
)
def test_a_failed_message_tells_its_stable_kind_and_the_cause_in_words(rig: Rig, state: State) -> None:
    sent(rig, NOON, state)
    (row,) = outbox(rig).data
    assert (row["status"], row["error"]) == ("FAILED", f"{state.value}: why")


def test_the_networks_own_code_is_told(rig: Rig) -> None:
    number = rig.send().data[0]["id"]
    rig.end("acme", number, State.REFUSED, text="no credit", code="CMS 38")
    assert outbox(rig).data[0]["error"] == "refused: no credit (CMS 38)"


def test_newest_first_ten_a_page_and_a_page_past_the_end_is_empty(rig: Rig) -> None:
    for n in range(25):
        sent(rig, NOON + n, msg=f"m{n}")
    assert texts(outbox(rig)) == [f"m{n}" for n in range(24, 14, -1)]
    assert texts(outbox(rig, current_page="3")) == [f"m{n}" for n in range(4, -1, -1)]
    past = outbox(rig, current_page=4)
    assert (past.http, past.code, past.data) == (200, 0, [])
    assert outbox(rig, current_page=10**9).data == []
    assert texts(outbox(rig, page_size=100)) == [f"m{n}" for n in range(24, -1, -1)]


def test_only_ended_attempts_are_listed_unless_pending_ones_are_asked_for(rig: Rig) -> None:
    sent(rig, NOON, msg="ended")
    rig.clock.time = NOON + 60
    rig.send(msg="waiting")
    assert texts(outbox(rig)) == ["ended"]
    both = outbox(rig, include_pending=1, with_total=1)
    assert [(row["message"], row["status"]) for row in both.data] == [("waiting", "SENDING"), ("ended", "SENT")]
    assert both.data[0]["time"] == ""
    assert both.json["total"] == 2


def test_the_phone_filter_matches_exactly_or_with_stars(rig: Rig) -> None:
    for n, number in enumerate(("+4917012345", "4917012345", "+4930555", "112")):
        sent(rig, NOON + n, dest_num=number, msg=number)
    assert texts(outbox(rig, phone_number_filter="+4917012345")) == ["+4917012345"]
    assert texts(outbox(rig, phone_number_filter="+49*")) == ["+4930555", "+4917012345"]
    assert texts(outbox(rig, phone_number_filter="*12345")) == ["4917012345", "+4917012345"]
    assert texts(outbox(rig, phone_number_filter="*9*5*")) == ["+4930555", "4917012345", "+4917012345"]
    assert texts(outbox(rig, phone_number_filter="49")) == []
    assert texts(outbox(rig, phone_number_filter="****")) == ["112", "+4930555", "4917012345", "+4917012345"]


@pytest.mark.parametrize("pattern", ["?", "[0-9]*", ".*", "%", "_12", "(a+)+"])
def test_nothing_but_the_star_is_special_in_the_filter(rig: Rig, pattern: str) -> None:
    sent(rig, NOON)
    assert outbox(rig, phone_number_filter=pattern).data == []


def test_both_dates_are_inclusive_to_the_second(rig: Rig) -> None:
    for at in (NOON - 1, NOON, NOON + 0.5, NOON + 1.5, NOON + 2):
        sent(rig, at, msg=str(at - NOON))
    found = outbox(
        rig, start_datetime_filter="2025-06-16 12:00:00", end_datetime_filter="2025/06/16 12:00:01", with_total=1
    )
    assert texts(found) == ["1.5", "0.5", "0.0"]
    assert found.json["total"] == 3
    assert len(outbox(rig, start_datetime_filter="25/6/16", end_datetime_filter="25/6/16").data) == 5


def test_dates_are_of_the_accounts_zone(rig: Rig) -> None:
    rig.accounts.accounts["acme"] = replace(rig.accounts.accounts["acme"], timezone="Asia/Kolkata")
    sent(rig, NOON)
    assert outbox(rig).data[0]["time"] == "2025-06-16 17:30:00"
    day = {"start_datetime_filter": "2025-06-16 17:30:00", "end_datetime_filter": "2025-06-16 17:30:00"}
    assert len(outbox(rig, **day).data) == 1
    assert outbox(rig, end_datetime_filter="2025-06-16 12:00:00").data == []


def test_an_end_before_the_start_is_named(rig: Rig) -> None:
    answer = outbox(rig, start_datetime_filter="2025-06-17", end_datetime_filter="2025-06-16")
    assert answer.code == BAD_FIELD.code
    assert "end_datetime_filter" in answer.msg


@pytest.mark.parametrize("path", ["/smsoutbox/get", "/smsinbox/get"])
def test_the_total_is_told_only_when_asked_for(rig: Rig, path: str) -> None:
    assert "total" not in rig.call(path).json
    assert rig.call(path, with_total=1).json["total"] == 0


@pytest.mark.parametrize("path", ["/smsoutbox/get", "/smsinbox/get"])
def test_a_filter_that_would_read_too_much_is_refused_with_advice(rig: Rig, path: str) -> None:
    rig.outbox.faults.then(TooBroad())
    rig.inbox.faults.then(TooBroad())
    answer = rig.call(path, phone_number_filter="*1*2*3*")
    assert (answer.http, answer.code) == (400, TOO_BROAD.code)
    assert "start_datetime_filter" in answer.msg


def test_received_messages_are_listed_as_sent_ones_are(rig: Rig) -> None:
    for n in range(12):
        rig.receive("acme", f"e{n}", f"+49170{n}", f"in {n}", NOON + n)
    first = rig.call("/smsinbox/get", with_total=1)
    assert first.data[0] == {
        "port_name": "lte-1.1",
        "phonenumber": "+4917011",
        "time": "2025-06-16 12:00:11",
        "message": "in 11",
        "id": "e11",
        "port": 1,
    }
    assert (len(first.data), first.json["total"]) == (10, 12)
    assert texts(rig.call("/smsinbox/get", current_page=2)) == ["in 1", "in 0"]
    assert texts(rig.call("/smsinbox/get", phone_number_filter="*1705")) == ["in 5"]
    assert texts(rig.call("/smsinbox/get", start_datetime_filter="2025-06-16 12:00:11")) == ["in 11"]
