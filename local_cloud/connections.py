"""The open WebSocket connections, and the `@connections` API by which functions post to them.

What boto3's `apigatewaymanagementapi` client calls:
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from aiohttp import web

from local_cloud.clock import Clock
from local_cloud.socket_event import Client
from local_cloud.trace import Trace

# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
FRAME_LIMIT = 32 * 1024
MESSAGE_LIMIT = 128 * 1024

_NAMES = {
    403: "ForbiddenException",
    410: "GoneException",
    413: "PayloadTooLargeException",
    429: "LimitExceededException",
}


class Wire(Protocol):
    """What this module needs of a WebSocket."""

    async def send(self, data: str) -> None:
        """Returns when the message was written, not when it was read. ConnectionError if the connection is closed."""
        ...

    async def close(self, code: int, reason: str) -> None: ...

    @property
    def congested(self) -> bool:
        """Whether the other side has stopped reading and the buffer is full."""
        ...


@dataclass
class Connection:
    client: Client
    wire: Wire
    last_active: float


@dataclass
class Faults:
    """What can be made to go wrong on purpose."""

    fail_posts: deque[int] = field(default_factory=deque)  # statuses for the next posts
    lose_posts: int = 0  # answered 200, never delivered: what a half-open link does
    lose_frames: int = 0  # from the client, never handed to a function
    drop_disconnects: bool = False  # `$disconnect` is best effort


class Connections:
    """Open connections by id. A connection that is still in `$connect` is not in here: a post to it finds it gone."""

    def __init__(self, stage: str, clock: Clock, faults: Faults, trace: Trace) -> None:
        self._stage, self._clock, self.faults, self.trace = stage, clock, faults, trace
        self._open: dict[str, Connection] = {}

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._open.values()))

    def add(self, connection: Connection) -> None:
        self._open[connection.client.connection_id] = connection

    def remove(self, connection: Connection) -> None:
        self._open.pop(connection.client.connection_id, None)

    def add_routes(self, app: web.Application) -> None:
        path = f"/{self._stage}/@connections/{{id}}"
        app.router.add_post(path, self._post)
        app.router.add_get(path, self._get)
        app.router.add_delete(path, self._delete)

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.faults.fail_posts:
            return _refusal(self.faults.fail_posts.popleft())
        if len(body) > MESSAGE_LIMIT:
            return _refusal(413)
        found = self._open.get(request.match_info["id"])
        if found is None:
            return _refusal(410)
        if found.wire.congested:
            return _refusal(429)
        return await self._deliver(found, body)

    async def _deliver(self, connection: Connection, body: bytes) -> web.Response:
        if self.faults.lose_posts:
            self.faults.lose_posts -= 1
            return web.Response()
        self.trace.frame("out", connection.client.connection_id, body)
        try:
            await connection.wire.send(body.decode())
        except ConnectionError:
            return _refusal(410)
        connection.last_active = self._clock.now()
        return web.Response()

    async def _get(self, request: web.Request) -> web.Response:
        found = self._open.get(request.match_info["id"])
        if found is None:
            return _refusal(410)
        status = {
            "connectedAt": _iso(found.client.connected_at),
            "identity": {"sourceIp": found.client.source_ip},
            "lastActiveAt": _iso(found.last_active),
        }
        return web.json_response(status)

    async def _delete(self, request: web.Request) -> web.Response:
        found = self._open.get(request.match_info["id"])
        if found is None:
            return _refusal(410)
        await found.wire.close(1000, "")
        return web.Response(status=204)


def _refusal(status: int) -> web.Response:
    name = _NAMES.get(status, "InternalServerErrorException")
    return web.json_response({"message": name}, status=status, headers={"x-amzn-ErrorType": name})


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
