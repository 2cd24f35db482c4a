"""The functions of the cloud, each invocation of the real use cases, on stand-ins of the tables and queues.

Rule: an invocation may be refused, die, or be overtaken by another at each call that it makes to the outside.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from shared import wire
from shared.api import SendRequest
from shared.envelope import Outcome
from shared.lifecycle import State, has_ended
from shared.message import Agent, Change, Message, Snapshot
from shared.ports import Recorded, Unavailable
from shared.routing_memory import RoutingMemory
from shared.usecases.agent_line import Connection, SessionPorts
from shared.usecases.agent_session import disconnect, receive
from shared.usecases.capping import Capping
from shared.usecases.reroute import Rerouter
from shared.usecases.send import SendPorts, send
from shared.usecases.sweep import Sweeper
from tests.fakes import (
    FakeAccounts,
    FakeAlerts,
    FakeApiLog,
    FakeInbox,
    FakeOutbox,
    FakePushQueue,
    FakeSiteMetrics,
    FakeTallies,
)
from tests.model.world_facts import ACCOUNT, HEARTBEAT_S, epoch
from tests.samples import account, agent

if TYPE_CHECKING:
    from tests.model.world import World

_T = TypeVar("_T")
_MOST_AT_ONCE = 3
_INDEX_LAG_S = 1.5
_REMEMBER_S = 5.0


class Died(BaseException):
    """The function's process is gone."""


class Port:
    """A stand-in with accidents at each of its methods."""

    def __init__(self, inner: object, crossroads: Callable[[bool], None]) -> None:
        self._inner, self._crossroads = inner, crossroads

    def __getattr__(self, name: str) -> Any:
        method, crossroads = getattr(self._inner, name), self._crossroads

        def call(*args: Any, **kwargs: Any) -> Any:
            crossroads(False)
            answer = method(*args, **kwargs)
            crossroads(True)
            return answer

        setattr(self, name, call)
        return call


class Outbox(FakeOutbox):
    """Its index of pending messages lags behind, as a DynamoDB index does."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self._visible: dict[tuple[str, str], bool] = {}
        self._notes: deque[tuple[float, tuple[str, str], bool]] = deque()
        self.expired_at: dict[str, float] = {}
        self.ended_at: dict[str, float] = {}  # in truth; the rows have what a site's clock said

    def add(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        there = super().add(messages)
        if not there:
            for message in messages:
                self._note((message.account, message.id))
        return there

    def record(
        self, account: str, message_id: str, change: Change, *, settle: bool = True
    ) -> tuple[Recorded, Message | None]:
        answer = super().record(account, message_id, change, settle=settle)
        self._note((account, message_id))
        if answer[0] is Recorded.CHANGED and has_ended(change.state):
            self.ended_at.setdefault(message_id, self._world.now)
        if answer[0] is Recorded.CHANGED and change.state is State.EXPIRED:
            self.expired_at[message_id] = self._world.now
        return answer

    def settle(self, account: str, message_id: str) -> None:
        super().settle(account, message_id)
        self._note((account, message_id))

    def unsettled(self) -> list[Message]:
        """The truth, without any lag."""
        return super()._waiting()

    def _note(self, key: tuple[str, str]) -> None:
        row = self.rows.get(key)
        waits = row is not None and (not has_ended(row.state) or key in self.kept)
        lag = self._world.rng.uniform(0.0, _INDEX_LAG_S) if self._world.chance("remembered") else 0.0
        due = max(self._world.now + lag, self._notes[-1][0] if self._notes else 0.0)
        self._notes.append((due, key, waits))

    @property
    def lagging(self) -> int:
        return len(self._notes)

    def catch_up(self, count: int) -> None:
        """The oldest so many changes are seen now."""
        for _ in range(min(count, len(self._notes))):
            _, key, waits = self._notes.popleft()
            self._visible[key] = waits

    def _waiting(self) -> list[Message]:
        self.catch_up(sum(due <= self._world.now for due, _, _ in self._notes))
        return [self.rows[key] for key, waits in self._visible.items() if waits]


class Accounts(FakeAccounts):
    """What a warm function remembers is seconds old."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.clock = CloudClock(world)
        self._world = world
        self._remembered: dict[object, tuple[float, Snapshot | None]] = {}

    def snapshot(self, name: str) -> Snapshot | None:
        return self._warm(name, lambda: FakeAccounts.snapshot(self, name))

    def snapshot_of_ports(self, name: str, numbers: Sequence[int]) -> Snapshot | None:
        key = (name, frozenset(numbers))
        return self._warm(key, lambda: FakeAccounts.snapshot_of_ports(self, name, numbers))

    def _warm(self, key: object, read: Callable[[], Snapshot | None]) -> Snapshot | None:
        known = self._remembered.get(key)
        if known is not None and self._world.now - known[0] < _REMEMBER_S and self._world.chance("remembered"):
            return known[1]
        self._remembered[key] = (self._world.now, read())
        return self._remembered[key][1]


