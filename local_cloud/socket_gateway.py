"""The WebSocket API's front door; the only importer of websockets in the local cloud.

Connecting: identity sources, authorizer, `$connect`, then 101. Each message then goes to its route's function on its
own, so that two messages of one connection run side by side and may end in either order, as they do in AWS.
The limits are those of the table that `connections` names.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Coroutine, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from pydantic import JsonValue
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from local_cloud.clock import Clock
from local_cloud.connections import FRAME_LIMIT, MESSAGE_LIMIT, Connection, Connections
from local_cloud.intrinsics import JsonObject
from local_cloud.runtime_api import Outcome
from local_cloud.socket_event import Client, Event, missing_identity, new_connection_id, verdict
from local_cloud.topology import SocketApi, as_object
from local_cloud.worker_pool import Pool

_IDLE_LIMIT_S = 10 * 60
_LIFE_LIMIT_S = 2 * 60 * 60
_INTEGRATION_TIMEOUT_S = 29.0
_GOING_AWAY = 1001
# More than this unread by the client, and the next post is refused with LimitExceededException.
_BUFFER_LIMIT = 512 * 1024

_log = logging.getLogger(__name__)


class _Wire:
    """`connections.Wire` over a connection of the websockets library."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket

    @property
    def congested(self) -> bool:
        return self._socket.transport.get_write_buffer_size() > _BUFFER_LIMIT

    async def send(self, data: str) -> None:
        # A frame carries 32 KB; what is longer goes out in several. A character takes four bytes at most.
        step = FRAME_LIMIT // 4
        parts = [data] if len(data) <= step else [data[at : at + step] for at in range(0, len(data), step)]
        try:
            await self._socket.send(data if len(parts) == 1 else parts)
        except ConnectionClosed as error:
            raise ConnectionError("the connection is closed") from error

    async def close(self, code: int, reason: str) -> None:
        await self._socket.close(code, reason)


