"""POST /smsoutbox/get_config and /smsoutbox/set_config as callers see them."""

import pytest

from shared.errors import BAD_FIELD
from shared.push_settings import KEYS
from tests.api_rig import Rig

GET, SET = "/smsoutbox/get_config", "/smsoutbox/set_config"


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_all_keys_are_told_in_one_object(rig: Rig) -> None:
    (settings,) = rig.call(GET).data
    assert tuple(settings) == (*KEYS, "signing_secret_set")


def test_keys_left_out_keep_their_value_and_the_saved_settings_are_answered(rig: Rig) -> None:
    rig.call(SET, url_host="example.com", url_imsi="")
    answer = rig.call(SET, enable="1", url_path="sms")
    assert answer.code == 0
    assert answer.data == rig.call(GET).data
    (settings,) = answer.data
    assert (settings["url_host"], settings["enable"], settings["url_path"], settings["url_imsi"]) == (
        "example.com",
        1,
        "/sms",
        "",
    )


def test_a_form_sets_settings_too(rig: Rig) -> None:
    answer = rig.form(SET, enable="0", url_host="example.com", url_port="8080", url_user_defined="a=1&b=2")
    assert (answer.data[0]["url_port"], answer.data[0]["url_user_defined"]) == ("8080", "a=1&b=2")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("enable", 2),
        ("enable", ""),
        ("url_http", "ftp"),
        ("url_host", "user@host"),
        ("url_port", "99999"),
        ("url_time", [1]),
    ],
)
def test_one_bad_value_saves_none_and_is_named(rig: Rig, key: str, value: object) -> None:
    before = rig.call(GET).data
    answer = rig.call(SET, **{"url_message": "text", key: value})
    assert (answer.http, answer.code) == (400, BAD_FIELD.code)
    assert key in answer.msg
    assert rig.call(GET).data == before


def test_the_secret_is_never_read_back(rig: Rig) -> None:
    answer = rig.call(SET, signing_secret="a-very-long-secret-word")
    assert answer.data[0]["signing_secret_set"] == 1
    assert "a-very-long" not in answer.text + rig.call(GET).text


def test_a_warning_is_in_the_sentence_and_the_settings_are_saved(rig: Rig) -> None:
    rig.egress.check_host = lambda _: "example.invalid does not resolve"  # type: ignore[method-assign]
    answer = rig.call(SET, url_host="example.invalid")
    assert answer.code == 0
    assert "does not resolve" in answer.msg
    assert rig.call(GET).data[0]["url_host"] == "example.invalid"
