"""Hand stored messages to their agent, one post a connection. What cannot be posted stays pending and is drained later.

Rule: a message is durable before it is posted, so nothing here may fail a call.
"""

import math
from collections.abc import Iterator, Sequence

from shared.message import Message
from shared.ports import AccountStore, AgentLink, Clock, Gone, OutboxStore, Unavailable
from shared.wire import Job, Jobs, batches


def post_jobs(
    messages: Sequence[Message],
    connection: str,
    *,
    accounts: AccountStore,
    outbox: OutboxStore,
    link: AgentLink,
    clock: Clock,
    until: float = math.inf,
) -> None:
    """Messages of one agent, which was last known on `connection`; it is looked up anew if that is empty or gone.

    At `until` nothing is begun any more.
    """
    try:
        if connection and _posted(messages, connection, link, clock, until):
            return
        if clock.now() >= until:
            return
        account, agent = messages[0].account, messages[0].agent
        now = accounts.agent(account, agent)
        if now is None or not now.connection or now.revoked:
            return
        if now.connection == connection:
            accounts.disconnected(account, agent, connection=connection, at=clock.now())
            return
        _posted(list(_claimed(messages, outbox, clock, until)), now.connection, link, clock, until)
    except Unavailable:
        return  # the agent's next heartbeat tells how many it holds; the difference makes the cloud drain


def job(message: Message) -> Job:
    """What the agent needs of a message."""
    return Job(
        id=message.id,
        to=message.to,
        text=message.text,
        spans=message.spans,
        deadline=message.deadline,
        report=message.report,
    )


def _claimed(messages: Sequence[Message], outbox: OutboxStore, clock: Clock, until: float) -> Iterator[Message]:
    """Those that may be posted: they were before, or nobody else took them."""
    for message in messages:
        if clock.now() < until and (message.posted or outbox.claim_posting(message.account, message.id, message.agent)):
            yield message


def _posted(messages: Sequence[Message], connection: str, link: AgentLink, clock: Clock, until: float) -> bool:
    """False when the connection has ended."""
    try:
        for batch in batches(job(message) for message in messages):
            if clock.now() >= until:
                break
            link.post(connection, Jobs(jobs=batch))
    except Gone:
        return False
    return True
