"""A message and what the account around it looks like: plain values that use cases and stores exchange."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from shared.lifecycle import STATUS, State, Status, has_ended, may
from shared.wire import Cause, SpanInfo

_T = TypeVar("_T")

AgentKey = tuple[str, str]
"""(account, agent id): whose queue a message waits in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one destination: a row of the Outbox. Times are epoch seconds."""

    account: str
    id: str
    to: str
    text: str
    parts: int
    agent: str
    pool: tuple[int, ...]  # ports that may send it, preferred first; all belong to `agent`
    spans: tuple[str, ...]  # the same pool as span identities
    port: int  # the one dealt at first, then the one that sent it
    port_name: str
    accepted_at: float
    deadline: float
    report: bool = True
    state: State = State.QUEUED
    posted: bool = True  # False only while it provably never left the cloud
    wanted: tuple[int, ...] = ()  # ports that its caller named, at whatever site; empty: any of the account's
    ended_at: float | None = None  # when the attempt ended; "time" of the outbox
    delivered_at: float | None = None
    parts_sent: int = 0
    told: bool = False  # its site itself has said how the attempt ended
    imsi: str = ""
    cause: Cause | None = None
    request: str = ""  # digest of the whole request, with a request_id only
    answer: str = ""  # the row that was answered first, as JSON, with a request_id only: a repeat is answered with it

    @property
    def status(self) -> Status:
        """What callers are told."""
        return STATUS[self.state]

    @property
    def error(self) -> str:
        """Why it failed, as callers read it: `kind: cause in words (code)`; empty unless it did."""
        if self.status is not Status.FAILED:
            return ""
        if self.cause is None:
            return f"{self.state}: no more is known"
        return f"{self.state}: {self.cause.text}" + (f" ({self.cause.code})" if self.cause.code else "")

    @property
    def place(self) -> str:
        """Its place in its agent's queue as text that sorts: earliest deadline first. Also the cursor behind it."""
        return f"{self.deadline:014.3f}~{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one event does to a message: the new state and the facts that come with it."""

    state: State
    at: float
    span: str = ""
    port: int | None = None
    port_name: str = ""
    imsi: str = ""
    parts_sent: int | None = None  # None in all but a site's own result
    delivered_at: float | None = None
    cause: Cause | None = None


_ENDED_UNHEARD = frozenset({State.EXPIRED, State.CANCELLED})
"""How the cloud ends a message without having heard of it from its site."""


def applies(message: Message, change: Change) -> bool:
    """Whether the change is a step of `lifecycle.TRANSITIONS`, or a site's own word on what the cloud had ended.

    The cloud expires or cancels without knowing what had gone out; the site may say so later, once.
    """
    confirms = not message.told and change.parts_sent is not None and {message.state, change.state} <= _ENDED_UNHEARD
    return confirms or may(message.state, change.state)


def after(message: Message, change: Change) -> Message | None:
    """The message as the change leaves it; None when it does not apply.

    The end of the attempt is when the modem took it, so a report on a message known as sent does not move it.
    """
    if not applies(message, change):
        return None
    ended_at = message.ended_at if message.state is State.SENT or not has_ended(change.state) else change.at
    return replace(
        message,
        state=change.state,
        ended_at=ended_at,
        cause=change.cause,
        delivered_at=message.delivered_at if change.delivered_at is None else change.delivered_at,
        port=message.port if change.port is None else change.port,
        port_name=change.port_name or message.port_name,
        imsi=change.imsi or message.imsi,
        parts_sent=message.parts_sent if change.parts_sent is None else change.parts_sent,
        told=message.told or change.parts_sent is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One received message: a row of the inbox."""

    account: str
    id: str  # the event id: the same however often it is told
    port: int
    port_name: str
    imsi: str
    sender: str
    text: str
    at: float
    parts: int = 1
    missing: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed(Generic[_T]):
    """A page of a list and, if that was asked for, how many there are in all: found in the same read."""

    rows: tuple[_T, ...]
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an account may do; 0 means no limit."""

    requests_per_second: float = 20.0
    parts_per_day: int = 0
    parts_per_month: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    name: str
    credential: str  # encoded scrypt hash
    timezone: str = "UTC"
    limits: Limits = field(default_factory=Limits)
    suspended: bool = False
    invited: int = 0  # codes ever given for its sites; who deletes it sees by this that there are new ones
    deleted_at: float = 0.0  # only a stone is left, which keeps the name while its messages last


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """Which incarnation of an agent the cloud last heard of."""

    boot_id: str = ""  # of its process
    previous_boot_id: str = ""  # one that comes back after another means two agents with one identity
    journal_id: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """The one-time code that an agent was last given. Once traded it stands only to tell a repeat from a second use."""

    code: str = ""  # hex SHA-256 of its secret; empty when none was given, or it was taken back
    until: float = 0.0
    traded_at: float = 0.0

    def is_open(self, now: float) -> bool:
        """Whether the code can be traded."""
        return bool(self.code) and not self.traded_at and self.until >= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One site's agent as the cloud knows it."""

    account: str
    id: str
    site: str
    credential: str  # hex SHA-256 of its token's secret, which has 256 bits of its own; empty before it is enrolled
    revoked: bool = False
    connection: str = ""  # empty while offline
    connected_at: float = 0.0
    last_seen: float = 0.0
    offline_told: bool = False  # the operator was told that it is offline, or is about to be
    doubled_at: float = 0.0  # when two machines were last seen with its identity; enrolling anew clears it
    enrolment: Enrolment = field(default_factory=Enrolment)
    life: Life = field(default_factory=Life)


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """An allotted port: a number that stays with one (agent, span identity)."""

    account: str
    number: int
    agent: str
    span: str
    name: str
    told_name: str = ""  # what the agent's configuration calls it
    technology: str = ""  # the first that the modem told; a name is made of it
    disabled: bool = False
    parts_per_day: int = 0
    parts_per_month: int = 0
    iccid: str = ""  # of the last SIM seen in it
    iccid_before: str = ""
    sim_changed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Site:
    """An agent with what it last told of its spans."""

    agent: Agent
    spans: tuple[SpanInfo, ...]
    told_at: Mapping[str, float] = field(default_factory=dict)  # when each span was told of, epoch s


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that routing and listing need of one account, as of one read."""

    account: Account
    sites: dict[str, Site]
    ports: dict[int, Port]
