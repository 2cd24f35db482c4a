import math
from dataclasses import replace

import pytest

from shared import credentials
from shared.message import Limits
from shared.usecases import administration as desk
from shared.usecases.administration import Refused
from shared.usecases.administration_agents import add_agent, revoke_agent, rotate_agent
from shared.usecases.authenticate import SLOWEST_PACE, Door
from tests.admin.conftest import Office
from tests.fakes import FakeTallies


def stored(office: Office, name: str = "acme"):  # type: ignore[no-untyped-def]
    office.later()
    found = office.accounts.account(name)
    assert found
    return found


def test_a_new_account_has_a_password_of_which_only_a_hash_is_kept(office: Office) -> None:
    password = desk.create_account(office.desk, "acme", timezone="Europe/Berlin", limits=Limits(parts_per_day=5))
    found = stored(office)
    assert credentials.verify(password, found.credential) and password not in found.credential
    assert (found.timezone, found.limits.parts_per_day) == ("Europe/Berlin", 5)


def test_nothing_is_overwritten(office: Office) -> None:
    desk.create_account(office.desk, "acme", password="first", limits=Limits())
    before = stored(office)
    with pytest.raises(Refused, match="exists already"):
        desk.create_account(office.desk, "acme", password="second", limits=Limits())
    assert stored(office) == before
    assert len(office.audit()) == 1  # what was not done is not in the log


@pytest.mark.parametrize("name", ["", "Acme", "a.b", "a#b", "-a", "a-", "a b", "x" * 41, "ä"])
def test_a_name_that_would_not_fit_keys_and_tokens_is_refused(office: Office, name: str) -> None:
    with pytest.raises(Refused, match="cannot be a name"):
        desk.create_account(office.desk, name, limits=Limits())


def test_every_change_is_one_write_with_who_when_and_what(office: Office) -> None:
    desk.create_account(office.desk, "acme", password="p", limits=Limits())
    for change in (
        lambda: desk.rotate_password(office.desk, "acme", password="q"),
        lambda: desk.suspend(office.desk, "acme", suspended=True),
        lambda: desk.suspend(office.desk, "acme", suspended=False),
        lambda: desk.set_timezone(office.desk, "acme", "Asia/Tokyo"),
        lambda: desk.set_limits(office.desk, "acme", Limits(parts_per_month=9)),
    ):
        office.later()
        change()
    did = ["create", "rotate-password", "suspend", "resume", "timezone", "limits"]
    assert [entry[0] for entry in office.audit("acme")] == [f"accounts {each}" for each in did]
    assert {entry.who for entry in office.entries()} == {"ann"}
    assert [entry.at for entry in office.entries()] == sorted((e.at for e in office.entries()), reverse=True)
    found = stored(office)
    assert credentials.verify("q", found.credential)
    assert (found.suspended, found.timezone, found.limits) == (False, "Asia/Tokyo", Limits(parts_per_month=9))


def test_of_two_operators_at_once_one_is_told_to_look_again(office: Office) -> None:
    desk.create_account(office.desk, "acme", password="p", limits=Limits())
    seen = stored(office)
    assert office.store.change_account(seen, replace(seen, timezone="Asia/Tokyo"), office.desk.entry("first"))
    assert not office.store.change_account(seen, replace(seen, timezone="Europe/Berlin"), office.desk.entry("second"))
    assert office.store.change_account(
        seen, replace(seen, suspended=True), office.desk.entry("third")
    )  # of no conflict
    assert (stored(office).timezone, stored(office).suspended) == ("Asia/Tokyo", True)
    assert {entry[0] for entry in office.audit()} == {"accounts create", "first", "third"}


