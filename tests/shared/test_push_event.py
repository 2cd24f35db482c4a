"""Events on their way to the customer: their ids and their form in the queue."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.push_event import BadPushEvent, PushEvent, PushType, from_json, result_ids, to_json

EVENT = PushEvent(
    type="SMS-Status-Result",
    account="acme",
    message_id="m1",
    phone="+1",
    port=1,
    port_name="",
    imsi="",
    text="x",
    at=1.0,
    status="SENT",
)


def test_one_message_can_say_different_things_each_under_its_own_id() -> None:
    said: list[tuple[PushType, str, str]] = [
        ("SMS-Status-Result", "FAILED", "expired: too late"),
        ("SMS-Status-Result", "FAILED", "uncertain: no answer"),
        ("SMS-Status-Result", "FAILED", "uncertain: the agent was stopped: in between"),
        ("SMS-Status-Result", "SENT", ""),
        ("SMS-Status-Report", "FAILED", "undelivered: absent"),
        ("SMS-Status-Report", "DELIVERD", ""),
    ]
    ids = {replace(EVENT, type=kind, status=status, cause=cause).id for kind, status, cause in said}
    assert ids == {
        "m1-result-failed-expired",
        "m1-result-failed-uncertain",
        "m1-result-sent",
        "m1-report-failed",
        "m1-report-deliverd",
    }


def test_a_report_knows_the_ids_of_the_results_that_it_may_follow() -> None:
    uncertain = replace(EVENT, status="FAILED", cause="uncertain: no answer")
    assert {EVENT.id, uncertain.id} == set(result_ids("m1"))


@given(
    st.builds(
        PushEvent,
        type=st.sampled_from(["SMS-Status-Result", "SMS-Status-Report", "SMS-Received"]),
        **dict.fromkeys(["account", "message_id", "phone", "port_name", "imsi", "text", "status", "cause"], st.text()),
        port=st.integers(),
        at=st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_an_event_survives_the_queue_whatever_characters_it_holds(event: PushEvent) -> None:
    assert to_json(event).isascii() and to_json(event).isprintable()
    assert from_json(to_json(event)) == event


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"type":"SMS-Other"}', to_json(EVENT)[:-1], "\x00"])
def test_a_text_that_is_no_event_is_told_apart(text: str) -> None:
    with pytest.raises(BadPushEvent):
        from_json(text)


def test_what_is_wrong_with_an_event_is_said_without_its_content() -> None:
    with pytest.raises(BadPushEvent) as caught:
        from_json(to_json(EVENT).replace('"port":1', '"port":"secret words"'))
    assert "port" in str(caught.value) and "secret" not in str(caught.value)


def test_fields_that_a_newer_version_adds_are_ignored() -> None:
    assert from_json(to_json(EVENT)[:-1] + ',"added":1}') == EVENT
