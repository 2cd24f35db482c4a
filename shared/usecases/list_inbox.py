"""POST /smsinbox/get: received messages, newest first; mirrors the outbox."""

from shared import timestamps
from shared.api import InboxRow, ListRequest
from shared.envelope import Outcome
from shared.message import Account, Received
from shared.ports import InboxStore
from shared.usecases import listing


def list_inbox(request: ListRequest, account: Account, inbox: InboxStore) -> Outcome:
    """Raises ApiError; TooBroad when the filter would read too much."""
    found = inbox.page(
        account.name,
        listing.where(request, account.timezone),
        skip=listing.skip(request),
        limit=request.page_size,
        with_total=bool(request.with_total),
    )
    rows = [_row(received, account.timezone) for received in found.rows]
    return Outcome(rows=rows, msg=f"{len(rows)} on page {request.current_page}.", total=found.total)


def _row(received: Received, zone: str) -> InboxRow:
    return InboxRow(
        port_name=received.port_name,
        phonenumber=received.sender,
        time=timestamps.render(received.at, zone),
        message=received.text,
        id=received.id,
        port=received.port,
    )
