import pytest

from shared import credentials
from shared.usecases.administration import Administration, Refused
from shared.usecases.connect_agent import identify
from tests.fakes import FakeAccounts


@pytest.fixture
def accounts() -> FakeAccounts:
    return FakeAccounts()


@pytest.fixture
def desk(accounts: FakeAccounts) -> Administration:
    return Administration(accounts)


def test_a_new_account_has_a_password_of_which_only_a_hash_is_kept(
    desk: Administration, accounts: FakeAccounts
) -> None:
    password = desk.create_account("acme", timezone="Europe/Berlin")
    stored = accounts.accounts["acme"]
    assert credentials.verify(password, stored.credential) and password not in stored.credential
    assert stored.timezone == "Europe/Berlin"


def test_an_agents_credential_opens_a_connection(desk: Administration, accounts: FakeAccounts) -> None:
    desk.create_account("acme", password="p")
    token = desk.add_agent("acme", "site-1", site="Berlin")
    found = identify(f"Bearer {token}", accounts)
    assert found is not None and (found.account, found.id, found.site) == ("acme", "site-1", "Berlin")


def test_nothing_is_overwritten(desk: Administration, accounts: FakeAccounts) -> None:
    desk.create_account("acme", password="first")
    desk.add_agent("acme", "site-1", site="Berlin")
    before = dict(accounts.accounts), dict(accounts.agents)
    with pytest.raises(Refused, match="exists already"):
        desk.create_account("acme", password="second")
    with pytest.raises(Refused, match="exists already"):
        desk.add_agent("acme", "site-1", site="elsewhere")
    assert (accounts.accounts, accounts.agents) == before


@pytest.mark.parametrize("name", ["", "Acme", "a.b", "a#b", "-a", "a-", "a b", "x" * 41, "ä"])
def test_a_name_that_would_not_fit_keys_and_tokens_is_refused(desk: Administration, name: str) -> None:
    with pytest.raises(Refused, match="cannot be a name"):
        desk.create_account(name)


def test_an_unknown_time_zone_or_account_is_refused(desk: Administration) -> None:
    with pytest.raises(Refused, match="no time zone"):
        desk.create_account("acme", timezone="Mars/Olympus")
    with pytest.raises(Refused, match="no account"):
        desk.add_agent("acme", "site-1", site="")
