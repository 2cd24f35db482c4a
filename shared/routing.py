"""Which agent and span takes which message: a pure choice from a snapshot.

Rule: `spans` of a request is a pool [C, the vendor's devices do so]: each destination gets one message, through one
span. Available spans come first, the one free soonest before the others; where they are alike, the deal goes round.
A span at its cap is never dealt: the agent knows nothing of caps and would send.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from heapq import heapify, heappop, heapreplace

from shared.caps import Room
from shared.errors import NO_SPAN, UNKNOWN_PORT, ApiError
from shared.message import Port, Site, Snapshot
from shared.wire import SpanInfo

SECONDS_A_MESSAGE = 4.0  # what one waiting message holds a modem up; only weighs a queue against a pacing limit


class Standing(IntEnum):
    """How fit a span is to take a message; lower is better, and only AVAILABLE goes out soon."""

    AVAILABLE = 0
    WAITING = 1  # its agent is there, the span is not ready
    OFFLINE = 2  # its agent is not there
    FULL = 3  # at its cap: not chosen until that begins anew
    OUT = 4  # disabled, revoked or no longer there: never chosen


@dataclass(frozen=True, slots=True)
class Seat:
    """A port with all that is known of it. `info` is None when its agent no longer tells of the span."""

    port: Port
    site: Site | None
    info: SpanInfo | None
    standing: Standing
    room: Room | None = None  # what its caps leave, as far as is known

    def wait(self, now: float) -> float:
        """Seconds until it would take one more message, as far as is known. What was told of a queue wears off."""
        if self.info is None or self.site is None:
            return 0.0
        age = max(0.0, now - self.site.told_at.get(self.info.span, now))
        queue = max(0.0, self.info.queue * SECONDS_A_MESSAGE - age)
        return queue + max(0.0, (self.info.next_at or now) - now)


@dataclass(frozen=True, slots=True)
class Deal:
    """One message's way: the agent, and its spans in order of preference; the first is the one dealt."""

    agent: str
    connection: str  # as last known; empty while the agent is offline
    ports: tuple[Port, ...]
    busy_s: float  # until the span dealt will be done with this message, as far as is known


def seats(snapshot: Snapshot, rooms: Mapping[int, Room], parts: int = 1) -> list[Seat]:
    """All ports of the account, by number, for messages of so many parts."""
    told = {(name, info.span): info for name, site in snapshot.sites.items() for info in site.spans}
    found = []
    for number, port in sorted(snapshot.ports.items()):
        site, info, room = snapshot.sites.get(port.agent), told.get((port.agent, port.span)), rooms.get(number)
        full = room is not None and room.parts < parts
        found.append(Seat(port, site, info, _standing(port, site, info, full=full), room))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a deal depends on beside the snapshot."""

    now: float
    turn: int  # decides among equals
    busy: Mapping[int, float] = field(default_factory=dict)  # seconds for which ports have what was dealt of late
    at_once: bool = False  # only what is available now will do
    parts: int = 1  # of each message
    rooms: Mapping[int, Room] = field(default_factory=dict)  # ports of which it is known how full their caps are


def deal(snapshot: Snapshot, wanted: Sequence[int], count: int, moment: Moment) -> list[Deal]:
    """One deal for each of `count` messages.

    Raises ApiError: UNKNOWN_PORT for a port that is not the account's, NO_SPAN when none of the pool can be chosen.
    """
    pool = _pool(snapshot, wanted, moment)
    best = min((seat.standing for seat in pool), default=Standing.OUT)
    if best >= Standing.FULL or (moment.at_once and best is not Standing.AVAILABLE):
        raise _none(pool, best, moment)
    table = _Table(pool, best, moment)
    return [table.deal() for _ in range(count)]


def _standing(port: Port, site: Site | None, info: SpanInfo | None, *, full: bool) -> Standing:
    if port.disabled or site is None or site.agent.revoked or info is None:
        return Standing.OUT
    if full:
        return Standing.FULL
    if not site.agent.connection:
        return Standing.OFFLINE
    return Standing.AVAILABLE if info.available else Standing.WAITING


def _pool(snapshot: Snapshot, wanted: Sequence[int], moment: Moment) -> list[Seat]:
    for number in wanted:
        if number not in snapshot.ports:
            raise ApiError(UNKNOWN_PORT, port=number)
    chosen = frozenset(wanted)
    pool = seats(snapshot, moment.rooms, moment.parts)
    return [seat for seat in pool if not chosen or seat.port.number in chosen]


class _Table:
    """The seats of the best standing, soonest first, and beside each the others of its agent that may stand in."""

    def __init__(self, pool: list[Seat], best: Standing, moment: Moment) -> None:
        waits = {seat.port.number: _wait(seat, moment) for seat in pool}
        self._mates: dict[str, list[Seat]] = defaultdict(list)
        for seat in sorted(pool, key=lambda seat: (seat.standing, waits[seat.port.number])):
            if seat.standing < Standing.FULL:
                self._mates[seat.port.agent].append(seat)
        fit = [seat for seat in pool if seat.standing is best]
        self._queue = [
            (waits[seat.port.number], (place - moment.turn) % len(fit), seat) for place, seat in enumerate(fit)
        ]
        heapify(self._queue)
        self._fits = {seat.port.number: seat.room.parts // moment.parts for seat in fit if seat.room}
        self._none = partial(_none, pool, Standing.FULL, moment)

    def deal(self) -> Deal:
        if not self._queue:
            raise self._none()
        wait, place, chosen = self._queue[0]
        busy = wait + SECONDS_A_MESSAGE
        if self._is_last(chosen.port.number):
            heappop(self._queue)
        else:
            heapreplace(self._queue, (busy, place, chosen))
        others = (seat.port for seat in self._mates[chosen.port.agent] if seat is not chosen)
        connection = chosen.site.agent.connection if chosen.site else ""
        return Deal(chosen.port.agent, connection, (chosen.port, *others), busy)

    def _is_last(self, number: int) -> bool:
        """Whether the port's caps let nothing more through after this message."""
        if number in self._fits:
            self._fits[number] -= 1
        return self._fits.get(number) == 0


def _wait(seat: Seat, moment: Moment) -> float:
    """The larger of what its site told and what was dealt to it since: the two speak of the same messages."""
    return max(seat.wait(moment.now), moment.busy.get(seat.port.number, 0.0))


def _none(pool: list[Seat], best: Standing, moment: Moment) -> ApiError:
    begin_anew = [seat.room.until for seat in pool if seat.room]
    wait = min(begin_anew) - moment.now if best is Standing.FULL and begin_anew else None
    return ApiError(NO_SPAN, retry_after=wait, problem=_why_none(pool, best))


def _why_none(pool: list[Seat], best: Standing) -> str:
    if not pool:
        return "the account has none yet"
    if best is Standing.FULL:
        return "each one asked for is at its daily or monthly limit, or would be by this"
    if best is Standing.OUT:
        return "each one asked for is disabled or no longer there"
    return "each one asked for is offline or not ready, and mode 1 does not wait for that"
