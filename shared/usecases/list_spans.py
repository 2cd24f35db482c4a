"""POST /sms/get_valid_spans: every span of the account, over all its sites, and why one is not available."""

from shared import routing, timestamps
from shared.api import SpanRow
from shared.envelope import Outcome
from shared.message import Account
from shared.ports import AccountStore, OutboxStore
from shared.routing import Seat, Standing
from shared.usecases.capping import Capping

MOST_WAITING = 10_000  # counted at most; an account with so much waiting has other worries than the exact number


def list_spans(account: Account, accounts: AccountStore, outbox: OutboxStore, capping: Capping) -> Outcome:
    snapshot = accounts.snapshot(account.name)
    seats: list[Seat] = []
    if snapshot is not None:
        seats = routing.seats(snapshot, capping.rooms(list(snapshot.ports.values()), account.timezone))
    waiting = outbox.count_waiting(account.name, MOST_WAITING)
    rows = [_row(seat, waiting.get(seat.port.number, 0), account.timezone) for seat in seats]
    return Outcome(rows=rows, msg=f"{sum(row.status for row in rows)} of {len(rows)} spans are available.")


def _row(seat: Seat, waiting: int, zone: str) -> SpanRow:
    info, agent = seat.info, seat.site.agent if seat.site else None
    return SpanRow(
        port=seat.port.number,
        port_name=seat.port.name,
        status=1 if seat.standing is Standing.AVAILABLE else 0,
        site=agent.site if agent else "",
        reason=_reason(seat, zone),
        operator=info.operator if info else "",
        signal_dbm=info.signal_dbm if info else None,
        imsi=info.imsi if info else "",
        queue=waiting,
        last_seen=timestamps.render(agent.last_seen or None, zone) if agent else "",
    )


def _reason(seat: Seat, zone: str) -> str:
    """Why it is not available, in words; empty when it is."""
    if seat.standing is Standing.AVAILABLE:
        return ""
    if seat.port.disabled:
        return "disabled by the operator"
    if seat.site is None or seat.site.agent.revoked:
        return "agent removed"
    if not seat.site.agent.connection:
        since = timestamps.render(seat.site.agent.last_seen or None, zone)
        return f"agent offline since {since}" if since else "agent never seen"
    if seat.standing is Standing.FULL and seat.room is not None:
        return seat.room.why
    return (seat.info.reason if seat.info else "no longer found by its agent") or "not ready"
