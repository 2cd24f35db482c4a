"""What use cases need from the outside, as Protocols. Implemented in shared/aws and shared/egress, faked in tests.

Every method is synchronous: a Lambda handler does one thing at a time. Every method may raise `Unavailable` (throttled
or unreachable: try again later); none of them half-does its work.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from shared import wildcards

if TYPE_CHECKING:  # every function imports this module, and only some of them what is named here
    from collections.abc import Mapping, Sequence

    from shared.message import Account, Agent, AgentKey, Change, Life, Listed, Message, Port, Received, Snapshot
    from shared.push_event import PushEvent
    from shared.push_record import PushAttempt
    from shared.wire import FromCloud, SpanInfo


class Unavailable(Exception):
    """Something outside is throttled, unreachable or broken; the same call may work later."""


class Gone(Exception):
    """The agent's connection is no longer there."""


class TooBroad(Exception):
    """A filter or page that would have to read more than one call may; nothing is told of what was read so far."""


class Recorded(Enum):
    """What became of a `Change`."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"  # the message had this or a truer state already: a repeat, or late
    UNKNOWN = "unknown"  # no such message (expired by retention, or another deployment's)


@dataclass(frozen=True, slots=True)
class Page:
    """A run of messages and where to go on; `cursor` is empty at the end."""

    messages: tuple[Message, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Overdue:
    """A message still in its agent's queue after its time was up."""

    agent: AgentKey
    id: str
    deadline: float


@dataclass(frozen=True, slots=True)
class Unposted:
    """A message in its agent's queue that provably never left the cloud."""

    agent: AgentKey
    id: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in all queues, seen in one look: how many, the oldest, who is past its deadline, who never left.

    Of a very long one a look sees a part (`whole` is False: at least so many), and the next look another.
    """

    count: int
    oldest: float | None  # epoch s when the oldest was accepted; None when nothing waits
    overdue: tuple[Overdue, ...]
    unposted: tuple[Unposted, ...]  # and not overdue
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxFilter:
    """What `/smsoutbox/get` may ask. Times are inclusive epoch seconds. `phone` may hold `*`."""

    phone: str = ""
    start: float | None = None
    end: float | None = None

    def matches(self, phone: str, at: float) -> bool:
        if (self.start is not None and at < self.start) or (self.end is not None and at > self.end):
            return False
        return not self.phone or wildcards.matches(phone, self.phone)


class Clock(Protocol):
    def now(self) -> float:
        """Epoch seconds."""
        ...

    def sleep(self, seconds: float) -> None: ...


class OutboxStore(Protocol):
    def add(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """Stores all or none, each only if its id is new. Returns, empty on success, else what stood there already."""
        ...

    def get(self, account: str, ids: Sequence[str]) -> tuple[Message, ...]:
        """Strongly consistent, in the order asked, missing ones left out."""
        ...

    def look(self, account: str, ids: Sequence[str]) -> tuple[Message, ...]:
        """As `get`, but rather Unavailable after 3 s than late: for who looks again anyway, and has a deadline."""
        ...

    def record(
        self, account: str, message_id: str, change: Change, *, settle: bool = True
    ) -> tuple[Recorded, Message | None]:
        """One conditional write along `lifecycle.TRANSITIONS`; returns the message as it stands after it.

        With `settle` False an ended message stays in its queue until `settle` is called. That is for endings that no
        agent will repeat: who crashes before their push is enqueued finds them there again.
        """
        ...

    def settle(self, account: str, message_id: str) -> None:
        """Takes an ended message out of its queue."""
        ...

    def pending(self, account: str, agent: str, cursor: str, limit: int) -> Page:
        """A run of an agent's queue, earliest deadline first, behind `cursor` (a `Message.place`, or empty).

        Index reads may lag by moments, so what `record` kept or has just ended is filtered by the caller; what was
        moved to another agent is left out already.
        """
        ...

    def count_pending(self, account: str, agent: str, up_to: int) -> int: ...

    def count_waiting(self, account: str, up_to: int) -> Mapping[int, int]:
        """How many messages wait for each port that they were dealt to; past `up_to` in all, counting ends."""
        ...

    def backlog(self, before: float) -> Backlog:
        """What waits, of all accounts, and what of it has a deadline earlier than `before`. Bounded: see `Backlog`."""
        ...

    def claim_posting(self, account: str, message_id: str, agent: str) -> bool:
        """`posted` False → True before a message's first way out; False when it was moved or ended meanwhile."""
        ...

    def move(self, moved: Message, *, away_from: str) -> bool:
        """Puts a message into the queue of `moved.agent`, with the pool and port of `moved`: one conditional write.

        False when it is no longer with the agent `away_from`, was claimed for posting, or has ended.
        """
        ...

    def history(
        self,
        account: str,
        where: OutboxFilter,
        *,
        skip: int,
        limit: int,
        include_pending: bool,
        with_total: bool = False,
    ) -> Listed[Message]:
        """Newest first by the end of the attempt. Raises TooBroad: what one call may read is bounded."""
        ...


