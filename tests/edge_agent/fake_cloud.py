"""A cloud on one loopback port, as much of it as an agent can see: pending jobs, drained, acknowledged, told."""

import asyncio
import http
import ssl
import time
from collections import Counter
from collections.abc import Callable

from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from shared import wire
from shared.wire import Accepted, Ack, Event, Events, Heartbeat, Hello, Job, Jobs, SpanInfo, Spans, Welcome

CREDENTIAL = "acme.north.0123456789abcdefghijklmnop"


class FakeCloud:
    """`async with FakeCloud() as cloud`, then `cloud.url`. Everything it was told is kept for the test to look at."""

    def __init__(self, batch: int = 50, tls: ssl.SSLContext | None = None) -> None:
        self.pending: dict[str, Job] = {}
        self.events: dict[str, Event] = {}
        self.told: Counter[str] = Counter()  # how often each event id came
        self.hellos: list[Hello] = []
        self.heartbeats: list[Heartbeat] = []
        self.accepted: list[Accepted] = []
        self.spans: dict[str, SpanInfo] = {}
        self.connections: list[ServerConnection] = []
        self.credential = CREDENTIAL  # the one that it accepts
        self.status: int | None = None  # answer handshakes with this HTTP status
        self.silent = False  # take frames and answer nothing
        self.acknowledges = True
        self.server_time: Callable[[], float] = time.time
        self.heartbeat_s = 60.0
        self._batch = batch
        self._tls = tls
        self._open: list[ServerConnection] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'wss' if self._tls else 'ws'}://127.0.0.1:{self.port}/live"

    async def __aenter__(self) -> "FakeCloud":
        self._server = await serve(
            self._serve, "127.0.0.1", self.port, process_request=self._authorize, close_timeout=0.2, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    @property
    def newest(self) -> ServerConnection:
        return self._open[-1]

    @property
    def open_connections(self) -> int:
        return len(self._open)

    async def send(self, *jobs: Job) -> None:
        """As /sms/send does: stored first, then posted to the newest connection."""
        self.pending.update((job.id, job) for job in jobs)
        if self._open:
            await self.post(Jobs(jobs=jobs))

    async def post(self, frame: wire.FromCloud) -> None:
        await self.newest.send(wire.encode(frame))

    def outcome(self, job_id: str) -> str:
        event = self.events.get(f"{job_id}.result")
        return event.outcome if isinstance(event, wire.ResultEvent) else ""

    def _authorize(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.status is not None:
            return connection.respond(http.HTTPStatus(self.status), "no\n")
        if request.headers.get("Authorization") != f"Bearer {self.credential}":
            return connection.respond(http.HTTPStatus.FORBIDDEN, "no\n")
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        self._open.append(connection)
        try:
            async for message in connection:
                assert isinstance(message, str)
                if not self.silent:
                    await self._take(connection, wire.decode_from_agent(message))
        except ConnectionClosed:
            pass
        finally:
            self._open.remove(connection)

    async def _take(self, connection: ServerConnection, frame: wire.FromAgent) -> None:
        match frame:
            case Hello():
                self.hellos.append(frame)
                self.spans = {info.span: info for info in frame.spans}
                ports = {info.span: number for number, info in enumerate(frame.spans, 1)}
                welcome = Welcome(server_time=self.server_time(), heartbeat_s=self.heartbeat_s, ports=ports)
                await connection.send(wire.encode(welcome))
                await self._drain(connection, "")
            case Spans():
                self.spans.update((info.span, info) for info in frame.changed)
                for span in frame.gone:
                    del self.spans[span]
            case Heartbeat():
                self.heartbeats.append(frame)
                if frame.held != len(self.pending):
                    await self._drain(connection, "")
            case Accepted():
                self.accepted.append(frame)
                if frame.cursor:
                    await self._drain(connection, frame.cursor)
            case Events():
                await self._store(connection, frame)

    async def _drain(self, connection: ServerConnection, cursor: str) -> None:
        waiting = sorted(job_id for job_id in self.pending if job_id > cursor)
        jobs = tuple(self.pending[job_id] for job_id in waiting[: self._batch])
        more = jobs[-1].id if len(waiting) > self._batch else ""
        if jobs:
            await connection.send(wire.encode(Jobs(jobs=jobs, cursor=more)))

    async def _store(self, connection: ServerConnection, frame: Events) -> None:
        for event in frame.events:
            self.told[event.event_id] += 1
            self.events.setdefault(event.event_id, event)
            if not isinstance(event, wire.ReceivedEvent):
                self.pending.pop(event.job_id, None)
        if self.acknowledges:
            await connection.send(wire.encode(Ack(event_ids=tuple(event.event_id for event in frame.events))))


async def until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Polls until the condition holds; fails the test when it does not in time."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
