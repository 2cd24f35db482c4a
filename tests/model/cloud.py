"""The functions of the cloud, each invocation of the real use cases, on stand-ins of the tables and queues.

Rule: an invocation may be refused, die, or be overtaken by another at each call that it makes to the outside.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from shared import wire
from shared.api import SendRequest
from shared.envelope import Outcome
from shared.message import Agent
from shared.ports import Unavailable
from shared.routing_memory import RoutingMemory
from shared.usecases.administration import Desk, Refused
from shared.usecases.administration_messages import cancel
from shared.usecases.agent_line import Connection, SessionPorts
from shared.usecases.agent_session import disconnect, receive
from shared.usecases.capping import Capping
from shared.usecases.reroute import Rerouter
from shared.usecases.send import SendPorts, send
from shared.usecases.sweep import Sweeper
from tests.fakes import (
    FakeAlerts,
    FakeApiLog,
    FakeInbox,
    FakePushQueue,
    FakeSiteMetrics,
    FakeTallies,
)
from tests.model.cloud_stores import Accounts, AuditLog, CloudClock, Died, OperatorClock, Outbox, Port
from tests.model.world_facts import ACCOUNT, HEARTBEAT_S
from tests.samples import account, agent

if TYPE_CHECKING:
    from tests.model.world import World

_T = TypeVar("_T")
_MOST_AT_ONCE = 3


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
        self._at_desk = {**parts, "store": AuditLog(), "who": "operator"}
        self.session, self.sending, self.sweeper = (_made(kind, parts) for kind in (SessionPorts, SendPorts, Sweeper))

    def _port(self, inner: object) -> Any:
        return Port(inner, self._crossroads)

    def agent(self, site: str) -> Agent:
        return self.accounts.agents[(ACCOUNT, site)]

    def ports_of(self, site: str) -> tuple[int, ...]:
        return tuple(port.number for port in self.accounts.ports_of(ACCOUNT, site).values())

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

    def cancel(self, message_id: str) -> None:
        """`admin messages cancel`; the operator's program may be cut short as a function may."""
        desk = _made(Desk, {**self._at_desk, "clock": OperatorClock(self._world)})
        with suppress(Refused, Unavailable):
            self._invoke(lambda: cancel(desk, ACCOUNT, message_id))

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
            self._world.meanwhile()

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