class SocketGateway:
    def __init__(self, api: SocketApi, pools: Mapping[str, Pool], connections: Connections, clock: Clock) -> None:
        self._api, self._pools, self._connections, self._clock = api, pools, connections, clock
        self._event = Event(api)
        self._clients: dict[ServerConnection, Client] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, port: int) -> Server:
        return await serve(
            self._serve,
            "127.0.0.1",
            port,
            process_request=self._admit,
            open_timeout=2 * _INTEGRATION_TIMEOUT_S + 2,  # authorizer and $connect
            compression=None,
            ping_interval=None,  # API Gateway sends no pings
            max_size=(MESSAGE_LIMIT, FRAME_LIMIT),
            write_limit=2 * _BUFFER_LIMIT,
            server_header=None,
            reuse_port=True,
        )

    async def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        """Everything before 101; an answer refuses the connection."""
        url = urlsplit(request.path)
        if url.path.strip("/") != self._api.stage:
            return _refuse(socket, HTTPStatus.FORBIDDEN, "Forbidden")
        client = self._client(socket, request, url.query)
        refusal = await self._authorize(client) or await self._connect(client)
        if refusal:
            return _refuse(socket, refusal, refusal.phrase)
        self._clients[socket] = client
        return None

    def _client(self, socket: ServerConnection, request: Request, query: str) -> Client:
        address = str(socket.remote_address[0])
        headers = [*request.headers.raw_items(), ("X-Forwarded-For", address), ("X-Forwarded-Proto", "http")]
        host = request.headers.get("Host", "")
        return Client(new_connection_id(), host, address, headers, query, self._clock.now())

    async def _authorize(self, client: Client) -> HTTPStatus | None:
        authorizer = self._api.authorizer
        if authorizer is None:
            return None
        if missing_identity(authorizer.identity_sources, client):
            return HTTPStatus.UNAUTHORIZED
        event = self._event.authorize(client, self._clock.now())
        outcome = await self._invoke(authorizer.function, event)
        if outcome.failed:
            raised = as_object(json.loads(outcome.payload)).get("errorMessage")
            return HTTPStatus.UNAUTHORIZED if raised == "Unauthorized" else HTTPStatus.INTERNAL_SERVER_ERROR
        context = verdict(json.loads(outcome.payload), str(event["methodArn"]))
        if context is None:
            return HTTPStatus.FORBIDDEN
        client.authorizer = context
        return None

    async def _connect(self, client: Client) -> HTTPStatus | None:
        function = self._api.routes.get("$connect")
        if function is None:
            return None
        outcome = await self._invoke(function, self._event.connect(client, self._clock.now()))
        status = _status(outcome)
        if status is None:
            return HTTPStatus.BAD_GATEWAY
        return HTTPStatus(status) if status >= 400 else None

    async def _serve(self, socket: ServerConnection) -> None:
        connection = Connection(self._clients.pop(socket), _Wire(socket), self._clock.now())
        self._connections.add(connection)
        watch = asyncio.create_task(self._watch(connection))
        try:
            async for message in socket:
                connection.last_active = self._clock.now()
                self._take(connection, message)
        except ConnectionClosed:
            pass  # not closed in order; the code below tells
        finally:
            watch.cancel()
            self._connections.remove(connection)
            self._disconnect(connection.client, socket.close_code or 1006, socket.close_reason or "")

    def _take(self, connection: Connection, message: str | bytes) -> None:
        faults = self._connections.faults
        if faults.lose_frames:
            faults.lose_frames -= 1
            return
        self._connections.trace.frame("in", connection.client.connection_id, message)
        self._spawn(self._handle(connection, message))

    async def _handle(self, connection: Connection, message: str | bytes) -> None:
        route = self._route(message)
        event = self._event.message(connection.client, route, message, self._clock.now())
        function = self._api.routes.get(route)
        if function is None:
            await self._complain(connection, event, "Forbidden")
            return
        outcome = await self._invoke(function, event)
        if _status(outcome) is None:
            await self._complain(connection, event, "Internal server error")

    def _route(self, message: str | bytes) -> str:
        """The route that the message itself names by the selection expression, if there is one; else $default."""
        try:
            found: JsonValue = json.loads(message)
        except ValueError:
            return "$default"
        for name in self._api.selection.removeprefix("$request.body.").split("."):
            found = as_object(found).get(name)
        return found if isinstance(found, str) and found in self._api.routes else "$default"

    async def _complain(self, connection: Connection, event: JsonObject, message: str) -> None:
        request_id = as_object(event["requestContext"])["requestId"]
        said = {"message": message, "connectionId": connection.client.connection_id, "requestId": request_id}
        try:
            await connection.wire.send(json.dumps(said))
        except ConnectionError:
            return  # nobody left to complain to

    def _disconnect(self, client: Client, code: int, reason: str) -> None:
        function = self._api.routes.get("$disconnect")
        if function and not self._connections.faults.drop_disconnects:
            event = self._event.disconnect(client, code, reason, self._clock.now())
            self._spawn(self._tell(function, event))

    async def _tell(self, function: str, event: JsonObject) -> None:
        await self._invoke(function, event)

    async def _watch(self, connection: Connection) -> None:
        """Closes a connection that is idle or old; both are over for good, whatever the client thinks of it."""
        end = connection.client.connected_at + _LIFE_LIMIT_S
        while self._clock.now() < (cut := min(end, connection.last_active + _IDLE_LIMIT_S)):
            await self._clock.sleep_until(cut)
        await connection.wire.close(_GOING_AWAY, "Going away")

    async def _invoke(self, function: str, event: JsonObject) -> Outcome:
        try:
            invocation = self._pools[function].invoke(json.dumps(event).encode())
            outcome = await asyncio.wait_for(invocation, _INTEGRATION_TIMEOUT_S)
        except TimeoutError:
            outcome = Outcome(b'{"errorType": "Endpoint request timed out"}', failed=True)
        if outcome.failed:
            _log.warning("%s failed with %s; its log says more", function, outcome.error_type)
        return outcome

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _refuse(socket: ServerConnection, status: HTTPStatus, message: str) -> Response:
    response = socket.respond(status, json.dumps({"message": message}))
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response


def _status(outcome: Outcome) -> int | None:
    """The status that an integration answered with; None where it failed or answered out of shape."""
    if outcome.failed:
        return None
    status = as_object(json.loads(outcome.payload)).get("statusCode")
    return int(status) if isinstance(status, int | str) else None
