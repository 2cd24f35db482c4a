"""Hand stored messages to their agent, one post a connection. What cannot be posted stays pending and is drained later.

Rule: a message is durable before it is posted, so nothing here may fail a call.
"""

from collections.abc import Sequence

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
) -> None:
    """Messages of one agent, which was last known on `connection`; it is looked up anew if that is empty or gone."""
    try:
        if connection and _posted(messages, connection, link):
            return
        account, agent = messages[0].account, messages[0].agent
        now = accounts.agent(account, agent)
        if now is None or not now.connection or now.revoked:
            return
        if now.connection == connection:
            accounts.disconnected(account, agent, connection=connection, at=clock.now())
            return
        _posted([m for m in messages if m.posted or outbox.claim_posting(account, m.id, agent)], now.connection, link)
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


def _posted(messages: Sequence[Message], connection: str, link: AgentLink) -> bool:
    """False when the connection has ended."""
    try:
        for batch in batches(job(message) for message in messages):
            link.post(connection, Jobs(jobs=batch))
    except Gone:
        return False
    return True
