"""What a simulated modem will do later, in order of time. Time is an argument; nothing here waits."""

import heapq
from collections.abc import Callable


class Agenda:
    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    @property
    def due(self) -> float | None:
        """When the next entry wants to run, or None."""
        return self._entries[0][0] if self._entries else None

    def at(self, when: float, action: Callable[[], None]) -> None:
        self._count += 1  # entries of one instant keep the order in which they were made
        heapq.heappush(self._entries, (when, self._count, action))

    def next_before(self, now: float) -> Callable[[], None] | None:
        """Takes off the next action that is due at `now`."""
        if self._entries and self._entries[0][0] <= now:
            return heapq.heappop(self._entries)[2]
        return None
