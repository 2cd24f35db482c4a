"""`request_id` and `Idempotency-Key`: the same request again is answered again and sends nothing."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import NOT_SENT, REQUEST_ID_REUSED
from shared.lifecycle import State
from shared.message import Message
from shared.ports import Unavailable
from tests.api_rig import PASSWORD, Answer, Rig, event


@pytest.fixture
def rig() -> Rig:
    return Rig()


def with_header(rig: Rig, key: str, **body: Any) -> Answer:
    body = {"username": "acme", "password": PASSWORD, "dest_num": "111", "msg": "hello", **body}
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    return rig.handle(event("/sms/send", json.dumps(body), headers=headers))


def posts(rig: Rig) -> int:
    return sum(len(frames) for frames in rig.link.posted.values())


def test_the_same_request_again_gets_the_first_answer_byte_for_byte(rig: Rig) -> None:
    first = rig.send(request_id="k", dest_num="333,111,222")
    rig.clock.sleep(100)
    again = rig.send(request_id="k", dest_num="333,111,222")
    assert again.text == first.text
    assert (len(rig.outbox.rows), posts(rig)) == (3, 2)


def test_nothing_that_happens_later_changes_the_answer(rig: Rig) -> None:
    first = rig.send(request_id="k", spans=[1, 2])
    rig.end("acme", first.data[0]["id"], State.REFUSED, text="no", port=2, port_name="moved")
    assert rig.send(request_id="k", spans=[1, 2]).text == first.text


def test_another_request_with_the_same_key_is_refused(rig: Rig) -> None:
    first = rig.send(request_id="k", dest_num="111,222")
    for other in (
        {"msg": "another"},
        {"dest_num": "111"},
        {"dest_num": "111,222,333"},
        {"dest_num": "222,111"},
        {"spans": [1]},
        {"valid_for": 60},
        {"report": 0},
        {"mode": 1},
    ):
        answer = rig.send(**{"request_id": "k", "dest_num": "111,222", **other})
        assert (answer.http, answer.code) == (409, REQUEST_ID_REUSED.code), other
    assert rig.send(request_id="k", dest_num="111,222").text == first.text
    assert len(rig.outbox.rows) == 2


def test_the_same_request_written_otherwise_is_the_same(rig: Rig) -> None:
    first = rig.send(request_id="7", dest_num="111,222", mode=0, spans=[1, 2])
    assert rig.send(request_id=7, dest_num="111; 222", mode="0", spans="1,2", colour="blue").text == first.text
    assert rig.send(request_id=7, dest_num="111,222", spans=[2, 1, 2]).text == first.text


def test_the_header_is_the_same_key(rig: Rig) -> None:
    assert with_header(rig, "k").text == with_header(rig, "", request_id="k").text == with_header(rig, "k").text
    assert len(rig.outbox.rows) == 1


def test_the_keys_of_two_accounts_are_two_keys(rig: Rig) -> None:
    assert rig.send(request_id="k").data[0]["id"] != rig.send("rival", request_id="k").data[0]["id"]


def test_a_key_costs_no_write_more(rig: Rig) -> None:
    rig.send(request_id="k")
    assert rig.outbox.writes == 1


def test_a_repeat_is_answered_even_when_nothing_could_be_sent_now(rig: Rig) -> None:
    first = rig.send(request_id="k", spans=[1])
    rig.accounts.ports.clear()
    assert rig.send(request_id="k", spans=[1]).text == first.text


def test_a_first_call_that_was_refused_leaves_its_key_free(rig: Rig) -> None:
    rig.outbox.faults.then(*[Unavailable("throttled")] * 4)
    assert rig.send(request_id="k").http == 503
    assert rig.send(request_id="k").code == 0


def test_a_repeat_with_mode_1_tells_what_the_modem_did(rig: Rig) -> None:
    open_still = rig.send(request_id="k", mode=1)
    rig.end("acme", open_still.data[0]["id"], State.SENT)
    taken = rig.send(request_id="k", mode=1)
    assert (taken.code, taken.data[0]["status"]) == (0, "SENT")
    rig.end("acme", open_still.data[0]["id"], State.UNDELIVERED, text="absent")
    assert rig.send(request_id="k", mode=1).text == taken.text


def test_a_repeat_with_mode_1_of_an_uncertain_message_tells_what_has_become_known_since(rig: Rig) -> None:
    number = rig.send(request_id="k", mode=1).data[0]["id"]
    rig.end("acme", number, State.UNCERTAIN, text="the modem did not answer")
    uncertain = rig.send(request_id="k", mode=1)
    assert (uncertain.code, uncertain.data[0]["status"]) == (NOT_SENT.code, "FAILED")
    rig.end("acme", number, State.SENT)
    settled = rig.send(request_id="k", mode=1)
    assert (settled.code, settled.data[0]["status"]) == (0, "SENT")
    assert len(rig.outbox.rows) == 1


def test_twenty_identical_requests_at_once_make_one_message_and_twenty_same_answers(rig: Rig) -> None:
    """All twenty have looked before any one stores; storing itself is atomic, as DynamoDB's conditional put is."""
    together, one_at_a_time, store = Barrier(20, timeout=20), Lock(), rig.outbox.add

    def add(messages: Sequence[Message]) -> tuple[Message, ...]:
        together.wait()
        with one_at_a_time:
            return store(messages)

    rig.outbox.add = add  # type: ignore[method-assign]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: rig.send(request_id="k", dest_num="111,222").text, range(20)))
    assert len(set(answers)) == 1
    assert len(rig.outbox.rows) == 2
    assert sum(len(frame.jobs) for c in ("acme-north", "acme-south") for frame in rig.posted(c)) == 2


@given(st.text(min_size=1, max_size=128))
def test_any_text_may_be_a_key(key: str) -> None:
    rig = Rig()
    assert rig.send(request_id=key).text == rig.send(request_id=key).text
    assert len(rig.outbox.rows) == 1
