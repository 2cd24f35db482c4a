"""One connection's talk with the cloud, sans-IO: frames and ticks in, frames and orders out. Time is an argument.

Rule: nothing here is durable, and nothing needs to be. What is held and what is not acknowledged is asked of `Facts`
each time, so a session may be lost at any moment and another, on another connection, goes on. Two may run side by
side while the younger takes over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from edge_agent.held import EventRow
from shared import wire
from shared.wire import Accepted, BadFrame, Heartbeat, Hello, Job, Refused, Signal, SpanInfo, Spans

WELCOME_S = 10.0
"""How long a hello may stay unanswered before it is said again, s: a cold cloud function takes up to three seconds."""
HELLOS = 3
ACK_S = 10.0
"""How long events may stay unacknowledged before they are said again, s; doubled each time up to a minute."""
LONGEST_ACK_S = 60.0
WINDOW = 4
"""Frames of events under way at once: enough to hide the round trip, few enough that events gather into frames."""
MAX_INBOUND_BYTES = 128 * 1024
"""Larger messages cannot come through API Gateway (quota: 128 KB a message)."""
_OVERHEAD = 64  # the frame around the events, bytes
_EVENTS_HEAD = '{"v":1,"kind":"events","events":['


class Facts(Protocol):
    """What a session asks of the rest of the agent."""

    def hello(self) -> Hello: ...
    def held(self) -> int: ...
    def signals(self) -> tuple[Signal, ...]: ...
    def events(self) -> Iterable[EventRow]:
        """All that are not acknowledged, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Send:
    text: str


