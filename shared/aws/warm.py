"""What a warm function remembers for seconds. Rule: only what may be seconds old without harm."""

from collections.abc import Callable
from typing import Generic, TypeVar

from shared.ports import Clock

_K = TypeVar("_K")
_V = TypeVar("_V")

_MOST = 1000  # entries; a function serves few accounts within seconds, so past this it starts anew


class Warm(Generic[_K, _V]):
    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds
        self._entries: dict[_K, tuple[float, _V]] = {}

    def get(self, key: _K, read: Callable[[], _V]) -> _V:
        """As remembered, or read now."""
        now = self._clock.now()
        known = self._entries.get(key)
        if known is not None and 0 <= now - known[0] < self._seconds:
            return known[1]
        if len(self._entries) >= _MOST:
            self._entries.clear()
        value = read()
        self._entries[key] = (now, value)
        return value

    def clear(self) -> None:
        self._entries.clear()

    def forget(self, key: _K) -> None:
        """After a write of one's own; other warm functions find out in seconds."""
        self._entries.pop(key, None)
