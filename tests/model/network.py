"""The gateway and the way to it: connections that break, stall and end by themselves, frames that come late, twice or
never. What the cloud posts and what the agent says goes through the real wire format.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edge_agent.config import Cloud as CloudConfig
from edge_agent.connection import SocketClosed
from edge_agent.link_policy import Disconnect
from shared.ports import Gone
from shared.usecases.agent_line import Connection
from shared.wire import FromCloud, encode
from tests.model.world_facts import ACCOUNT, epoch

if TYPE_CHECKING:
    from tests.model.site import Process
    from tests.model.world import World

FRAME_LIMIT, MESSAGE_LIMIT = 32 * 1024, 128 * 1024
LIFE_S, IDLE_S = 2 * 3600.0, 600.0
PING_NOTICES_S = (10.0, 25.0)


class Network:
    def __init__(self, world: World) -> None:
        self.world, self.rng = world, random.Random(world.rng.random())
        self.lines: dict[str, Line] = {}
        self._numbers = itertools.count(1)

    async def dial(self, process: Process, cloud: CloudConfig) -> Socket:
        await asyncio.sleep(self.rng.uniform(0.02, 0.3))
        await process.while_alive()
        if process.site.cut_off or self.world.chance("throttled"):
            raise SocketClosed(Disconnect("retry", "the cloud cannot be reached"))
        line = Line(self, f"c{next(self._numbers)}", process)
        self.lines[line.id] = line
        return Socket(line)

    def open_lines(self, site: str) -> list[Line]:
        lines = [line for line in self.lines.values() if line.agent_open and line.gateway_open]
        return [line for line in lines if line.connection.agent == site]

    # `ports.AgentLink`, as the functions see it.

    def post(self, connection: str, frame: FromCloud) -> None:
        line = self.lines.get(connection)
        if line is None or not line.gateway_open:
            raise Gone(connection)
        line.to_agent(encode(frame))

    def close(self, connection: str) -> None:
        if connection in self.lines:
            self.lines[connection].end()


class Line:
    """One WebSocket connection, with both its ends."""

    def __init__(self, network: Network, connection: str, process: Process) -> None:
        self.network, self.id, self.process = network, connection, process
        self.world = network.world
        self.since = round(epoch(self.world.now), 3)
        self.gateway_open = self.agent_open = True
        self.silent = False  # nothing passes any more, and nobody was told
        self.arrived: asyncio.Queue[str | None] = asyncio.Queue()  # None: the end
        self._active = self.world.now
        self.world.later(LIFE_S, self.end)
        self.world.later(IDLE_S, self._idle)

    @property
    def connection(self) -> Connection:
        return Connection(account=ACCOUNT, agent=self.process.site.name, id=self.id, since=self.since)

    def to_cloud(self, pieces: Sequence[str]) -> None:
        """Taken by the gateway now, or lost; a function is called with it a little later."""
        if any(len(piece.encode()) > FRAME_LIMIT for piece in pieces) or sum(map(len, pieces)) > MESSAGE_LIMIT:
            self.world.broken.append("the agent said a frame that is too large")
        if self.gateway_open and not self.silent:
            self._active = self.world.now
            self._travel(lambda: self.world.cloud.heard("".join(pieces), self.connection))

    def to_agent(self, text: str) -> None:
        if len(text.encode()) > FRAME_LIMIT:
            self.world.broken.append("the cloud said a frame that is too large")
        self._active = self.world.now
        if not self.silent:
            self._travel(lambda: self._arrive(text))

    def _arrive(self, text: str) -> None:
        if self.agent_open and not self.silent:
            self.arrived.put_nowait(text)

    def _travel(self, arrive: object) -> None:
        world, rng = self.world, self.network.rng
        if world.chance("lost"):
            return
        for _ in range(2 if world.chance("repeated") else 1):
            delay = rng.uniform(0.2, 6.0) if world.chance("late") else rng.uniform(0.005, 0.08)
            world.frame(delay, arrive)  # type: ignore[arg-type]

    # ------------------------------------------------------------------------------------------- how it ends

    def end(self) -> None:
        """Both ends hear of it."""
        self._end_at_gateway()
        self.world.later(self.network.rng.uniform(0.0, 1.0), self._end_at_agent)

    def fall_silent(self) -> None:
        """Half-open: the agent's pings notice, the gateway waits out its time."""
        self.silent = True
        self.world.later(self.network.rng.uniform(*PING_NOTICES_S), self._end_at_agent)

    def leave(self, *, quietly: bool = False) -> None:
        """The agent's end closes: in order, or because its machine is gone."""
        self.agent_open = False
        if not quietly:
            self.world.later(self.network.rng.uniform(0.0, 3.0), self._end_at_gateway)

    def _end_at_agent(self) -> None:
        if self.agent_open:
            self.agent_open = False
            self.arrived.put_nowait(None)

    def _end_at_gateway(self) -> None:
        """`$disconnect` is best effort, and may be late."""
        if self.gateway_open:
            self.gateway_open = False
            if self.network.rng.random() < 0.85:
                delay = self.network.rng.choice((0.05, 0.05, 3.0, 40.0))
                self.world.frame(delay, lambda: self.world.cloud.hung_up(self.connection))

    def _idle(self) -> None:
        left = self._active + IDLE_S - self.world.now
        if left > 0:
            self.world.later(left, self._idle)
        else:
            self.end()


class Socket:
    """`connection.Socket`: the agent's end."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def receive(self) -> str:
        text = await self._line.arrived.get()
        if text is None:
            raise SocketClosed(Disconnect("retry", "the connection broke off"))
        self._line.process.reach("frame received")
        await self._line.process.while_alive()
        return text

    async def send(self, pieces: Sequence[str]) -> None:
        process = self._line.process
        process.reach("before a frame")
        await process.while_alive()
        if not self._line.agent_open:
            raise SocketClosed(Disconnect("retry", "the connection broke off"))
        self._line.to_cloud(pieces)
        process.reach("frame sent")
        await process.while_alive()

    async def close(self) -> None:
        if self._line.process.alive and self._line.agent_open:
            self._line.leave()
