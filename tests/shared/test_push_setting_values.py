"""What push settings may hold, one key at a time and all together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.egress_guard import target_of
from shared.push_event import PushEvent
from shared.push_request import build
from shared.push_settings import KEYS, ROTATION_S, BadSetting, PushSettings, changed, from_stored, shown, stored

NOW = 1_750_000_000.0
GOOD: list[tuple[str, object, object]] = [
    ("enable", "0", 0),
    ("enable", 0, 0),
    ("reports_enable", " 1 ", 1),
    ("inbox_enable", 0, 0),
    ("url_http", "HTTPS", "https"),
    ("url_http", " http ", "http"),
    ("url_host", "SMS.Example.com", "sms.example.com"),
    ("url_host", "[2600::1]", "2600::1"),
    ("url_host", "8.8.8.8", "8.8.8.8"),
    ("url_host", "", ""),
    ("url_port", 8080, "8080"),
    ("url_port", " 0443", "443"),
    ("url_port", "", ""),
    ("url_path", "", "/"),
    ("url_path", "a/b", "/a/b"),
    ("url_path", "/a b/é", "/a b/é"),
    ("url_path", "/%2F", "/%2F"),
    ("url_message", "text[]", "text[]"),
    ("url_imsi", "", ""),
    ("url_user_defined", "a=b&c", "a=b&c"),
    ("url_method", "post", "POST"),
]
BAD: list[tuple[str, object]] = [
    ("enable", 2),
    ("enable", "yes"),
    ("enable", ""),
    ("enable", None),
    ("enable", True),
    ("results_enable", -1),
    ("url_http", "ftp"),
    ("url_http", ""),
    ("url_http", None),
    ("url_http", ["http"]),
    ("url_host", "http://a.example"),
    ("url_host", "a.example:80"),
    ("url_host", "a.example/x"),
    ("url_host", "u@a.example"),
    ("url_host", "127.0.0.1"),
    ("url_host", "10.0.0.1"),
    ("url_host", "169.254.169.254"),
    ("url_host", "::1"),
    ("url_host", "[::ffff:8.8.8.8]"),
    ("url_host", "2130706433"),
    ("url_host", "0x7f.1"),
    ("url_host", "a b"),
    ("url_host", 5),
    ("url_port", 0),
    ("url_port", 65536),
    ("url_port", "-1"),
    ("url_port", "80a"),
    ("url_port", "٨٠"),
    ("url_port", 25),
    ("url_port", 9001),
    ("url_port", None),
    ("url_port", 1.5),
    ("url_path", "/a?b=c"),
    ("url_path", "/a#b"),
    ("url_path", "/a\r\nX: y"),
    ("url_path", "/100%"),
    ("url_path", "\\a"),
    ("url_path", "/" + "a" * 1024),
    ("url_message", "a\r\nb"),
    ("url_message", "n" * 65),
    ("url_message", {}),
    ("url_message", "type"),
    ("url_message", "id"),
    ("url_message", "cause"),
    ("url_status", "message"),
    ("url_user_defined", "a b"),
    ("url_user_defined", "a#b"),
    ("url_user_defined", "dir=C:\\x"),
    ("url_user_defined", "ä=1"),
    ("url_user_defined", "a\r\nb"),
    ("url_method", "PUT"),
    ("url_method", ""),
    ("signing_secret", "short"),
    ("signing_secret", "whsec_!!!!!!!!!!!!!!!!!!"),
    ("signing_secret", "whsec_AAAAAAAAAAAAAAAA"),
    ("signing_secret", "a secret of blanks and more"),
    ("signing_secret", "x" * 129),
    ("signing_secret", None),
]

_ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)


@pytest.mark.parametrize(("key", "value", "saved"), GOOD)
def test_a_good_value_is_saved_in_one_spelling(key: str, value: object, saved: object) -> None:
    assert getattr(changed(PushSettings(), {key: value}, NOW), key) == saved


@pytest.mark.parametrize(("key", "value"), BAD)
def test_a_bad_value_is_refused_by_the_name_of_its_key(key: str, value: object) -> None:
    with pytest.raises(BadSetting) as caught:
        changed(PushSettings(), {key: value}, NOW)
    assert caught.value.key == key


def test_pushing_cannot_be_switched_on_without_a_host() -> None:
    with pytest.raises(BadSetting) as caught:
        changed(PushSettings(), {"enable": 1}, NOW)
    assert caught.value.key == "url_host"


@pytest.mark.parametrize(("key", "name"), [("url_message", "status"), ("url_status", "message")])
def test_of_two_equal_names_the_one_that_was_changed_is_the_bad_one(key: str, name: str) -> None:
    with pytest.raises(BadSetting) as caught:
        changed(PushSettings(), {key: name}, NOW)
    assert caught.value.key == key


def test_unknown_keys_are_ignored_and_hidden_ones_cannot_be_set() -> None:
    ignored = {"foo": 1, "signing_secret_before": "x" * 20, "signing_secret_before_until": 9e9, "signing_secret_set": 1}
    assert changed(PushSettings(), ignored, NOW) == PushSettings()


def test_all_documented_keys_can_be_read_and_the_secret_cannot() -> None:
    documented = {
        "enable",
        "reports_enable",
        "results_enable",
        "url_http",
        "url_host",
        "url_port",
        "url_path",
        "url_from_num",
        "url_to_num",
        "url_portname",
        "url_message",
        "url_time",
        "url_imsi",
        "url_status",
        "url_user_defined",
    }
    settings = changed(PushSettings(), {"signing_secret": "a-secret-of-sixteen"}, NOW)
    values = shown(settings)
    assert documented <= set(KEYS) and set(values) == set(KEYS) | {"signing_secret_set"}
    assert values["signing_secret_set"] == 1 and "a-secret-of-sixteen" not in str(values)


def test_what_was_read_can_be_written_back_without_a_change() -> None:
    settings = changed(
        PushSettings(), {"url_host": "a.example", "enable": 1, "signing_secret": "a-secret-of-16-c"}, NOW
    )
    assert changed(settings, shown(settings), NOW + 1) == settings


def test_during_rotation_both_secrets_sign_and_then_only_the_new_one() -> None:
    old = changed(PushSettings(), {"signing_secret": "the-old-secret-it-is"}, NOW)
    both = changed(old, {"signing_secret": "the-new-secret-it-is"}, NOW)
    assert both.secrets(NOW) == ("the-new-secret-it-is", "the-old-secret-it-is")
    assert both.secrets(NOW + ROTATION_S + 1) == ("the-new-secret-it-is",)


def test_setting_the_same_secret_again_does_not_end_the_rotation() -> None:
    old = changed(PushSettings(), {"signing_secret": "the-old-secret-it-is"}, NOW)
    both = changed(old, {"signing_secret": "the-new-secret-it-is"}, NOW)
    assert changed(both, {"signing_secret": "the-new-secret-it-is"}, NOW + 5) == both


def test_an_empty_secret_ends_signing_at_once() -> None:
    old = changed(PushSettings(), {"signing_secret": "the-old-secret-it-is"}, NOW)
    assert changed(old, {"signing_secret": ""}, NOW).secrets(NOW) == ()


def test_settings_survive_storage_and_newer_versions() -> None:
    settings = changed(PushSettings(), {"url_host": "a.example", "url_port": 81, "enable": "1"}, NOW)
    assert from_stored(stored(settings)) == settings
    assert from_stored({**stored(settings), "of_a_newer_version": 1}) == settings
    assert from_stored({}) == PushSettings()


def test_loopback_can_be_saved_only_where_the_deployment_allows_it() -> None:
    assert changed(PushSettings(), {"url_host": "127.0.0.1"}, NOW, loopback=True).url_host == "127.0.0.1"
    with pytest.raises(BadSetting):
        changed(PushSettings(), {"url_host": "10.0.0.1"}, NOW, loopback=True)


@given(
    st.dictionaries(st.sampled_from(KEYS), _ASCII | st.text(max_size=30) | st.integers() | st.booleans() | st.none())
)
def test_whatever_can_be_saved_makes_a_request_that_can_be_sent(changes: dict[str, object]) -> None:
    try:
        settings = changed(PushSettings(url_host="a.example"), changes, NOW)
    except BadSetting as error:
        assert error.key in changes or error.key == "url_host"
        return
    event = PushEvent(
        type="SMS-Received",
        account="a",
        message_id="m",
        phone="+1",
        port=1,
        port_name="",
        imsi="",
        text="ü",
        at=NOW,
        status="",
    )
    if settings.url_host:
        request = build(settings, event, "UTC", NOW)
        assert target_of(request.url).host == settings.url_host
        assert all(text.isprintable() for text in request.headers.values())
