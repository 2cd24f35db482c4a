"""An agent came back with another journal: what it held is gone, and what of that went out is not known.

Rule: what may have been with the old journal ends `uncertain` and is never sent again by itself; what provably never
left the cloud (`posted` is False) is drained to the new one.
"""

from shared.lifecycle import State, has_ended
from shared.message import Agent, Change, Message
from shared.ports import Clock, OutboxStore, PushQueue
from shared.usecases.ending import end_messages
from shared.wire import Cause

_RUN = 50
# A DynamoDB index follows its table within a fraction of a second. What was stored just before the journal was lost may
# have been sent; were it overlooked here, it would be drained and sent again.
_INDEX_S = 3.0
_CAUSE = Cause(kind="uncertain", text="the site lost its journal, so whether this was sent is not known")


def end_what_was_lost(agent: Agent, *, outbox: OutboxStore, pushes: PushQueue, clock: Clock) -> int:
    """How many ended. Repeats what was left undone by one that crashed. Takes seconds."""
    at = clock.now()
    ended = _end(agent, at, outbox, pushes)
    clock.sleep(_INDEX_S)
    return ended + _end(agent, at, outbox, pushes)


def _end(agent: Agent, at: float, outbox: OutboxStore, pushes: PushQueue) -> int:
    change = Change(state=State.UNCERTAIN, at=at, cause=_CAUSE)
    ended, cursor = 0, ""
    while True:
        page = outbox.pending(agent.account, agent.id, cursor, _RUN)
        lost = [(m.account, m.id) for m in page.messages if _may_be_lost(m, at)]
        ended += len(end_messages(lost, change, outbox=outbox, pushes=pushes)) if lost else 0
        if not page.cursor:
            return ended
        cursor = page.cursor


def _may_be_lost(message: Message, at: float) -> bool:
    """With what ended uncertain and still stands in the queue, someone crashed before its push was enqueued."""
    if has_ended(message.state):
        return message.state is State.UNCERTAIN
    return message.posted and message.accepted_at <= at
