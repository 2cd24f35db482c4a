"""What an operator does from his desk, and what all of it needs. Accounts are here; the rest lies beside it.

Rule: nothing is overwritten, nothing is done that is not in the audit log, and whatever is refused says what to do.
"""

import math
import secrets
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared import credentials
from shared.agent_token import NAME
from shared.audit import AuditedStore, Entry
from shared.message import Account, Limits
from shared.ports import AccountStore, AgentLink, Clock, OutboxStore, PushQueue, TallyStore
from shared.usecases.authenticate import SLOWEST_PACE

_PASSWORD_BYTES = 18  # 24 characters, 144 bits


class Refused(ValueError):
    """What was asked for cannot be done; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """`who` is the operator as the audit log will name him."""

    accounts: AccountStore
    store: AuditedStore
    outbox: OutboxStore
    link: AgentLink
    pushes: PushQueue
    tallies: TallyStore
    clock: Clock
    who: str

    def entry(self, did: str, account: str = "", what: str = "") -> Entry:
        return Entry(at=self.clock.now(), who=self.who, did=did, account=account, what=what)

    def account(self, name: str) -> Account:
        found = self.accounts.account(name)
        if found is None or found.deleted_at:
            raise Refused(f"there is no account {name}; accounts list shows all")
        return found


def create_account(desk: Desk, name: str, *, timezone: str = "UTC", password: str = "", limits: Limits) -> str:
    """The password, of which only a hash is kept; a strong one is made when none is given."""
    check_name(name)
    check_timezone(timezone)
    check_limits(limits)
    secret = password or secrets.token_urlsafe(_PASSWORD_BYTES)
    account = Account(name=name, credential=credentials.encode(secret), timezone=timezone, limits=limits)
    if not desk.store.add_account(account, desk.entry("accounts create", name)):
        raise Refused(f"account {name} exists already, or was deleted and its messages are still kept; take another")
    return secret


def rotate_password(desk: Desk, name: str, *, password: str = "") -> str:
    """The new password; the old one opens nothing within seconds."""
    secret = password or secrets.token_urlsafe(_PASSWORD_BYTES)
    before = desk.account(name)
    _change(desk, before, replace(before, credential=credentials.encode(secret)), "accounts rotate-password", "")
    return secret


def suspend(desk: Desk, name: str, *, suspended: bool) -> None:
    before = desk.account(name)
    if before.suspended == suspended:
        raise Refused(f"account {name} is {'suspended already' if suspended else 'not suspended'}")
    _change(desk, before, replace(before, suspended=suspended), f"accounts {'suspend' if suspended else 'resume'}", "")


def set_timezone(desk: Desk, name: str, timezone: str) -> None:
    check_timezone(timezone)
    before = desk.account(name)
    _change(desk, before, replace(before, timezone=timezone), "accounts timezone", f"{before.timezone} → {timezone}")


def set_limits(desk: Desk, name: str, limits: Limits) -> None:
    check_limits(limits)
    before = desk.account(name)
    _change(desk, before, replace(before, limits=limits), "accounts limits", f"{before.limits} → {limits}")


def delete_account(desk: Desk, name: str, *, kept_s: float) -> None:
    """Its sites must be revoked, so that none works on; messages stay for as long as they are kept anyway."""
    before = desk.accounts.account(name)
    if before is None:
        raise Refused(f"there is no account {name}")
    if not before.suspended:
        raise Refused(f"account {name} is in use; first: accounts suspend {name}")
    # Read after the account: whose code is given later than that makes the delete fail.
    now = desk.clock.now()
    working = [a.id for a in desk.store.agents_of(name) if not a.revoked or a.enrolment.is_open(now)]
    if working:
        raise Refused(f"account {name} has sites: {', '.join(sorted(working))}; first: agents revoke, each")
    if not desk.store.delete_account(before, desk.entry("accounts delete", name), until=now + kept_s):
        raise changed_meanwhile(f"account {name}")


def _change(desk: Desk, before: Account, after: Account, did: str, what: str) -> None:
    if after == before:
        raise Refused(f"nothing would change: account {before.name} is like that already")
    if not desk.store.change_account(before, after, desk.entry(did, before.name, what)):
        raise changed_meanwhile(f"account {before.name}")


def changed_meanwhile(what: str) -> Refused:
    return Refused(f"{what} was changed by somebody else just now; look at it and try again")


def check_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, like Europe
        raise Refused(f"{name!r} is no time zone; give an IANA name like Europe/Berlin") from None


def check_limits(limits: Limits) -> None:
    pace = limits.requests_per_second
    if pace and not SLOWEST_PACE <= pace < math.inf:
        least = f"0 for no limit, or {SLOWEST_PACE:g} at least"
        raise Refused(f"requests_per_second cannot be {pace:g}; give {least}, for with less no call would come in")
    for name in ("parts_per_day", "parts_per_month"):
        if getattr(limits, name) < 0:
            raise Refused(f"{name} cannot be {getattr(limits, name)}; give 0 for no limit, or more")


def check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise Refused(f"{name!r} cannot be a name; use 1 to 40 of a-z, 0-9, - and _, a letter or digit at both ends")


def check_label(text: str, longest: int) -> None:
    """For what stands in lists: a line break or an escape code in it would break them."""
    if not text.strip() or len(text) > longest or not text.isprintable():
        raise Refused(f"{text[:longest]!r} cannot stand in a list; use 1 to {longest} printable characters")