class CloudClock:
    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> float:
        return epoch(self._world.now)

    def sleep(self, seconds: float) -> None:
        """An invocation takes no time here; what may happen meanwhile happens, and what lags catches up."""
        lagging = self._world.cloud.outbox.lagging
        self._world.run_one_early()
        self._world.cloud.outbox.catch_up(lagging if seconds > _INDEX_LAG_S else 0)


def _made(kind: Any, parts: dict[str, Any]) -> Any:
    """Takes of the parts what it has a field for."""
    return kind(**{field.name: parts[field.name] for field in fields(kind) if field.name in parts})


class Cloud:
    def __init__(self, world: World, sites: Sequence[str]) -> None:
        self._world = world
        self.outbox, self.accounts = Outbox(world), Accounts(world)
        self.inbox, self.pushes, self.alerts = FakeInbox(), FakePushQueue(), FakeAlerts()
        self._depth = 0
        self._bodies: dict[str, str] = {}
        self.accounts.put_account(account(ACCOUNT))
        for site in sites:
            self.accounts.put_agent(agent(site, account=ACCOUNT))
        clock, port = CloudClock(world), self._port
        parts: dict[str, Any] = {
            "accounts": port(self.accounts),
            "outbox": port(self.outbox),
            "inbox": port(self.inbox),
            "link": port(world.network),
            "pushes": port(self.pushes),
            "alerts": self.alerts,
            "tallies": FakeTallies(),
            "metrics": FakeSiteMetrics(),
            "clock": clock,
            "heartbeat_s": HEARTBEAT_S,
            "log": FakeApiLog(),
            "memory": RoutingMemory(),
        }
        parts["capping"] = Capping(parts["tallies"], clock)
        parts["rerouter"] = _made(Rerouter, parts)
        self.session, self.sending, self.sweeper = (_made(kind, parts) for kind in (SessionPorts, SendPorts, Sweeper))

    def _port(self, inner: object) -> Any:
        return Port(inner, self._crossroads)

    def agent(self, site: str) -> Agent:
        return self.accounts.agents[(ACCOUNT, site)]

    # ------------------------------------------------------------------------------------------- invocations

    def heard(self, text: str, connection: Connection) -> None:
        """`$default`"""
        self._note_events(text)
        with suppress(Unavailable):
            self._invoke(lambda: receive(text, connection, self.session))
        self._world.note_journal(connection.agent, self.agent(connection.agent).life.journal_id)

    def hung_up(self, connection: Connection) -> None:
        """`$disconnect`; nothing may come between, so that what changed is its own doing."""
        before = self.agent(connection.agent).connection
        with suppress(Unavailable):
            self._invoke(lambda: disconnect(connection, self.session), alone=True)
        if before not in {"", connection.id} and self.agent(connection.agent).connection != before:
            self._world.broken.append("a late $disconnect unseated a newer connection")

    def call(self, request: SendRequest) -> Outcome | None:
        """POST /sms/send; None when the caller gets no answer. Raises ApiError, Unavailable."""
        return self._invoke(lambda: send(request, self.accounts.accounts[ACCOUNT], self.sending))

    def sweep(self) -> None:
        with suppress(Unavailable):  # the next run does it
            self._invoke(self.sweeper.run)

    def _invoke(self, work: Callable[[], _T], *, alone: bool = False) -> _T | None:
        depth, self._depth = self._depth, _MOST_AT_ONCE if alone else self._depth + 1
        try:
            return work()
        except Died:
            return None
        finally:
            self._depth = depth

    def _crossroads(self, done: bool) -> None:
        weather, draw = self._world.weather, self._world.rng.random()
        if draw < weather.dies:
            raise Died
        draw -= weather.dies
        if draw < (weather.unanswered if done else weather.throttled):
            raise Unavailable("throttled")
        if not done and self._depth < _MOST_AT_ONCE and self._world.chance("overlaps"):
            self._world.run_one_early()

    # ------------------------------------------------------------------------------------------- what must be stable

    def _note_events(self, text: str) -> None:
        frame = wire.decode_from_agent(text)
        if isinstance(frame, wire.Events):
            for raw, event in zip(json.loads(text)["events"], frame.events, strict=True):
                body = json.dumps(raw, sort_keys=True)
                if self._bodies.setdefault(event.event_id, body) != body:
                    self._world.broken.append(f"one event, two stories: {self._bodies[event.event_id]} and {body}")

    def forget_bodies(self) -> None:
        """After a journal was lost, a message that was told of may be told of anew."""
        self._bodies.clear()