@dataclass(frozen=True, slots=True)
class TakeJobs:
    """To be journaled, and answered with `Session.accepted`."""

    jobs: tuple[Job, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    event_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CancelJobs:
    job_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Welcomed:
    server_time: float
    ports: dict[str, int]


@dataclass(frozen=True, slots=True)
class Renew:
    """The cloud asks for another connection in so many seconds."""

    after_s: float


@dataclass(frozen=True, slots=True)
class Leave:
    """This connection is of no more use. What comes next: another one, a person's help, or nothing."""

    then: Literal["retry", "reenrol", "stop"]
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """For the log."""

    text: str


Output = Send | TakeJobs | Acknowledged | CancelJobs | Welcomed | Renew | Leave | Note


@dataclass(slots=True)
class _Flight:
    """One frame of events under way."""

    left: set[str]
    due: float  # when it is said again


@dataclass(slots=True)
class Session:
    """Call `start` once, then `receive` for each message, `tick` at `next_tick`, and `flush` when there are new
    events."""

    facts: Facts
    heartbeat_s: float = 240.0  # until welcome tells; API Gateway ends what is idle for 10 min (quota)
    welcomed: bool = False
    retired: bool = False  # a younger connection has taken over: this one starts nothing
    _hellos: int = 0
    _hello_due: float = 0.0
    _heartbeat_due: float = 0.0
    _flights: list[_Flight] = field(default_factory=list)
    _silent: int = 0  # time-outs in a row without one acknowledgement

    def start(self, now: float) -> list[Output]:
        self._hellos += 1
        self._hello_due = now + WELCOME_S
        return [Send(wire.encode(self.facts.hello()))]

    def receive(self, text: str, now: float) -> list[Output]:
        """One message from the cloud. Whatever it is, the session goes on, unless the cloud says otherwise."""
        if len(text) > MAX_INBOUND_BYTES:
            return [Note(f"the cloud sent a frame of {len(text)} characters, which is too large; it is ignored")]
        try:
            frame = wire.decode_from_cloud(text)
        except BadFrame as error:
            if said := wire.complaint(text):
                return [Note(f"the cloud could not take a frame, which is said again: {said}")]
            return [Note(f"the cloud sent a frame that is ignored: {error}")]
        match frame:
            case wire.Welcome():
                return self._welcome(frame, now)
            case wire.Jobs():
                return [TakeJobs(frame.jobs, frame.cursor)]
            case wire.Ack():
                return [self._acknowledged(frame.event_ids, now)]
            case wire.Cancel():
                return [CancelJobs(frame.job_ids)]
            case wire.Reconnect():
                return [Renew(frame.after_s)]
            case wire.Refused():
                return self._refused(frame)

    def tick(self, now: float) -> list[Output]:
        """What time has made due."""
        if not self.welcomed:
            return self._hello_again(now)
        outputs: list[Output] = []
        if now >= self._heartbeat_due and not self.retired:
            outputs.append(self.heartbeat(now))
        overdue = [flight for flight in self._flights if now >= flight.due]
        if overdue:
            self._silent += 1
            self._flights = [flight for flight in self._flights if now < flight.due]
        return [*outputs, *self.flush(now)]

    def next_tick(self) -> float:
        """When `tick` has something to do."""
        if not self.welcomed:
            return self._hello_due
        return min([self._heartbeat_due, *(flight.due for flight in self._flights)])

    def flush(self, now: float) -> list[Output]:
        """Frames with events that are not under way, as far as the window lets them."""
        if not self.welcomed or self.retired or len(self._flights) >= WINDOW:
            return []
        outputs: list[Output] = []
        under_way = {event_id for flight in self._flights for event_id in flight.left}
        rows: list[EventRow] = []
        size = _OVERHEAD
        for row in self.facts.events():
            if row.id in under_way:
                continue
            row_size = len(row.body.encode()) + 1
            if rows and size + row_size > wire.MAX_FRAME_BYTES:
                outputs.append(self._take_off(rows, now))
                if len(self._flights) >= WINDOW:
                    return outputs
                rows, size = [], _OVERHEAD
            rows.append(row)  # one that is too large goes alone: the uplink cuts the message into WebSocket frames
            size += row_size
        return [*outputs, self._take_off(rows, now)] if rows else outputs

    def hurry(self) -> None:
        """The next tick brings a heartbeat."""
        self._heartbeat_due = 0.0

    def heartbeat(self, now: float) -> Send:
        self._heartbeat_due = now + self.heartbeat_s
        return Send(wire.encode(Heartbeat(held=self.facts.held(), signals=self.facts.signals())))

    def accepted(self, job_ids: Sequence[str], cursor: str, refused: str = "") -> Send:
        """The answer to `TakeJobs`, once the jobs are on disk."""
        return Send(wire.encode(Accepted(job_ids=tuple(job_ids), cursor=cursor, refused=refused)))

    def changed(self, changed: Iterable[SpanInfo], at: float, gone: Iterable[str] = ()) -> list[Output]:
        """Spans that a person would see differently now. `at` in epoch seconds: one frame may overtake another."""
        if not self.welcomed or self.retired:
            return []  # hello tells them all
        frames = list(wire.batches(changed))
        leaving = tuple(gone)
        if not frames and not leaving:
            return []
        last = frames.pop() if frames else ()
        whole = [*(Spans(at=at, changed=frame) for frame in frames), Spans(at=at, changed=last, gone=leaving)]
        return [Send(wire.encode(frame)) for frame in whole]

    def _welcome(self, frame: wire.Welcome, now: float) -> list[Output]:
        """Said again (a repeated hello), it changes nothing but the clock."""
        self.welcomed = True
        self.heartbeat_s = max(1.0, min(frame.heartbeat_s, 290.0))  # architecture: under 5 min, whatever the cloud says
        self._heartbeat_due = now + self.heartbeat_s
        return [Welcomed(frame.server_time, dict(frame.ports)), *self.flush(now)]

    def _hello_again(self, now: float) -> list[Output]:
        if now < self._hello_due:
            return []
        if self._hellos >= HELLOS:
            return [Leave("retry", f"no welcome within {WELCOME_S * HELLOS:.0f} s")]
        return self.start(now)

    def _take_off(self, rows: Sequence[EventRow], now: float) -> Send:
        self._flights.append(_Flight({row.id for row in rows}, now + self._patience_s))
        return Send(_EVENTS_HEAD + ",".join(row.body for row in rows) + "]}")

    @property
    def _patience_s(self) -> float:
        return min(LONGEST_ACK_S, ACK_S * 2.0**self._silent)

    def _acknowledged(self, event_ids: tuple[str, ...], now: float) -> Acknowledged:
        """Makes room in the window; `flush` uses it once the caller has forgotten the events. The rest of a frame that
        is being worked on is not said again meanwhile: to a cloud that is slow it would only be more work."""
        self._silent = 0
        for flight in self._flights:
            if not flight.left.isdisjoint(event_ids):
                flight.left.difference_update(event_ids)
                flight.due = now + self._patience_s
        self._flights = [flight for flight in self._flights if flight.left]
        return Acknowledged(event_ids)

    def _refused(self, frame: Refused) -> list[Output]:
        then = wire.REFUSALS.get(frame.code, "retry")
        if then == "ignore":
            return [Note(f"the cloud could not use a frame: {frame.code}: {frame.text}")]
        return [Leave(then, f"{frame.code}: {frame.text}")]
