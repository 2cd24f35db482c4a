"""The API as callers meet it: over HTTP, through the gateway, functions as processes, a real agent behind."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks

from local_cloud import seed
from local_cloud.cloud import CloudOptions
from local_cloud.stack import LocalStack
from shared.message import Account, Limits
from shared.usecases.describe_api import as_json
from tests.api_rig import CHEAP, PASSWORD

load_all_checks()
PROMISES = CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)
WHO = {"username": seed.ACCOUNT, "password": seed.PASSWORD}
PREFIX = "/api/v1"
NUMBERS = count(2_025_550_200)

Eventually = Callable[..., object]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with LocalStack(tmp_path_factory.mktemp("api"), CloudOptions(parameters={"PathPrefix": PREFIX})) as running:
        yield running


def ask(stack: LocalStack, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, headers and envelope."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(stack.url + path, data=body, headers=named, method="POST")
    try:
        with urlopen(request, timeout=40) as answer:
            return answer.status, dict(answer.headers), json.load(answer)
    except HTTPError as error:
        return error.code, dict(error.headers), json.load(error)


def heard(stack: LocalStack, number: str) -> list[str]:
    """What went over the air to a number."""
    return [str(one["text"]) for one in stack.air() if one["event"] == "message" and one["to"] == number]


TEXTS = st.lists(st.text(min_size=1, max_size=200) | st.text("@€\r\n[]aé\x0c", min_size=1, max_size=170), min_size=12)


@given(texts=TEXTS)
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_of_any_script_goes_over_the_air_and_into_the_outbox_as_it_came(
    stack: LocalStack, eventually: Eventually, texts: list[str]
) -> None:
    sent = {f"+1{next(NUMBERS)}": text for text in texts}
    for number, text in sent.items():
        status, answer = stack.call("/sms/send", dest_num=number, msg=text)
        assert (status, answer["code"]) == (200, 0), answer
    eventually(lambda: all(heard(stack, number) for number in sent), within=90)
    assert {number: heard(stack, number) for number in sent} == {number: [text] for number, text in sent.items()}
    for number, text in sent.items():
        eventually(lambda n=number: stack.call("/smsoutbox/get", phone_number_filter=n)[1]["data"])
        _, found = stack.call("/smsoutbox/get", phone_number_filter=number)
        assert [row["message"] for row in found["data"]] == [text]  # type: ignore[union-attr,index,call-overload]


def test_twenty_identical_requests_at_once_send_one_message(stack: LocalStack, eventually: Eventually) -> None:
    number = f"+1{next(NUMBERS)}"
    body = json.dumps({**WHO, "dest_num": number, "msg": "once"}).encode()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: ask(stack, "/sms/send", body, Idempotency_Key="twenty"), range(20)))
    assert {status for status, _, _ in answers} == {200}
    assert len({json.dumps(envelope) for _, _, envelope in answers}) == 1
    eventually(lambda: stack.call("/smsoutbox/get", phone_number_filter=number)[1]["data"])
    _, listed = stack.call("/smsoutbox/get", phone_number_filter=number, include_pending=1, with_total=1)
    assert listed["total"] == 1
    assert heard(stack, number) == ["once"]


def test_a_request_to_many_at_once_and_again_sends_each_once(stack: LocalStack, eventually: Eventually) -> None:
    numbers = [f"+1{next(NUMBERS)}" for _ in range(8)]
    body = json.dumps({**WHO, "dest_num": "; ".join(numbers), "msg": "all", "request_id": "many"}).encode()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ask(stack, "/sms/send", body), range(6)))
    assert len({json.dumps(envelope) for _, _, envelope in answers}) == 1
    assert [row["phonenumber"] for row in answers[0][2]["data"]] == numbers
    eventually(lambda: all(heard(stack, number) for number in numbers))
    assert [heard(stack, number) for number in numbers] == [["all"]] * 8


def test_forms_arrive_however_the_gateway_hands_them_over(stack: LocalStack) -> None:
    form = urlencode({**WHO, "spans[]": [1, 2], "dest_num": f"+1{next(NUMBERS)}", "msg": "Fußgänger & Rad + 1"}, True)
    for label in ("application/x-www-form-urlencoded", "application/octet-stream"):  # the gateway encodes the second
        status, _, answer = ask(stack, "/sms/send", form.encode(), Content_Type=label)
        assert (status, answer["code"]) == (200, 0), answer


def test_paths_answer_under_the_prefix_too(stack: LocalStack) -> None:
    status, _, answer = ask(stack, f"{PREFIX}/sms/get_valid_spans", json.dumps(WHO).encode())
    assert (status, answer["code"], answer["uri"]) == (200, 0, "/sms/get_valid_spans")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/sms/send", b"{", 400),
        ("/sms/send", b"\xff", 400),
        ("/sms/send", b"", 400),
        ("/sms/send", b"{}" + b" " * 200_000, 413),
        ("/made/up", b"{}", 404),
        ("/", b"{}", 404),
        ("/sms/send", json.dumps({**WHO, "dest_num": "12x", "msg": "x"}).encode(), 400),
        ("/sms/send", json.dumps({**WHO, "dest_num": "123", "msg": "x", "spans": [99]}).encode(), 404),
    ],
)
def test_errors_come_in_the_envelope_with_their_status(stack: LocalStack, path: str, body: bytes, status: int) -> None:
    answered, headers, envelope = ask(stack, path, body, Content_Type="application/json")
    assert answered == status
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert (envelope["uri"], envelope["data"]) == (path, [])
    assert envelope["code"] != 0


def test_wrong_passwords_are_refused_then_slowed_for_the_pair_and_nobody_else(stack: LocalStack) -> None:
    body = json.dumps({"username": "somebody-else", "password": "guess"}).encode()
    answers = [ask(stack, "/sms/get_valid_spans", body) for _ in range(7)]
    assert [status for status, _, _ in answers][:5] == [401] * 5
    assert answers[-1][0] == 429
    assert int(answers[-1][1]["retry-after"]) >= 1
    assert stack.call("/sms/get_valid_spans")[0] == 200


def test_all_workers_together_keep_an_accounts_pace(stack: LocalStack) -> None:
    limits = Limits(requests_per_second=2)
    seed.accounts(stack.deployment).put_account(Account(name="busy", credential=CHEAP, limits=limits))
    body = json.dumps({"username": "busy", "password": PASSWORD}).encode()
    started = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: ask(stack, "/sms/get_valid_spans", body), range(300)))
    windows = 2 + (time.monotonic() - started) / 2
    refused = [headers for status, headers, _ in answers if status == 429]
    assert {status for status, _, _ in answers} == {200, 429}
    workers = len(stack.workers("sms_api"))
    assert len(answers) - len(refused) <= windows * (4 + workers)
    assert all(1 <= int(headers["retry-after"]) <= 2 for headers in refused)
    assert stack.call("/sms/get_valid_spans")[0] == 200


def test_the_document_is_served(stack: LocalStack) -> None:
    with urlopen(f"{stack.url}/openapi.json", timeout=40) as answer:
        assert answer.read().decode() == as_json(PREFIX)


schema = schemathesis.openapi.from_dict(json.loads(as_json()))


@schema.parametrize()
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
def test_calls_made_from_the_served_document_keep_its_promises(stack: LocalStack, case: Any) -> None:
    """mode 1 is left out: each would wait for a modem."""
    if isinstance(case.body, dict):
        case.body = {**case.body, **WHO, "mode": 0}
    response = case.call(base_url=stack.url)
    honest = response.status_code == 503  # no span fits what was asked for
    case.validate_response(response, checks=PROMISES[honest:])
