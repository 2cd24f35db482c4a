"""One timer for many modems: an entry each in one heap, one wake-up of the event loop for the earliest."""

import asyncio
import heapq
from typing import Protocol

# What is due within this time happens now. It saves wake-ups, and makes up for the wake-ups that come as much too late.
_EARLY_S = 0.00025


class Ticked(Protocol):
    @property
    def due(self) -> float | None: ...

    def tick(self, now: float) -> None: ...


class Ticker:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[float, int, Ticked]] = []
        self._planned: dict[int, float] = {}
        self._handle: asyncio.TimerHandle | None = None

    def plan(self, ticked: Ticked) -> None:
        """Call after anything that may have changed `due`. An entry that proves too early is made again."""
        due, key = ticked.due, id(ticked)
        if due is None or due >= self._planned.get(key, float("inf")):
            return
        self._planned[key] = due
        heapq.heappush(self._heap, (due, key, ticked))
        self._arm()

    def forget(self, ticked: Ticked) -> None:
        self._heap = [entry for entry in self._heap if entry[1] != id(ticked)]
        heapq.heapify(self._heap)
        self._planned.pop(id(ticked), None)

    def close(self) -> None:
        self._heap.clear()
        if self._handle is not None:
            self._handle.cancel()

    def _arm(self) -> None:
        when = self._heap[0][0] - _EARLY_S
        if self._handle is not None:
            if self._handle.when() <= when:
                return
            self._handle.cancel()
        self._handle = self._loop.call_at(when, self._run)

    def _run(self) -> None:
        self._handle = None
        now = self._loop.time() + _EARLY_S
        while self._heap and self._heap[0][0] <= now:
            due, key, ticked = heapq.heappop(self._heap)
            if self._planned.get(key) == due:
                del self._planned[key]
                ticked.tick(now)
                self.plan(ticked)
        if self._heap:
            self._arm()
