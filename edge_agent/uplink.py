"""The agent's way to the cloud, kept open for ever: connects, replaces, waits. The only importer of websockets.

Make before break: API Gateway ends each connection after two hours (quota), so its successor is opened before, and
the old one still listens for a while once the new one is welcome.
"""

import asyncio
import logging
import os
import ssl
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import websockets
from websockets.asyncio.client import ClientConnection, connect

from edge_agent.clock import Clock
from edge_agent.config import Cloud, with_credential_of_now
from edge_agent.connection import LINGER_S, Connection, Link, Socket, SocketClosed
from edge_agent.link_policy import PROVEN_S, Backoff, Disconnect, Then, of_close, of_status, renewals
from edge_agent.session import MAX_INBOUND_BYTES
from shared.wire import SpanInfo

log = logging.getLogger(__name__)

OPEN_S = 15.0
LOOK_S = 5.0  # between looks for another credential, while the cloud does not accept the one that was read
CLOSE_S = 0.3  # part of the shutdown's budget; a closing handshake is a courtesy
PING_EVERY_S, PONG_WITHIN_S = 10.0, 15.0
"""A link that died without a word is noticed within the sum of both: less than 30 s."""


class WebSocket:
    """`connection.Socket` over the library's connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def receive(self) -> str:
        try:
            return await self._socket.recv(decode=True)
        except websockets.ConnectionClosed as closed:
            raise SocketClosed(_of_closed(closed)) from None
        except UnicodeDecodeError:
            return ""  # a frame that cannot be read; the session says so

    async def send(self, pieces: Sequence[str]) -> None:
        try:
            await self._socket.send(pieces[0] if len(pieces) == 1 else pieces)
        except websockets.ConnectionClosed as closed:
            raise SocketClosed(_of_closed(closed)) from None

    async def close(self) -> None:
        await self._socket.close()

    @property
    def date(self) -> str:
        """The cloud's time as its answer to the handshake told it (RFC 9110 §6.6.1); empty when it did not."""
        response = self._socket.response
        return response.headers.get("Date", "") if response is not None else ""


_FAILURES = (OSError, websockets.WebSocketException, TimeoutError, ValueError, ImportError)


async def dial(cloud: Cloud) -> WebSocket:
    """One attempt, through the proxy that the environment names, if any. Raises SocketClosed with the reason."""
    try:
        return WebSocket(await _handshake(cloud, {"Authorization": f"Bearer {cloud.credential}"}))
    except _FAILURES as error:
        raise SocketClosed(_of_failure(error)) from error


async def knock(cloud: Cloud, headers: Mapping[str, str]) -> int:
    """A handshake and no more: 200 when the door was opened, else its HTTP status. SocketClosed when there was none."""
    try:
        socket = await _handshake(cloud, headers)
    except websockets.InvalidStatus as refused:
        return refused.response.status_code
    except _FAILURES as error:
        raise SocketClosed(_of_failure(error)) from error
    await socket.close()
    return 200


async def _handshake(cloud: Cloud, headers: Mapping[str, str]) -> ClientConnection:
    return await connect(
        cloud.url,
        additional_headers=headers,
        ssl=_tls(cloud),
        open_timeout=OPEN_S,
        ping_interval=PING_EVERY_S,
        ping_timeout=PONG_WITHIN_S,
        close_timeout=CLOSE_S,
        max_size=MAX_INBOUND_BYTES,
        compression=None,  # API Gateway offers none, and it costs memory
        user_agent_header=None,
    )


@dataclass(slots=True)
class _Running:
    connection: Connection
    task: "asyncio.Task[Disconnect]"
    since: float


