"""Every key of every table, in one place. Rule: no other file spells one.

Names of accounts and agents hold no `#` (see agent_token.NAME); times are zero-padded, so that text sorts as they do.
"""

from zlib import crc32

from shared.message import Message

ACCOUNT = "ACCOUNT"
PUSH = "PUSH"
TALLY = "TALLY"
_LAST = "\U0010ffff"
_LATEST = 9_999_999_999.0  # of ten digits, in the year 2286: a filter may name any year, and one digit more sorts wrong

# The watch index is spread over this many partitions: a reconnect storm writes it 500 times a second (the gateway's
# quota of new connections), one partition takes 1000 writes, and moving an entry is two.
WATCH_SHARDS = 8


def agent(agent_id: str) -> str:
    return f"AGENT#{agent_id}"


def spans(agent_id: str) -> str:
    return f"SPANS#{agent_id}"


def port(number: int) -> str:
    return f"PORT#{number:06d}"


def slots(account: str) -> str:
    """Partition of the rows that make (agent, span) → port number unique; not read with the account."""
    return f"{account}#slots"


def slot(agent_id: str, span: str) -> str:
    return f"{agent_id}#{span}"


def endpoint(url: str) -> str:
    """Sort key in the Pushes table of how an endpoint is doing; behind all event ids, which hold no `~`."""
    return f"~{url}"


AUDIT = "#audit"
"""Partition of what operators did, whatever the account; a leading `#` keeps it apart from all accounts."""


def audit(at: float, identity: str) -> str:
    return f"AUDIT#{moment(at, identity)}"


def audit_at(sort_key: str) -> float:
    return moment_at(sort_key.removeprefix("AUDIT#"))


def tally(key: str) -> str:
    """Partition of one counter; a leading `#` keeps it apart from all accounts."""
    return f"#tally#{key}"


def watch_shard(account: str, agent_id: str) -> str:
    return str(crc32(f"{account}#{agent_id}".encode()) % WATCH_SHARDS)


def watch_shards() -> tuple[str, ...]:
    return tuple(str(n) for n in range(WATCH_SHARDS))


def spans_shard(account: str, agent_id: str) -> str:
    """Apart from the agents, who are counted by their shards."""
    return f"spans-{watch_shard(account, agent_id)}"


def spans_shards() -> tuple[str, ...]:
    return tuple(f"spans-{n}" for n in watch_shards())


def port_of(sort_key: str) -> int:
    """Back from `port`."""
    return int(sort_key.removeprefix("PORT#"))


def board(agent_id: str) -> str:
    """Beside the slots: no agent's name begins with `!`."""
    return f"!board#{agent_id}"


def counter(name: str) -> str:
    """Beside the slots."""
    return f"!count#{name}"


def agent_of(sort_key: str) -> str:
    """Back from `agent`."""
    return sort_key.removeprefix("AGENT#")


def spans_of(sort_key: str) -> str:
    """Back from `spans`."""
    return sort_key.removeprefix("SPANS#")


def waiting(message: Message) -> str:
    """Sort key of the pending index."""
    return f"{message.agent}#{message.place}"


def queue(agent_id: str, cursor: str) -> tuple[str, str]:
    """Between which keys an agent's queue stands, behind `cursor`; both inclusive."""
    return f"{agent_id}#{cursor}" + ("\0" if cursor else ""), f"{agent_id}#{_LAST}"


def queued_agent(waiting_key: str) -> str:
    return waiting_key.partition("#")[0]


def queued_deadline(waiting_key: str) -> float:
    return float(waiting_key.partition("#")[2].partition("~")[0])


def moment(at: float, identity: str) -> str:
    """Sort key by time: history of the outbox, inbox."""
    return f"{_time(at)}#{identity}"


def moment_at(key: str) -> float:
    return float(key.partition("#")[0])


def moments(start: float | None, end: float | None) -> tuple[str, str]:
    """Between which keys the moments of a time span stand; both inclusive, to the millisecond.

    A span that ends before it starts holds none, in an order that DynamoDB's BETWEEN takes.
    """
    first = "0" if start is None else _time(start)
    last = _LAST if end is None else f"{_time(end)}#{_LAST}"
    return first, max(first, last)


def _time(at: float) -> str:
    """Seconds as text of one width. Cut, not rounded: a moment belongs to the second that callers are shown."""
    return f"{min(max(at, 0.0), _LATEST):017.6f}"[:-3]


def phone(account: str, number: str) -> str:
    """Partition of the history of one number."""
    return f"{account}#{number}"
