"""Requests exactly as configured: golden files, and what no golden file shows."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.egress_guard import target_of
from shared.push_event import PushEvent
from shared.push_request import build, signature_headers, wanted
from shared.push_settings import PushSettings, changed

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "push").glob("*.json"))
NOW = 1_750_000_100.0
EVENT = PushEvent(
    type="SMS-Status-Result", account="acme", message_id="m1", phone="+491701234567", port=3, port_name="lte-1.3",
    imsi="262011234567890", text="Hello world", at=1_750_000_000.0, status="SENT",
)  # fmt: skip
SETTINGS = PushSettings(enable=1, url_host="sms.example.com")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_request_is_exactly_as_it_was_written_down(path: Path) -> None:
    golden = json.loads(path.read_text())
    settings = changed(PushSettings(**golden["before"]), golden["set_config"], NOW - 10)
    request = build(settings, PushEvent(**golden["event"]), golden["zone"], NOW)
    assert {
        "method": request.method,
        "url": request.url,
        "headers": request.headers,
        "body": request.body.decode(),
    } == golden["request"]
    assert list(request.headers) == list(golden["request"]["headers"])


def test_there_are_golden_requests() -> None:
    assert len(GOLDEN) >= 13


@given(text=st.text(), name=st.text(max_size=20), cause=st.text(max_size=20))
def test_a_receiver_reads_back_what_was_meant(text: str, name: str, cause: str) -> None:
    event = replace(EVENT, text=text, port_name=name, cause=cause)
    url = build(SETTINGS, event, "UTC", NOW).url
    read = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True))
    assert (read["message"], read["portname"], read["cause"]) == (text, name, cause)
    assert target_of(url).host == "sms.example.com"


def test_the_message_id_is_the_one_the_outbox_shows_and_the_webhook_id_tells_events_apart() -> None:
    result, report = (
        build(SETTINGS, replace(EVENT, type=kind), "UTC", NOW) for kind in ("SMS-Status-Result", "SMS-Status-Report")
    )
    assert "&id=m1&" in result.url and "&id=m1&" in report.url
    assert result.headers["webhook-id"] != report.headers["webhook-id"]


def test_another_attempt_keeps_the_id_and_takes_its_own_time() -> None:
    first, second = (build(SETTINGS, EVENT, "UTC", NOW + later).headers for later in (0, 99))
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 99


def signed(secret: bytes, headers: dict[str, str], payload: str) -> str:
    """The signature by another way than the product's."""
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{payload}"
    return "v1," + base64.b64encode(hmac.new(secret, text.encode(), hashlib.sha256).digest()).decode()


def test_a_get_is_signed_over_its_exact_request_target() -> None:
    settings = replace(SETTINGS, signing_secret="a-secret-of-sixteen", url_user_defined="k=v%20w")
    request = build(settings, EVENT, "UTC", NOW)
    target = target_of(request.url).request
    assert request.headers["webhook-signature"] == signed(b"a-secret-of-sixteen", dict(request.headers), target)


def test_a_post_is_signed_over_its_exact_body() -> None:
    settings = replace(SETTINGS, signing_secret="a-secret-of-sixteen", url_method="POST")
    request = build(settings, EVENT, "UTC", NOW)
    assert request.headers["webhook-signature"] == signed(
        b"a-secret-of-sixteen", dict(request.headers), request.body.decode()
    )


def test_the_signature_is_that_of_the_specifications_own_example() -> None:
    # Published test vector of Standard Webhooks' libraries.
    headers = signature_headers(
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("switch", "kind"),
    [
        ("results_enable", "SMS-Status-Result"),
        ("reports_enable", "SMS-Status-Report"),
        ("inbox_enable", "SMS-Received"),
    ],
)
def test_each_switch_turns_off_just_its_own_kind(switch: str, kind: str) -> None:
    off = replace(SETTINGS, **{switch: 0})
    for other in ("SMS-Status-Result", "SMS-Status-Report", "SMS-Received"):
        assert wanted(SETTINGS, replace(EVENT, type=other))
        assert wanted(off, replace(EVENT, type=other)) == (other != kind)


def test_enable_0_switches_off_everything() -> None:
    for kind in ("SMS-Status-Result", "SMS-Status-Report", "SMS-Received"):
        assert not wanted(replace(SETTINGS, enable=0), replace(EVENT, type=kind))
