"""`admin accounts`: customers of the API."""

import argparse
import sys
from dataclasses import replace

from admin.commands import Topic
from admin.moments import told
from admin.shown import Facts, Shown
from admin.stack import Stack
from shared.message import Account, Limits
from shared.usecases import administration as desk
from shared.usecases.administration import Refused


def add(topics: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    accounts = Topic(topics, "accounts", "customers of the API")
    create = accounts.action("create", _create, "a new account; prints its password once", "account")
    create.add_argument("--timezone", default="UTC", help="IANA name, of all its times (default: %(default)s)")
    _password(create)
    _limits(create)
    accounts.action("list", _list, "all accounts")
    accounts.action("show", _show, "one account", "account")
    _password(accounts.action("rotate-password", _rotate, "a new password; the old one ends in seconds", "account"))
    accounts.action("suspend", _suspend, "its calls are refused; nothing is lost", "account")
    accounts.action("resume", _resume, "ends a suspension", "account")
    accounts.action("timezone", _timezone, "changes the time zone of its times", "account", "timezone:IANA name")
    _limits(accounts.action("limits", _set_limits, "changes what it may do; 0 is no limit", "account"))
    delete = accounts.action("delete", _delete, "forgets a suspended account whose sites are revoked", "account")
    delete.add_argument("--confirm", default="", metavar="ACCOUNT", help="its name once more; else it is asked for")


def _password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--password-stdin", action="store_true", help="read the password instead of making one")


def _limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--requests-per-second", type=float, metavar="N")
    parser.add_argument("--parts-per-day", type=int, metavar="N")
    parser.add_argument("--parts-per-month", type=int, metavar="N")


def _told_limits(asked: argparse.Namespace, before: Limits) -> Limits:
    names = ("requests_per_second", "parts_per_day", "parts_per_month")
    changes = {name: value for name in names if (value := getattr(asked, name)) is not None}
    return replace(before, **changes)


def _create(asked: argparse.Namespace, stack: Stack) -> Shown:
    told_password = _read_password(asked)
    limits = _told_limits(asked, Limits())
    secret = desk.create_account(
        stack.desk, asked.account, timezone=asked.timezone, password=told_password, limits=limits
    )
    return _with_password(asked, "" if told_password else secret)


def _rotate(asked: argparse.Namespace, stack: Stack) -> Shown:
    told_password = _read_password(asked)
    secret = desk.rotate_password(stack.desk, asked.account, password=told_password)
    return _with_password(asked, "" if told_password else secret)


def _read_password(asked: argparse.Namespace) -> str:
    if not asked.password_stdin:
        return ""
    password = sys.stdin.readline().rstrip("\n")
    if not password:
        raise Refused("standard input holds no password")
    return password


def _with_password(asked: argparse.Namespace, secret: str) -> Shown:
    facts: Facts = {"account": asked.account} | ({"password": secret} if secret else {})
    return Shown(facts, next_step="The password is not shown again." if secret else "")


def _list(asked: argparse.Namespace, stack: Stack) -> Shown:
    accounts, agents = stack.desk.store.census()
    sites = [agent.account for agent in agents]
    return Shown(rows=[{**_facts(account), "sites": sites.count(account.name)} for account in accounts])


def _show(asked: argparse.Namespace, stack: Stack) -> Shown:
    return Shown(_facts(stack.desk.account(asked.account)))


def _facts(account: Account) -> dict[str, str | int | float | None]:
    state = (
        f"deleted {told(account.deleted_at)}" if account.deleted_at else "suspended" if account.suspended else "in use"
    )
    limits = account.limits
    return {
        "account": account.name,
        "state": state,
        "timezone": account.timezone,
        "requests_per_second": limits.requests_per_second,
        "parts_per_day": limits.parts_per_day,
        "parts_per_month": limits.parts_per_month,
    }


def _suspend(asked: argparse.Namespace, stack: Stack) -> Shown:
    desk.suspend(stack.desk, asked.account, suspended=True)
    return Shown({"account": asked.account, "state": "suspended"})


def _resume(asked: argparse.Namespace, stack: Stack) -> Shown:
    desk.suspend(stack.desk, asked.account, suspended=False)
    return Shown({"account": asked.account, "state": "in use"})


def _timezone(asked: argparse.Namespace, stack: Stack) -> Shown:
    desk.set_timezone(stack.desk, asked.account, asked.timezone)
    return Shown({"account": asked.account, "timezone": asked.timezone})


def _set_limits(asked: argparse.Namespace, stack: Stack) -> Shown:
    before = stack.desk.account(asked.account)
    limits = _told_limits(asked, before.limits)
    if limits == before.limits:
        raise Refused("nothing would change; give at least one limit")
    desk.set_limits(stack.desk, asked.account, limits)
    return Shown(_facts(replace(before, limits=limits)))


def _delete(asked: argparse.Namespace, stack: Stack) -> Shown:
    confirmed = asked.confirm
    if not confirmed and sys.stdin.isatty():
        confirmed = input(f"Type the account's name to delete it for good: {asked.account}? ")
    if confirmed != asked.account:
        raise Refused(f"not deleted; confirm with --confirm {asked.account}")
    desk.delete_account(stack.desk, asked.account, kept_s=stack.retention_s)
    return Shown({"account": asked.account, "state": "deleted"}, next_step="Its messages go when their retention ends.")
