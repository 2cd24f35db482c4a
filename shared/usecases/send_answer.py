"""What /sms/send answers: one row a destination, and the sentence and code that go with them."""

from collections.abc import Sequence

from shared.api import SendRow
from shared.envelope import Outcome
from shared.errors import NOT_SENT, STILL_SENDING
from shared.lifecycle import State, Status
from shared.message import Message, Port

_TAKEN = frozenset({State.SENT, State.DELIVERED, State.UNDELIVERED})


def first_row(number: str, to: str, port: Port, parts: int) -> SendRow:
    """Accepted, and no more is known."""
    return SendRow(
        id=number, phonenumber=to, port=port.number, port_name=port.name, status=Status.SENDING.value, parts=parts
    )


def dry_row(to: str, port: Port, parts: int) -> SendRow:
    return SendRow(phonenumber=to, port=port.number, port_name=port.name, parts=parts)


def accepted(rows: Sequence[SendRow]) -> Outcome:
    return Outcome(rows=rows, msg=f"{len(rows)} accepted.")


def checked(rows: Sequence[SendRow]) -> Outcome:
    return Outcome(rows=rows, msg="Checked; nothing was sent.")


def told(messages: Sequence[Message]) -> Outcome:
    """[C] Of mode 1. While one is open that is told first: it is the one thing that a caller must not repeat."""
    rows = [_row(message) for message in messages]
    failed = sum(row.status == Status.FAILED for row in rows)
    if any(row.status == Status.SENDING for row in rows):
        return Outcome(rows=rows, kind=STILL_SENDING, msg=STILL_SENDING.says)
    if failed:
        return Outcome(rows=rows, kind=NOT_SENT, msg=NOT_SENT.says.format(failed=failed, total=len(rows)))
    return Outcome(rows=rows, msg=f"{len(rows)} sent.")


def _row(message: Message) -> SendRow:
    """[C] What the modem did. What the network says later is for the outbox to tell, so the answer stays the same."""
    taken = message.state in _TAKEN
    return SendRow(
        id=message.id,
        phonenumber=message.to,
        port=message.port,
        port_name=message.port_name,
        status=Status.SENT.value if taken else message.status.value,
        parts=message.parts,
        error=None if taken else message.error or None,
    )