def test_what_cannot_be_is_refused_with_the_next_step(office: Office) -> None:
    desk.create_account(office.desk, "acme", password="p", limits=Limits())
    for wrong, says in (
        (lambda: desk.set_timezone(office.desk, "acme", "Mars/Olympus"), "IANA"),
        (lambda: desk.set_timezone(office.desk, "acme", "Europe"), "IANA"),
        (lambda: desk.set_timezone(office.desk, "acme", "../zone"), "IANA"),
        (lambda: desk.set_timezone(office.desk, "acme", "UTC"), "nothing would change"),
        (lambda: desk.set_limits(office.desk, "acme", Limits()), "nothing would change"),
        (lambda: desk.suspend(office.desk, "acme", suspended=False), "not suspended"),
        (lambda: desk.rotate_password(office.desk, "nobody"), "accounts list"),
        (lambda: desk.delete_account(office.desk, "acme", kept_s=0), "accounts suspend"),
    ):
        with pytest.raises(Refused, match=says):
            wrong()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("requests_per_second", 0.4),
        ("requests_per_second", -1.0),
        ("requests_per_second", math.nan),
        ("requests_per_second", math.inf),
        ("parts_per_day", -1),
        ("parts_per_month", -1),
    ],
)
def test_a_limit_that_would_let_nothing_in_is_refused_by_name(office: Office, field: str, value: float) -> None:
    limits = replace(Limits(), **{field: value})
    with pytest.raises(Refused, match=f"{field} cannot be .*; give 0 for no limit, or"):
        desk.create_account(office.desk, "acme", limits=limits)
    desk.create_account(office.desk, "acme", password="p", limits=Limits())
    with pytest.raises(Refused, match=f"{field} cannot be"):
        desk.set_limits(office.desk, "acme", limits)
    assert stored(office).limits == Limits()


def test_the_slowest_pace_that_may_be_set_lets_calls_in(office: Office) -> None:
    limits = Limits(requests_per_second=SLOWEST_PACE)
    desk.create_account(office.desk, "acme", password="p", limits=limits)
    door = Door(office.accounts, FakeTallies(), office.clock)
    for _ in range(3):
        assert door.admit("acme", "p", "198.51.100.7").limits == limits
        office.later(1 / SLOWEST_PACE)


def test_a_deleted_account_leaves_nothing_but_its_name(office: Office) -> None:
    office.with_site()
    office.accounts.save_push_settings("acme", {"enable": 1})
    desk.suspend(office.desk, "acme", suspended=True)
    office.later()
    with pytest.raises(Refused, match="agents revoke"):
        desk.delete_account(office.desk, "acme", kept_s=90 * 86_400)
    revoke_agent(office.desk, "acme", "site-1")
    office.later()
    desk.delete_account(office.desk, "acme", kept_s=90 * 86_400)
    rows = office.client.scan(TableName="Config")["Items"]
    assert [row["sk"]["S"] for row in rows if row["account"]["S"].startswith("acme")] == ["ACCOUNT"]
    found = stored(office)
    assert found.deleted_at and found.suspended and not credentials.verify("p", found.credential)
    (stone,) = [row for row in rows if row["account"]["S"] == "acme"]
    assert int(stone["ttl"]["N"]) == int(found.deleted_at + 90 * 86_400)
    with pytest.raises(Refused, match="messages are still kept"):
        desk.create_account(office.desk, "acme", limits=Limits())
    desk.delete_account(office.desk, "acme", kept_s=1)  # again, as after one that broke off


def suspended(office: Office):  # type: ignore[no-untyped-def]
    """An account whose only site is revoked, as somebody who is about to delete it reads it."""
    office.with_site()
    revoke_agent(office.desk, "acme", "site-1")
    desk.suspend(office.desk, "acme", suspended=True)
    return stored(office)


@pytest.mark.parametrize("meanwhile", ["resumed", "a new password", "a new site", "a new code for a site"])
def test_an_account_that_changed_since_it_was_looked_at_is_not_deleted(office: Office, meanwhile: str) -> None:
    seen = suspended(office)
    {
        "resumed": lambda: desk.suspend(office.desk, "acme", suspended=False),
        "a new password": lambda: desk.rotate_password(office.desk, "acme"),
        "a new site": lambda: add_agent(office.desk, "acme", "site-2", site="Attic"),
        "a new code for a site": lambda: rotate_agent(office.desk, "acme", "site-1"),
    }[meanwhile]()
    before = office.audit()
    assert not office.store.delete_account(seen, office.desk.entry("accounts delete", "acme"), until=9e9)
    assert not stored(office).deleted_at and office.audit() == before


def test_a_site_that_was_shut_out_and_invited_anew_keeps_its_account_from_being_deleted(office: Office) -> None:
    suspended(office)
    rotate_agent(office.desk, "acme", "site-1")
    office.later()
    with pytest.raises(Refused, match="agents revoke"):
        desk.delete_account(office.desk, "acme", kept_s=1)
    office.later(24 * 3600)  # its code is too old by then
    desk.delete_account(office.desk, "acme", kept_s=1)
    assert stored(office).deleted_at
