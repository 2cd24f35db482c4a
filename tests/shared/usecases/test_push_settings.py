"""get_config and set_config of the push: all or nothing, with a look at where the host leads."""

from collections.abc import Mapping

import pytest

from shared.egress_guard import Refused
from shared.ports import Unavailable
from shared.push_settings import BadSetting
from shared.usecases.push_settings import PushConfig, get_config, set_config
from tests.fakes import FakeAccounts, FakeClock, FakeEgress


class Hosts(FakeEgress):
    """Says of each host what a resolver would."""

    def check_host(self, host: str) -> str:
        if host == "home.example":
            raise Refused("127.0.0.1 is not a public address (loopback)")
        return "" if host == "a.example" else f"the name {host} does not resolve"


def save(accounts: FakeAccounts, **changes: object) -> PushConfig:
    return set_config("acme", changes, accounts=accounts, egress=Hosts(), clock=FakeClock())


def test_an_account_that_never_set_anything_sees_the_defaults() -> None:
    values = get_config("acme", accounts=FakeAccounts()).values
    assert values["enable"] == 0 and values["url_to_num"] == "port" and values["url_method"] == "GET"


def test_keys_left_out_keep_their_value() -> None:
    accounts = FakeAccounts()
    save(accounts, url_host="a.example", enable="1")
    answer = save(accounts, url_port="8080")
    assert (answer.values["url_host"], answer.values["url_port"], answer.values["enable"]) == ("a.example", "8080", 1)
    assert get_config("acme", accounts=accounts).values == answer.values


def test_one_bad_value_saves_none() -> None:
    accounts = FakeAccounts()
    save(accounts, url_host="a.example")
    before = accounts.push_settings("acme")
    with pytest.raises(BadSetting) as caught:
        save(accounts, url_path="/new", url_port="70000", enable=1)
    assert caught.value.key == "url_port" and accounts.push_settings("acme") == before


def test_a_name_that_does_not_resolve_yet_is_saved_with_a_warning() -> None:
    answer = save(FakeAccounts(), url_host="soon.example")
    assert answer.warning == "the name soon.example does not resolve" and answer.values["url_host"] == "soon.example"


def test_a_name_that_leads_to_a_private_address_is_refused() -> None:
    accounts = FakeAccounts()
    with pytest.raises(BadSetting) as caught:
        save(accounts, url_host="home.example")
    assert caught.value.key == "url_host" and "loopback" in caught.value.why
    assert accounts.push_settings("acme") == {}


@pytest.mark.parametrize("changes", [{"enable": 0}, {"reports_enable": 0}, {"signing_secret": ""}, {}])
def test_a_name_that_became_private_keeps_nothing_else_from_being_changed(changes: dict[str, object]) -> None:
    accounts = FakeAccounts()
    save(accounts, url_host="a.example", enable=1)
    accounts.settings["acme"] |= {"url_host": "home.example"}  # as if its address had changed
    answer = save(accounts, **changes)
    assert answer.values.items() >= {k: v for k, v in changes.items() if k != "signing_secret"}.items()
    assert ("loopback" in answer.warning) == (changes.get("enable") != 0)


def test_pushing_cannot_be_switched_on_to_a_name_that_became_private() -> None:
    accounts = FakeAccounts()
    save(accounts, url_host="a.example")
    accounts.settings["acme"] |= {"url_host": "home.example"}
    with pytest.raises(BadSetting):
        save(accounts, enable=1)
    assert accounts.push_settings("acme")["enable"] == 0


def test_what_another_caller_saves_at_the_same_time_is_kept() -> None:
    class Overtaken(FakeAccounts):
        def push_settings(self, account: str) -> Mapping[str, str | int]:
            held = super().push_settings(account)
            if not self.settings.get(account, {}).get("url_port"):
                self.settings[account] = {**held, "url_port": "8443"}
            return held

    accounts = Overtaken()
    answer = save(accounts, url_path="/new")
    assert (answer.values["url_path"], answer.values["url_port"]) == ("/new", "8443")


def test_settings_that_others_change_without_end_are_told_to_be_tried_later() -> None:
    accounts = FakeAccounts()
    accounts.save_push_settings = lambda *_, **__: False  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        save(accounts, url_path="/new")


def test_the_secret_is_kept_and_never_shown() -> None:
    accounts = FakeAccounts()
    answer = save(accounts, signing_secret="a-secret-of-sixteen")
    assert answer.values["signing_secret_set"] == 1 and "a-secret-of-sixteen" not in repr(answer)
    assert accounts.push_settings("acme")["signing_secret"] == "a-secret-of-sixteen"
