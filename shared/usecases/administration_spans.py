"""Spans from the operator's desk: name them, switch them off and on, cap them. Numbers never change."""

from dataclasses import replace

from shared.message import Port
from shared.usecases.administration import Desk, Refused, changed_meanwhile, check_label

_LONGEST_NAME = 40


def name_span(desk: Desk, account: str, number: int, name: str) -> None:
    """Stays until the site's own configuration says another one."""
    check_label(name, _LONGEST_NAME)
    before = _port(desk, account, number)
    _change(desk, before, replace(before, name=name), "spans name", f"{before.name} → {name}")


def switch_span(desk: Desk, account: str, number: int, *, on: bool) -> None:
    """What waits for it already is still sent."""
    before = _port(desk, account, number)
    if before.disabled != on:
        raise Refused(f"port {number} is {'enabled' if on else 'disabled'} already")
    _change(desk, before, replace(before, disabled=not on), f"spans {'enable' if on else 'disable'}", before.name)


def cap_span(desk: Desk, account: str, number: int, *, day: int | None, month: int | None) -> Port:
    """Parts; 0 is no limit, None leaves what there is. Returns the port as it is then."""
    before = _port(desk, account, number)
    after = replace(
        before,
        parts_per_day=before.parts_per_day if day is None else day,
        parts_per_month=before.parts_per_month if month is None else month,
    )
    if after == before:
        raise Refused("nothing would change; give --day or --month")
    _change(desk, before, after, "spans cap", f"{before.name}: {after.parts_per_day}/day {after.parts_per_month}/month")
    return after


def _port(desk: Desk, account: str, number: int) -> Port:
    desk.account(account)
    snapshot = desk.accounts.snapshot_of_ports(account, [number])
    if snapshot is None or number not in snapshot.ports:
        raise Refused(f"account {account} has no port {number}; spans list shows all")
    return snapshot.ports[number]


def _change(desk: Desk, before: Port, after: Port, did: str, what: str) -> None:
    if after == before:
        raise Refused(f"nothing would change: port {before.number} is like that already")
    if not desk.store.change_port(before, after, desk.entry(did, before.account, f"port {before.number}: {what}")):
        raise changed_meanwhile(f"port {before.number}")
