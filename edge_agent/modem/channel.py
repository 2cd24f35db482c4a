"""The engine on a real port: futures, one timer, straight writes; one queue, so that nothing cuts into a submission.

Cheap by design, since every message passes here: no task a command, replies resolved from within the reader's callback,
the next command written in the same callback, and a timer that is only set anew when it fires or is too late.
"""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from edge_agent.modem.commands import Command
from edge_agent.modem.engine import Engine, Phase
from edge_agent.modem.reply import Answered, Event, Lost, Outcome, Prompted, Rebooted, Reply, Synced, Urc
from edge_agent.modem.trace import Trace


class Link(Protocol):
    """Bytes to a modem. Never blocks, never raises: trouble is told to `Channel.link_lost`."""

    @property
    def device(self) -> str: ...
    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...


class Listener(Protocol):
    """Who owns a channel: told at once, from within the reader's callback, so it must not take long."""

    def on_urc(self, urc: Urc) -> None: ...
    def on_trouble(self, outcome: Outcome, reason: str) -> None:
        """TIMEOUT, NO_PROMPT: being resynchronised. REBOOTED: settings are gone. GONE: the port is, or is deaf."""
        ...


Mark = Callable[[], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Request:
    """`released`: some of its PDU may be out, whatever became of who waits for the reply."""

    command: Command
    future: asyncio.Future[Reply]
    mark: Mark | None = None
    marking: asyncio.Future[None] | None = None
    released: bool = False


class Channel:
    """Commands go out one at a time, in order; `urgent` ones first.

    A modem that was left alone for `wake_after` seconds may sleep and lose what wakes it. So a plain AT goes before the
    next command, be it a submission, and when that is lost the dialogue is resynchronised and nobody is troubled.
    """

    def __init__(
        self,
        listener: Listener,
        waits: tuple[float, ...],
        trace: Trace | None = None,
        *,
        wake_after: float = math.inf,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._engine = Engine(waits)
        self._listener = listener
        self._trace = trace
        self._link: Link | None = None
        self._queue: deque[Request] = deque()
        self._current: Request | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._synced: asyncio.Future[bool] | None = None
        self._wake_up = Command("AT", deadline_s=waits[0])
        self._wake_after = wake_after
        self._sleeps_at = math.inf  # from then on it may
        self.upsets = 0  # how often the dialogue got out of step: what was set before may not be in force
        self.restore: tuple[Command, ...] = ()  # set again whenever the dialogue was out of step

    # For who uses it

    def attach(self, link: Link) -> None:
        """Gives it a port; call `synchronise` next."""
        self._link = link

    @property
    def attached(self) -> bool:
        return self._link is not None

    async def synchronise(self) -> bool:
        """Gets in step with the modem from any state; False when it does not answer."""
        if self._link is None:
            return False
        self._fail_all(Outcome.GONE)
        self.restore, self._engine.echo = (), None
        self._synced = self._loop.create_future()
        self._engine.resynchronise(self._loop.time())
        self._flush()
        return await self._synced

    def request(self, command: Command, *, urgent: bool = False) -> asyncio.Future[Reply]:
        """The reply to come; it is never an exception. Cancelling the future withdraws a command not yet begun."""
        return self._enqueue(Request(command, self._loop.create_future()), urgent)

    def submit(self, command: Command, mark: Mark) -> Request:
        """Like `request` for a command with a PDU: `mark` is begun with the command and done before the PDU goes."""
        request = Request(command, self._loop.create_future(), mark)
        self._enqueue(request, urgent=False)
        return request

    def close(self) -> None:
        """Ends everything; the port is closed at once, so that the kernel can let a vanished device go."""
        link, self._link = self._link, None
        if link is not None:
            link.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._trace is not None:
            self._trace.end()
        self._fail_all(Outcome.GONE)
        self._settle_sync(False)

    # For the port

    def data_received(self, data: bytes) -> None:
        if self._trace is not None:
            self._trace.received(data)
        for event in self._engine.receive(data, self._loop.time()):
            self._on_event(event)
        self._flush()

    def link_lost(self, reason: str) -> None:
        if self._link is None:
            return
        self.close()
        self._listener.on_trouble(Outcome.GONE, reason)

    # Inside

    def _enqueue(self, request: Request, urgent: bool) -> asyncio.Future[Reply]:
        if self._link is None or self._engine.phase is Phase.DEAD:
            request.future.set_result(Reply(Outcome.GONE))
            return request.future
        if urgent:
            self._queue.appendleft(request)
        else:
            self._queue.append(request)
        if self._current is None:
            self._flush()
        return request.future

    def _flush(self) -> None:
        """Starts what can be started, writes what is to be written, and sees to the timer."""
        engine = self._engine
        while engine.phase is Phase.IDLE and self._queue:
            now = self._loop.time()
            awake = now < self._sleeps_at
            request = self._queue.popleft() if awake else Request(self._wake_up, self._loop.create_future())
            if not request.future.done():
                self._begin(request, now)
        self._write()
        if engine.deadline is not None and (self._timer is None or engine.deadline < self._timer.when()):
            self._set_timer(engine.deadline)

    def _begin(self, request: Request, now: float) -> None:
        self._current = request
        self._engine.start(request.command, now)
        if request.mark is not None:
            self._write()  # the modem makes its prompt ready meanwhile
            request.marking = asyncio.ensure_future(request.mark())

    def _write(self) -> None:
        data = self._engine.data_to_send()
        if data and self._link is not None:
            if self._trace is not None:
                self._trace.sent(data, secret=self._current is not None and self._current.command.secret)
            self._link.write(data)

    def _set_timer(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._tick)

    def _tick(self) -> None:
        self._timer = None
        for event in self._engine.tick(self._loop.time()):
            self._on_event(event)
        self._flush()

    def _on_event(self, event: Event) -> None:
        match event:
            case Urc():
                self._listener.on_urc(event)
            case Answered():
                self._answer(event.reply)
            case Prompted():
                self._prompted()
            case Synced():
                self._on_synced()
            case Rebooted():
                self._fail_all(Outcome.REBOOTED)
                self._listener.on_trouble(Outcome.REBOOTED, f"the modem restarted ({event.said})")
            case Lost():
                self._lost(event.reason)

    def _on_synced(self) -> None:
        """Before anything else the settings: whatever upset the modem may have reset them without a word."""
        self._sleeps_at = self._loop.time() + self._wake_after
        if self._synced is not None:
            self._settle_sync(True)
            return
        for command in reversed(self.restore):
            self._queue.appendleft(Request(command, self._loop.create_future()))

    def _answer(self, reply: Reply) -> None:
        request, self._current = self._current, None
        if request is None:
            return
        self._sleeps_at = self._loop.time() + self._wake_after
        if reply.outcome not in {Outcome.OK, Outcome.ERROR}:
            self.upsets += 1
        if not request.future.done():
            request.future.set_result(reply)
        if request.marking is not None and not reply.payload_sent:
            request.marking.add_done_callback(_looked_at)
        if reply.outcome in {Outcome.TIMEOUT, Outcome.NO_PROMPT} and request.command is not self._wake_up:
            self._listener.on_trouble(reply.outcome, f"{reply.in_words} ({request.command.name})")

    def _prompted(self) -> None:
        request = self._current
        if request is None or request.marking is None:
            self._abandon("nobody waits for it")
        elif request.marking.done():
            self._marked(request)
        else:
            request.marking.add_done_callback(lambda _: self._marked_late(request))

    def _marked_late(self, request: Request) -> None:
        if self._current is request and self._engine.phase is Phase.HELD:
            self._marked(request)
            self._flush()

    def _marked(self, request: Request) -> None:
        marking = request.marking
        if request.future.cancelled():
            self._abandon("withdrawn")
        elif marking is None or marking.cancelled() or marking.exception() is not None:
            self._abandon("the journal could not note it")
        else:
            request.released = True
            self._engine.release(self._loop.time())

    def _abandon(self, reason: str) -> None:
        for event in self._engine.abandon(self._loop.time(), reason):
            self._on_event(event)

    def _lost(self, reason: str) -> None:
        self._fail_all(Outcome.GONE, reason)
        if self._synced is not None:
            self._settle_sync(False)
        else:
            self._listener.on_trouble(Outcome.GONE, reason)

    def _fail_all(self, outcome: Outcome, reason: str = "") -> None:
        if self._current is not None:
            self._answer(self._engine.give_up(outcome, reason))
        while self._queue:
            request = self._queue.popleft()
            if not request.future.done():
                request.future.set_result(Reply(outcome, reason=reason))

    def _settle_sync(self, synced: bool) -> None:
        waiting, self._synced = self._synced, None
        if waiting is not None and not waiting.done():
            waiting.set_result(synced)


def _looked_at(marking: asyncio.Future[None]) -> None:
    """A mark that failed after nobody needed it any more is no error to be logged by asyncio."""
    if not marking.cancelled():
        marking.exception()
