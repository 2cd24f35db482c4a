"""What time it is, for deadlines that the cloud set. Rule: only this file and __main__ ask the machine for the time.

A site's computer often has no battery behind its clock, and is years off until the network has set it. Once the cloud
has told its time, that time plus what has elapsed since is the truth, and a machine clock that jumps changes nothing.
Before that, the machine's clock is followed, so that a correction by NTP counts at once.
"""

import time
from collections.abc import Callable
from functools import partial

_elapsed = partial(time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
"""Seconds since some moment, counted during suspend too where the system can (Linux)."""


class Clock:
    """Epoch seconds. `told` says whether they are the cloud's."""

    def __init__(self, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = _elapsed) -> None:
        self._wall, self._elapsed = wall, elapsed
        self._offset: float | None = None
        self._not_before = 0.0

    def now(self) -> float:
        if self._offset is None:
            return self._wall()
        return self._elapsed() + self._offset

    def elapsed(self) -> float:
        """For durations: never jumps."""
        return self._elapsed()

    @property
    def told(self) -> bool:
        return self._offset is not None

    def tell(self, server_time: float) -> float:
        """The cloud's time. Returns by how much the machine's clock is ahead of it."""
        self._offset = server_time - self._elapsed()
        return self._wall() - server_time

    def not_before(self, moment: float) -> None:
        """It was this late already (the journal knows); a clock behind it is wrong."""
        self._not_before = max(self._not_before, moment)

    @property
    def plausible(self) -> bool:
        """Whether deadlines can be held with it: a day's slack for a machine that was corrected backwards."""
        return self.told or self._wall() > self._not_before - 86_400.0
