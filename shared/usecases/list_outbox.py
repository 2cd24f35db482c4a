"""POST /smsoutbox/get: messages whose attempt has ended, newest first [C]."""

from shared import timestamps
from shared.api import OutboxRequest, OutboxRow
from shared.envelope import Outcome
from shared.message import Account, Message
from shared.ports import OutboxStore
from shared.usecases import listing


def list_outbox(request: OutboxRequest, account: Account, outbox: OutboxStore) -> Outcome:
    """Raises ApiError; TooBroad when the filter would read too much."""
    found = outbox.history(
        account.name,
        listing.where(request, account.timezone),
        skip=listing.skip(request),
        limit=request.page_size,
        include_pending=bool(request.include_pending),
        with_total=bool(request.with_total),
    )
    rows = [_row(message, account.timezone) for message in found.rows]
    return Outcome(rows=rows, msg=f"{len(rows)} on page {request.current_page}.", total=found.total)


def _row(message: Message, zone: str) -> OutboxRow:
    return OutboxRow(
        port_name=message.port_name,
        phonenumber=message.to,
        time=timestamps.render(message.ended_at, zone),
        message=message.text,
        status=message.status.value,
        id=message.id,
        port=message.port,
        parts=message.parts,
        delivered_time=timestamps.render(message.delivered_at, zone),
        error=message.error or None,
    )
