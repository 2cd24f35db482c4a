"""Endings that the cloud itself decides: expired by the sweeper, uncertain because a journal was lost.

Rule: no agent will ever repeat these, so a message leaves its queue only after its push is in the push queue: who
crashes between the two finds it there again.
"""

from collections.abc import Sequence

from shared.lifecycle import State, has_ended
from shared.message import Change, Message
from shared.ports import OutboxStore, PushQueue
from shared.push_event import PushEvent

# What else it may have become meanwhile was an agent's word, which was told of when it came.
_DECIDED_HERE = frozenset({State.EXPIRED, State.UNCERTAIN, State.CANCELLED})


def end_messages(
    ids: Sequence[tuple[str, str]], change: Change, *, outbox: OutboxStore, pushes: PushQueue
) -> Sequence[Message]:
    """Ends what has not ended yet and tells of it; `ids` are (account, message id). Returns what it now settled."""
    found = [outbox.record(account, i, change, settle=False)[1] for account, i in ids]
    ended = [message for message in found if message is not None and has_ended(message.state)]
    pushes.put([result_push(message) for message in ended if message.state in _DECIDED_HERE])
    for message in ended:
        outbox.settle(message.account, message.id)
    return ended


def result_push(message: Message) -> PushEvent:
    """What is told of an attempt that ended as the message stands."""
    return PushEvent(
        type="SMS-Status-Result",
        account=message.account,
        message_id=message.id,
        phone=message.to,
        port=message.port,
        port_name=message.port_name,
        imsi=message.imsi,
        text=message.text,
        at=message.accepted_at if message.ended_at is None else message.ended_at,
        status=message.status,
        cause=message.error,
    )
