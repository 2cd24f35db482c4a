"""One connection to the cloud while it lasts: carries frames between a socket and its session, and orders to the
agent."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from edge_agent.book import Acceptance
from edge_agent.clock import Clock
from edge_agent.link_policy import Disconnect
from edge_agent.session import (
    Acknowledged,
    CancelJobs,
    Facts,
    Leave,
    Note,
    Output,
    Renew,
    Send,
    Session,
    TakeJobs,
    Welcomed,
)
from shared.wire import MAX_FRAME_BYTES, Job, SpanInfo

log = logging.getLogger(__name__)

LINGER_S = 15.0
"""How long a connection that was replaced still listens: frames posted to it a moment ago may be under way."""


class Socket(Protocol):
    """What is needed of a WebSocket; uplink.py makes them. `receive` and `send` raise SocketClosed."""

    async def receive(self) -> str: ...
    async def send(self, pieces: Sequence[str]) -> None:
        """One message, in so many WebSocket frames."""
        ...

    async def close(self) -> None: ...


class SocketClosed(Exception):
    """The socket has ended."""

    def __init__(self, disconnect: Disconnect) -> None:
        super().__init__(disconnect.reason)
        self.disconnect = disconnect


class Link(Facts, Protocol):
    """The agent as a connection sees it."""

    async def take_jobs(self, jobs: Sequence[Job]) -> Acceptance: ...
    async def cancel_jobs(self, job_ids: Sequence[str]) -> None: ...
    def acknowledged(self, event_ids: Sequence[str]) -> None: ...

    def welcomed(self, server_time: float, ports: dict[str, int]) -> None: ...


class Connection:
    def __init__(self, socket: Socket, link: Link, clock: Clock) -> None:
        self._socket, self._link, self._clock = socket, link, clock
        self._session = Session(link)
        self._bell = asyncio.Event()
        self._close_at: float | None = None
        self._spans: dict[str, SpanInfo] = {}
        self._gone: set[str] = set()
        self.welcomed = asyncio.Event()
        self.renew = asyncio.Event()
        self.renew_after_s = 0.0

    async def run(self) -> Disconnect:
        """Until it ends, for whatever reason."""
        both = [asyncio.ensure_future(self._listen()), asyncio.ensure_future(self._tend())]
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            with contextlib.suppress(SocketClosed):
                await self._socket.close()

    def poke(self) -> None:
        """There are new events."""
        self._bell.set()

    def beat(self) -> None:
        """A heartbeat now: `held` makes the cloud drain again what was refused."""
        self._session.hurry()
        self._bell.set()

    def spans_changed(self, changed: Iterable[SpanInfo]) -> None:
        """To be told; only the latest of each span is."""
        self._spans.update((info.span, info) for info in changed)
        self._bell.set()

    def spans_gone(self, spans: Iterable[str]) -> None:
        self._gone.update(spans)
        self._bell.set()

    def retire(self, linger_s: float) -> None:
        """A younger connection has taken over: this one starts nothing, listens for a while and closes."""
        self._session.retired = True
        self._close_at = self._clock.elapsed() + linger_s
        self._bell.set()

    async def _listen(self) -> Disconnect:
        try:
            while True:
                text = await self._socket.receive()
                await self._carry_out(self._session.receive(text, self._clock.elapsed()))
        except SocketClosed as closed:
            return closed.disconnect
        except _Left as left:
            return left.disconnect

    async def _tend(self) -> Disconnect:
        try:
            await self._carry_out(self._session.start(self._clock.elapsed()))
            while not self._is_over():
                await self._wait()
                now = self._clock.elapsed()
                await self._carry_out(self._session.tick(now))
                await self._tell_spans()
                await self._carry_out(self._session.flush(now))
        except SocketClosed as closed:
            return closed.disconnect
        except _Left as left:
            return left.disconnect
        return Disconnect("retry", "it was replaced by a younger connection")

    async def _wait(self) -> None:
        due = self._session.next_tick()
        if self._close_at is not None:
            due = self._close_at
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, due - self._clock.elapsed())):
                await self._bell.wait()
        self._bell.clear()

    def _is_over(self) -> bool:
        return self._close_at is not None and self._clock.elapsed() >= self._close_at

    async def _tell_spans(self) -> None:
        if (self._spans or self._gone) and self._session.welcomed:
            changed, gone = list(self._spans.values()), self._gone
            self._spans, self._gone = {}, set()
            await self._carry_out(self._session.changed(changed, self._clock.now(), gone))

    async def _carry_out(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            match output:
                case Send(text):
                    await self._socket.send(_pieces(text))
                case TakeJobs(jobs, cursor):
                    await self._take_jobs(jobs, cursor)
                case Acknowledged(event_ids):
                    await self._acknowledge(event_ids)
                case CancelJobs(job_ids):
                    await self._link.cancel_jobs(job_ids)
                case Welcomed(server_time, ports):
                    self._link.welcomed(server_time, ports)
                    self.welcomed.set()
                    self._bell.set()
                case Renew(after_s):
                    self.renew_after_s = after_s
                    self.renew.set()
                case Leave(then, reason):
                    raise _Left(Disconnect(then, reason))
                case Note(text):
                    log.warning(text)

    async def _take_jobs(self, jobs: Sequence[Job], cursor: str) -> None:
        """A refusal ends the draining: the next heartbeat's `held` starts it again."""
        acceptance = await self._link.take_jobs(jobs)
        cursor = "" if acceptance.refused else cursor
        await self._carry_out([self._session.accepted(acceptance.job_ids, cursor, acceptance.refused)])

    async def _acknowledge(self, event_ids: Sequence[str]) -> None:
        self._link.acknowledged(event_ids)
        await self._carry_out(self._session.flush(self._clock.elapsed()))


class _Left(Exception):
    def __init__(self, disconnect: Disconnect) -> None:
        super().__init__(disconnect.reason)
        self.disconnect = disconnect


def _pieces(text: str) -> list[str]:
    """A message larger than a frame may be (API Gateway quota: 32 KB) goes in several; ASCII text has as many bytes."""
    if len(text.encode()) <= MAX_FRAME_BYTES:
        return [text]
    step = MAX_FRAME_BYTES // 4  # a character has at most four bytes
    return [text[start : start + step] for start in range(0, len(text), step)]