class Uplink:
    def __init__(
        self, cloud: Cloud, link: Link, clock: Clock, dialer: Callable[[Cloud], Awaitable[Socket]] | None = None
    ) -> None:
        self._cloud, self._link, self._clock = cloud, link, clock
        self._dial = dialer or dial
        self._current: _Running | None = None
        self._opening: Connection | None = None
        self._backoff = Backoff()
        self._renewals = renewals(cloud.renew_s)
        self._said = ""
        self.state = "not connected yet"

    async def run(self) -> Disconnect:
        """Until the cloud says that this agent must stop; cancelling it closes what is open."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                ended = await self._open(tasks) or await self._until_needed()
                if ended is None:
                    continue  # the current connection is to be replaced
                self._say(ended)
                if ended.then == "stop":
                    self._retire(linger_s=0.0)
                    return ended
                await self._rest(ended.then)

    async def _rest(self, then: Then) -> None:
        """Waits before the next attempt; where a person has to help, no longer than until he has enrolled it anew."""
        until = self._clock.elapsed() + self._backoff.delay(then)
        while (left := until - self._clock.elapsed()) > 0:
            if then != "reenrol":
                await asyncio.sleep(left)
            elif (now := with_credential_of_now(self._cloud)) != self._cloud:
                self._cloud = now
                return
            else:
                await asyncio.sleep(min(left, LOOK_S))

    def poke(self) -> None:
        """There are new events."""
        if self._current is not None:
            self._current.connection.poke()

    def beat(self) -> None:
        """There is room for work again."""
        if self._current is not None:
            self._current.connection.beat()

    def spans_changed(self, changed: Iterable[SpanInfo]) -> None:
        """Told on a connection that still waits for its welcome too: its hello was said before this change."""
        told = list(changed)
        for connection in self._open_ones():
            connection.spans_changed(told)

    def spans_gone(self, spans: Iterable[str]) -> None:
        told = list(spans)
        for connection in self._open_ones():
            connection.spans_gone(told)

    def _open_ones(self) -> Iterator[Connection]:
        if self._current is not None:
            yield self._current.connection
        if self._opening is not None:
            yield self._opening

    async def _open(self, tasks: asyncio.TaskGroup) -> Disconnect | None:
        """Opens a connection and lets it take over once it is welcome; else why it could not."""
        try:
            socket = await self._dial(self._cloud)
        except SocketClosed as closed:
            return closed.disconnect
        self._opening = connection = Connection(socket, self._link, self._clock)
        task = tasks.create_task(connection.run())
        welcome = asyncio.ensure_future(connection.welcomed.wait())
        try:
            await asyncio.wait({task, welcome}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            welcome.cancel()
            self._opening = None
        if task.done():
            return task.result()
        self._retire()
        self._current = _Running(connection, task, self._clock.elapsed())
        self._say(None)
        return None

    def _retire(self, linger_s: float = LINGER_S) -> None:
        if self._current is not None:
            self._current.connection.retire(linger_s)
            self._current = None

    async def _until_needed(self) -> Disconnect | None:
        """Waits until the current connection has ended (why), or is to be replaced (None)."""
        running = self._current
        assert running is not None
        renew = asyncio.ensure_future(running.connection.renew.wait())
        try:
            await self._first_of(running, renew)
        finally:
            renew.cancel()
        if running.connection.renew.is_set():
            await asyncio.wait({running.task}, timeout=running.connection.renew_after_s)
        if running.task.done():
            self._current = None
            return running.task.result()
        return None

    async def _first_of(self, running: _Running, renew: "asyncio.Future[Literal[True]]") -> None:
        lifetime = next(self._renewals)
        waited: set[asyncio.Future[Any]] = {running.task, renew}
        await asyncio.wait(waited, timeout=min(PROVEN_S, lifetime), return_when=asyncio.FIRST_COMPLETED)
        if running.task.done() or renew.done():
            return
        self._backoff.proven()
        await asyncio.wait(waited, timeout=max(0.0, lifetime - PROVEN_S), return_when=asyncio.FIRST_COMPLETED)

    def _say(self, ended: Disconnect | None) -> None:
        """Each reason once, however often it comes again in a row."""
        said = ended.reason if ended else "connected"
        self.state = said
        if said != self._said:
            self._said = said
            log.log(logging.WARNING if ended else logging.INFO, "cloud: %s", said)


def _tls(cloud: Cloud) -> ssl.SSLContext | None:
    if not cloud.url.startswith("wss:"):
        return None
    context = ssl.create_default_context()
    if cloud.ca_file is not None:
        context.load_verify_locations(cloud.ca_file)
    return context


def _of_closed(closed: websockets.ConnectionClosed) -> Disconnect:
    if closed.rcvd is None and closed.sent is not None and closed.sent.code == 1011:
        return Disconnect("retry", f"the link went silent: no pong within {PONG_WITHIN_S:.0f} s")
    return of_close(closed.rcvd.code if closed.rcvd else None, closed.rcvd.reason if closed.rcvd else "")


def _of_failure(error: Exception) -> Disconnect:
    """Why no connection came about, in words with the next step."""
    match error:
        case websockets.InvalidStatus():
            return of_status(error.response.status_code)
        case ssl.SSLCertVerificationError():
            advice = "name the right CA in cloud.ca_file, or set the machine's clock"
            return Disconnect("retry", f"the cloud's certificate is not trusted ({error.verify_message}); {advice}")
        case ImportError():  # the library wants a package that is not installed
            return Disconnect("reenrol", "the environment names a SOCKS proxy; name an HTTP proxy in https_proxy")
        case TimeoutError():
            return Disconnect("retry", f"the cloud did not answer within {OPEN_S:.0f} s")
        case OSError():
            return Disconnect("retry", f"the cloud cannot be reached: {_in_words(error)}")
        case _:
            return Disconnect("retry", f"the cloud cannot be reached: {type(error).__name__}: {error}")


def _in_words(error: OSError) -> str:
    """asyncio's own words hold addresses, which are of no use to anybody; getaddrinfo has codes below 0."""
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or str(error)
