"""get_config and set_config of the push: all or nothing, with a look at where the host leads."""

import pytest

from shared.egress_guard import Refused
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


def test_the_secret_is_kept_and_never_shown() -> None:
    accounts = FakeAccounts()
    answer = save(accounts, signing_secret="a-secret-of-sixteen")
    assert answer.values["signing_secret_set"] == 1 and "a-secret-of-sixteen" not in repr(answer)
    assert accounts.push_settings("acme")["signing_secret"] == "a-secret-of-sixteen"
