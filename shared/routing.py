"""Which agent and span takes which message: a pure choice from a snapshot.

Rule: `spans` of a request is a pool [C, the vendor's devices do so]: each destination gets one message, through one
span. Available spans come first, the one free soonest before the others; where they are alike, the deal goes round.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from shared.errors import NO_SPAN, UNKNOWN_PORT, ApiError
from shared.message import Port, Site, Snapshot
from shared.wire import SpanInfo

SECONDS_A_MESSAGE = 4.0  # what one waiting message holds a modem up; only weighs a queue against a pacing limit


class Standing(IntEnum):
    """How fit a span is to take a message; lower is better, and only AVAILABLE goes out soon."""

    AVAILABLE = 0
    WAITING = 1  # its agent is there, the span is not ready
    OFFLINE = 2  # its agent is not there
    OUT = 3  # disabled, revoked or no longer there: never chosen


@dataclass(frozen=True, slots=True)
class Seat:
    """A port with all that is known of it. `info` is None when its agent no longer tells of the span."""

    port: Port
    site: Site | None
    info: SpanInfo | None

    @property
    def standing(self) -> Standing:
        if self.port.disabled or self.site is None or self.site.agent.revoked or self.info is None:
            return Standing.OUT
        if not self.site.agent.connection:
            return Standing.OFFLINE
        return Standing.AVAILABLE if self.info.available else Standing.WAITING

    def wait(self, now: float) -> float:
        """Seconds until it would take one more message, as far as is known."""
        if self.info is None:
            return 0.0
        return self.info.queue * SECONDS_A_MESSAGE + max(0.0, (self.info.next_at or now) - now)


@dataclass(frozen=True, slots=True)
class Deal:
    """One message's way: the agent, and its spans in order of preference; the first is the one dealt."""

    agent: str
    connection: str
    ports: tuple[Port, ...]


def seats(snapshot: Snapshot) -> list[Seat]:
    """All ports of the account, by number."""
    return [_seat(snapshot, port) for _, port in sorted(snapshot.ports.items())]


def deal(snapshot: Snapshot, wanted: Sequence[int], count: int, *, now: float, turn: int, at_once: bool) -> list[Deal]:
    """One deal for each of `count` messages. `turn` decides among equals; `at_once`: only what is available will do.

    Raises ApiError: UNKNOWN_PORT for a port that is not the account's, NO_SPAN when none of the pool can be chosen.
    """
    pool = _pool(snapshot, wanted)
    best = min((seat.standing for seat in pool), default=Standing.OUT)
    if best is Standing.OUT or (at_once and best is not Standing.AVAILABLE):
        raise ApiError(NO_SPAN, problem=_why_none(pool, best))
    turn %= len(pool)
    pool = pool[turn:] + pool[:turn]
    waits = {seat.port.number: seat.wait(now) for seat in pool}
    return [_deal_one(pool, best, waits) for _ in range(count)]


def _seat(snapshot: Snapshot, port: Port) -> Seat:
    site = snapshot.sites.get(port.agent)
    info = None if site is None else next((info for info in site.spans if info.span == port.span), None)
    return Seat(port, site, info)


def _pool(snapshot: Snapshot, wanted: Sequence[int]) -> list[Seat]:
    for number in wanted:
        if number not in snapshot.ports:
            raise ApiError(UNKNOWN_PORT, port=number)
    return [_seat(snapshot, snapshot.ports[number]) for number in wanted] if wanted else seats(snapshot)


def _deal_one(pool: list[Seat], best: Standing, waits: dict[int, float]) -> Deal:
    """Takes the best seat; the other spans of its agent follow, so that the agent can turn to them if it fails."""
    chosen = min((seat for seat in pool if seat.standing is best), key=lambda seat: waits[seat.port.number])
    others = [seat for seat in pool if _may_stand_in(seat, chosen)]
    others.sort(key=lambda seat: (seat.standing, waits[seat.port.number]))
    waits[chosen.port.number] += SECONDS_A_MESSAGE
    connection = chosen.site.agent.connection if chosen.site else ""
    return Deal(chosen.port.agent, connection, tuple(seat.port for seat in [chosen, *others]))


def _may_stand_in(seat: Seat, chosen: Seat) -> bool:
    return seat is not chosen and seat.port.agent == chosen.port.agent and seat.standing is not Standing.OUT


def _why_none(pool: list[Seat], best: Standing) -> str:
    if not pool:
        return "the account has none yet"
    if best is Standing.OUT:
        return "each one asked for is disabled or no longer there"
    return "each one asked for is offline or not ready, and mode 1 does not wait for that"