class InboxStore(Protocol):
    def add(self, received: Received) -> bool:
        """Stores it once; False when it was there already."""
        ...

    def page(
        self, account: str, where: OutboxFilter, *, skip: int, limit: int, with_total: bool = False
    ) -> Listed[Received]:
        """Newest first. Raises TooBroad as above."""
        ...


class AccountStore(Protocol):
    def account(self, name: str) -> Account | None:
        """Cached for seconds in a warm function."""
        ...

    def snapshot(self, name: str) -> Snapshot | None:
        """One query; cached for seconds in a warm function."""
        ...

    def snapshot_of_ports(self, name: str, numbers: Sequence[int]) -> Snapshot | None:
        """Reads only these ports and their agents; for large accounts with explicit spans."""
        ...

    def put_account(self, account: Account) -> bool:
        """False when the name is taken."""
        ...

    def agent(self, account: str, agent_id: str) -> Agent | None: ...

    def put_agent(self, agent: Agent) -> bool:
        """False when the id is taken."""
        ...

    def connected(
        self,
        account: str,
        agent_id: str,
        *,
        connection: str,
        since: float,
        at: float,
        life: Life | None = None,
    ) -> bool:
        """The connection opened at `since` (gateway's time) takes over; False if a newer one did, or no such agent."""
        ...

    def disconnected(self, account: str, agent_id: str, *, connection: str, at: float) -> bool:
        """Clears the connection only if it is still this one."""
        ...

    def seen(self, account: str, agent_id: str, *, at: float) -> None: ...

    def unheard(self, before: float) -> Sequence[AgentKey]:
        """Agents whose time to be heard of has run out at `before`; reads only those."""
        ...

    def count_expected(self) -> int:
        """How many agents are online, or were moments ago."""
        ...

    def missed(self, account: str, agent_id: str, *, before: float) -> Agent | None:
        """Marks one of them offline. Returns it as it was, None when it was heard of meanwhile.

        It is to be told of then, and stays unheard of until `missed_told`: who crashes before that tells of it again.
        """
        ...

    def missed_told(self, account: str, agent_id: str) -> None:
        """That this was told; nothing when it was heard of meanwhile."""
        ...

    def trade_code(self, account: str, agent_id: str, *, code: str, credential: str, at: float) -> bool:
        """Puts the credential's digest in force for a code's; False unless that code is open and its time not up."""
        ...

    def note_double(self, account: str, agent_id: str, *, at: float) -> None:
        """Two machines were seen with this agent's identity."""
        ...

    def note_sim(self, port: Port, iccid: str, *, at: float) -> bool:
        """The SIM now seen in a port; False when `port` is not what is stored: another noted it, or will."""
        ...

    def spans(self, account: str, agent_id: str) -> tuple[SpanInfo, ...]:
        """As last saved."""
        ...

    def save_spans(
        self, account: str, agent_id: str, spans: Sequence[SpanInfo], *, at: float, whole: bool
    ) -> Sequence[tuple[SpanInfo | None, SpanInfo]]:
        """What a person would act on and was not so before, as (before, now); nothing is written when that is nothing.

        `whole` replaces all that was known. Otherwise each span is replaced unless a later `at` told of it already.
        """
        ...

    def spans_due(self, before: float) -> Sequence[AgentKey]:
        """Agents of whose spans something may be to be told at `before` (shared/outages.py); reads only those."""
        ...

    def span_news(self, account: str, agent_id: str, *, at: float) -> Sequence[SpanInfo]:
        """What is to be told: spans that are lost, and (`available`) that are back."""
        ...

    def note_told(self, account: str, agent_id: str, news: Sequence[SpanInfo], *, at: float, done: bool) -> None:
        """That this is being told and, `done`, that it was."""
        ...

    def put_off_spans(self, account: str, agent_id: str, *, until: float) -> None:
        """Keeps what is due from being due until then, or until the agent's next word on its spans."""
        ...

    def allot_ports(self, account: str, agent_id: str, spans: Sequence[SpanInfo]) -> Mapping[str, Port]:
        """Span identity → port, allotting new numbers for identities never seen; safe under concurrency."""
        ...

    def ports_of(self, account: str, agent_id: str) -> Mapping[str, Port]:
        """Span identity → port as allotted; cached for seconds in a warm function."""
        ...

    def port_of(self, account: str, agent_id: str, span: str) -> Port | None:
        """One of them, for a fraction of the price; cached for seconds in a warm function."""
        ...

    def push_settings(self, account: str) -> Mapping[str, str | int]:
        """As stored; empty when never set. shared/push_settings.py knows the keys and defaults."""
        ...

    def save_push_settings(
        self, account: str, settings: Mapping[str, str | int], *, before: Mapping[str, str | int] | None = None
    ) -> bool:
        """With `before` only if that is still what is stored; False when it is not, and nothing was saved."""
        ...


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something happened, and when last (epoch s)."""

    count: int = 0
    at: float = 0.0


class TallyStore(Protocol):
    """Counters shared by all workers, each under a key that is not used again after `until`."""

    def read(self, *keys: str) -> Tally:
        """All of them as one: how often in all, and when last. As they stand now."""
        ...

    def read_all(self, keys: Sequence[str]) -> Mapping[str, Tally]:
        """Those that were ever counted; may be a moment old."""
        ...

    def take(self, key: str, count: int, *, most: int, at: float, until: float) -> Tally | None:
        """Adds and returns None, unless that would pass `most`: then the tally as it stands. Atomic."""
        ...

    def add(self, key: str, count: int, *, at: float, until: float) -> Tally:
        """The tally after it; safe under concurrency."""
        ...


class AgentLink(Protocol):
    def post(self, connection: str, frame: FromCloud) -> None:
        """Raises Gone when the connection has ended, Unavailable when throttled."""
        ...

    def close(self, connection: str) -> None:
        """Ends a connection; nothing happens when it is gone."""
        ...


class PushQueue(Protocol):
    def put(self, events: Sequence[PushEvent]) -> None:
        """Durable on return."""
        ...

    def defer(self, receipt: str, seconds: float) -> bool:
        """Hides a record that was taken; False when the queue refuses so long a time for it."""
        ...

    def put_back(self, event: PushEvent, seconds: float) -> None:
        """A fresh record, to be taken after up to 900 s, for one that was taken and is then forgotten.

        Such a wait is without end and in any number, while hidden records are limited (SQS quota: 120,000 in flight).
        """
        ...

    def bury(self, body: str, account: str, reason: str) -> None:
        """Puts a record that will never be delivered into the dead-letter queue."""
        ...

    def exhume(self, limit: int) -> Sequence[tuple[str, str]]:
        """Up to `limit` (receipt, body) from the dead-letter queue, hidden from others for a minute."""
        ...

    def forget_dead(self, receipt: str) -> None:
        """Deletes a record that `exhume` gave."""
        ...


class Egress(Protocol):
    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> PushAttempt: ...

    def check_host(self, host: str) -> str:
        """Empty, or why no push would get through now (it does not resolve). Raises
        `shared.egress_guard.Refused` for a host that no push may ever go to."""
        ...
