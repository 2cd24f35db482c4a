"""An agent's queue, handed over batch by batch. Stateless: the cursor travels to the agent and back.

Rule: nothing is written for a batch, except the claim of a message that never left the cloud before. A message stays
pending until its result is stored, so a batch that is lost is drained again.
"""

from collections.abc import Sequence

from shared.lifecycle import has_ended
from shared.message import Message
from shared.ports import AgentLink, OutboxStore
from shared.usecases.posting import job
from shared.wire import Jobs, batches

# Rows read for one batch. A job is 200 bytes to 4 KB, a frame 28 KB.
_RUN = 60


def drain(account: str, agent: str, connection: str, cursor: str, *, outbox: OutboxStore, link: AgentLink) -> int:
    """Posts the next batch behind `cursor`. Returns how many jobs it held; raises Gone, Unavailable."""
    while True:
        page = outbox.pending(account, agent, cursor, _RUN)
        batch, cursor = _first_batch(page.messages, page.cursor)
        ready = [m for m in batch if m.posted or outbox.claim_posting(account, m.id, agent)]
        if ready:
            link.post(connection, Jobs(jobs=tuple(job(m) for m in ready), cursor=cursor))
        if ready or not cursor:
            return len(ready)


def _first_batch(messages: Sequence[Message], cursor: str) -> tuple[Sequence[Message], str]:
    """As many as one frame takes, and the cursor behind them."""
    waiting = [m for m in messages if not has_ended(m.state)]
    size = len(next(batches(job(m) for m in waiting), ()))
    rest = size < len(waiting)
    return waiting[:size], waiting[size - 1].place if rest else cursor
