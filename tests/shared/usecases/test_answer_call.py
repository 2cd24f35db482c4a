"""Whatever is asked, the answer is an envelope; whatever breaks, it tells no more than a reference."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BAD_BODY, BODY_TOO_LARGE, CATALOGUE, INTERNAL, UNAVAILABLE, UNKNOWN_PATH
from shared.ports import Unavailable
from shared.usecases.operations import OPERATIONS
from tests.api_rig import PASSWORD, Answer, Rig, event

PATHS = sorted(OPERATIONS)
CODES = {0, *(kind.code for kind in CATALOGUE)}


def check_envelope(answer: Answer, uri: str) -> None:
    whole = answer.json
    assert list(whole)[:4] == ["uri", "code", "msg", "data"]
    assert whole["uri"] == uri
    assert whole["code"] in CODES
    assert isinstance(whole["msg"], str)
    assert whole["msg"]
    assert isinstance(whole["data"], list)
    assert answer.http == next((kind.http for kind in CATALOGUE if kind.code == whole["code"]), 200)
    assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("path", PATHS)
def test_every_path_answers_an_envelope(path: str) -> None:
    answer = Rig().call(path, dest_num="111", msg="x")
    check_envelope(answer, path)
    assert answer.code == 0


def test_the_code_of_success_is_a_parameter_of_the_deployment() -> None:
    assert Rig(success_code=200).call("/sms/get_valid_spans").code == 200


@pytest.mark.parametrize("path", PATHS)
def test_paths_answer_under_the_prefix_and_name_themselves_without_it(path: str) -> None:
    rig = Rig(path_prefix="/api/v1")
    body = json.dumps({"username": "acme", "password": PASSWORD, "dest_num": "111", "msg": "x"})
    for asked in (path, f"/api/v1{path}", f"/api/v1{path}/"):
        answer = rig.handle(event(asked, body))
        check_envelope(answer, path)
        assert answer.code == 0


def test_the_line_that_is_kept_of_a_send_names_its_messages_and_of_no_other_call() -> None:
    rig = Rig()
    rows = rig.send(dest_num="111,222").data
    assert rig.log.messages == [row["id"] for row in rows]
    rig.call("/smsoutbox/get", include_pending=1)
    rig.send(dest_num="111", dry_run=1)
    rig.send(dest_num="nobody")
    assert len(rig.log.messages) == 2


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_only_post_is_a_call(method: str) -> None:
    answer = Rig().handle(event("/sms/send", "{}", method=method))
    assert (answer.http, answer.code) == (404, UNKNOWN_PATH.code)


@pytest.mark.parametrize("path", ["/", "/sms", "/sms/send/more", "/SMS/send", "/x" * 5000, "/\ud800", "/../sms/send"])
def test_an_unknown_path_is_told_so_in_the_envelope(path: str) -> None:
    answer = Rig().handle(event(path, "{}"))
    assert (answer.http, answer.code) == (404, UNKNOWN_PATH.code)
    assert len(answer.text) < 1000
    answer.text.encode()


def test_a_form_is_as_good_as_json() -> None:
    answer = Rig().form("/sms/send", **{"spans[]": [1, 2], "dest_num": "+4917012345", "msg": "zwei & drei + vier"})
    assert answer.code == 0


def test_an_unreadable_body_says_how_to_write_one() -> None:
    answer = Rig().handle(event("/sms/send", "{'a': 1}"))
    assert (answer.http, answer.code) == (400, BAD_BODY.code)
    assert Rig().handle(event("/sms/send", "x" * 200_000)).code == BODY_TOO_LARGE.code


@pytest.mark.parametrize("path", PATHS)
def test_something_unexpected_is_answered_with_a_reference_that_the_log_has(path: str) -> None:
    rig = Rig()

    def explode(*_: object, **__: object) -> Any:
        raise ZeroDivisionError("of secret words")

    for port in (rig.outbox, rig.inbox, rig.accounts):
        for name in ("add", "history", "page", "snapshot", "push_settings"):
            if hasattr(port, name):
                setattr(port, name, explode)
    answer = rig.call(path, dest_num="111", msg="x", enable=0)
    check_envelope(answer, path)
    assert (answer.http, answer.code, answer.data) == (500, INTERNAL.code, [])
    assert "ref-1" in answer.msg
    assert "secret" not in answer.text
    assert [(reference, type(fault)) for reference, fault in rig.log.broken] == [("ref-1", ZeroDivisionError)]


def test_what_is_throttled_is_worth_a_retry_and_says_when() -> None:
    rig = Rig()
    rig.call("/sms/get_valid_spans")
    rig.accounts.faults.then(None, Unavailable("throttled"))
    answer = rig.call("/sms/get_valid_spans")
    assert (answer.http, answer.code) == (503, UNAVAILABLE.code)
    assert int(answer.headers["retry-after"]) >= 1


def test_every_call_leaves_one_line_without_what_was_said() -> None:
    rig = Rig()
    rig.send(msg="secret text")
    rig.call("/sms/send", password="wrong")
    rig.call("/made/up")
    assert rig.log.calls == [("/sms/send", 0, "acme"), ("/sms/send", 1100, ""), ("unknown", 1200, "")]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("path", PATHS)
@given(body=_JSON)
def test_any_json_whatever_gets_an_envelope_and_never_a_500(path: str, body: object) -> None:
    answer = Rig().handle(event(path, json.dumps(body)))
    check_envelope(answer, path)
    assert answer.http < 500


def _fields(path: str) -> list[str]:
    return [name for name in OPERATIONS[path].request.model_fields if name not in {"username", "password"}]


@pytest.mark.parametrize("path", PATHS)
@given(data=st.data())
def test_any_value_in_any_field_gets_an_envelope_and_never_a_500(path: str, data: st.DataObject) -> None:
    """With good credentials, so that what is behind the door is reached. 503: no span fits what was asked."""
    good: dict[str, Any] = {"username": "acme", "password": PASSWORD, "dest_num": "111", "msg": "x"}
    fields = _fields(path)
    odd = data.draw(st.dictionaries(st.sampled_from(fields), _JSON, max_size=3)) if fields else {}
    answer = Rig().handle(event(path, json.dumps({**good, **odd})))
    check_envelope(answer, path)
    assert answer.http != 500


@given(st.text(max_size=200), st.sampled_from(["application/json", "application/x-www-form-urlencoded", ""]))
def test_any_text_as_a_body_gets_an_envelope(text: str, label: str) -> None:
    answer = Rig().handle(event("/sms/send", text.encode(), headers={"Content-Type": label}))
    check_envelope(answer, "/sms/send")
    assert answer.http < 500


@given(st.text(min_size=1, max_size=600))
def test_any_text_of_any_script_is_stored_as_it_came_and_listed_so(text: str) -> None:
    rig = Rig()
    answer = rig.send(msg=text)
    if answer.code == 0:
        (row,) = rig.call("/smsoutbox/get", include_pending=1).data
        assert row["message"] == text
        assert [job.text for c in ("acme-north", "acme-south") for f in rig.posted(c) for job in f.jobs] == [text]
    else:
        assert answer.http == 413
