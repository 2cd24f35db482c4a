"""What is kept of each span between its workers: its pace, its failures, and the bell that wakes its worker."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from edge_agent.clock import Clock
from edge_agent.journal import Journal
from edge_agent.pacing import Limits, Pace, day_of

LONGEST_PAUSE_S = 60.0
"""The longest pause after submissions that failed before their first byte; doubled from 1 s."""
_DOUBLINGS = 6  # make more than the longest pause of 1 s; a float ends at 1,023


@dataclass(slots=True)
class Lane:
    pace: Pace
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    failures: int = 0  # submissions in a row that failed before their first byte

    @property
    def pause_s(self) -> float:
        """How long to leave the span alone before it is given work again."""
        return min(LONGEST_PAUSE_S, 2.0 ** min(self.failures - 2, _DOUBLINGS)) if self.failures > 1 else 0.0


class Lanes:
    def __init__(self, journal: Journal, clock: Clock, limits: Callable[[str], Limits]) -> None:
        self._journal, self._clock, self._limits = journal, clock, limits
        self._lanes: dict[str, Lane] = {}

    async def open(self, span: str) -> Lane:
        """The span's lane; the first time, with what it sent before this start."""
        lane = self._lanes.get(span)
        if lane is None:
            pace = Pace(self._limits(span))
            if pace.limits.any:
                now = self._clock.now()
                today, this_month, recent = await self._journal.counts(span, now)
                pace.restore(recent, day_of(now), today, this_month)
            lane = self._lanes.setdefault(span, Lane(pace))
        return lane

    def wake(self, span: str) -> None:
        lane = self._lanes.get(span)
        if lane is not None:
            lane.bell.set()

    def wake_all(self) -> None:
        for lane in self._lanes.values():
            lane.bell.set()

    def next_at(self, span: str) -> float | None:
        """When pacing lets the span send again; None when it may now."""
        lane = self._lanes.get(span)
        if lane is None:
            return None
        now = self._clock.now()
        allowed = lane.pace.next_at(now)
        return allowed if allowed > now else None
