"""How fast a span may send: parts a minute, hour, day and month, and a least gap. Pure: time is an argument.

Minute and hour slide; day and month are those of the UTC calendar, as SIM contracts count days and not hours. A part
counts when it is handed to the modem, whatever becomes of it, because networks block SIMs for attempts too.
"""

import calendar
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Parts a period; 0 means no limit."""

    PERIODS: ClassVar[tuple[str, ...]] = ("per_minute", "per_hour", "per_day", "per_month")
    per_minute: int = 0
    per_hour: int = 0
    per_day: int = 0
    per_month: int = 0
    min_gap_s: float = 0.0

    @property
    def any(self) -> bool:
        return bool(self.per_minute or self.per_hour or self.per_day or self.per_month or self.min_gap_s)


def day_of(now: float) -> str:
    """The UTC day as the counters key it, e.g. "2026-11-22"; its first seven characters are the month."""
    return time.strftime("%Y-%m-%d", time.gmtime(now))


@dataclass(slots=True)
class Pace:
    """What one span has sent lately, and when it may send again."""

    limits: Limits
    recent: deque[float] = field(default_factory=deque)  # of the last hour, only as many as a limit needs
    day: str = ""
    today: int = 0
    this_month: int = 0

    def restore(self, times: Iterable[float], day: str, today: int, this_month: int) -> None:
        """Puts back what was known before a restart."""
        self.recent.extend(times)
        self.day, self.today, self.this_month = day, today, this_month

    def count(self, now: float) -> None:
        """One part is handed to the modem now."""
        if not self.limits.any:
            return
        self._turn(now)
        self.today += 1
        self.this_month += 1
        self.recent.append(now)
        while len(self.recent) > max(1, self.limits.per_minute, self.limits.per_hour):
            self.recent.popleft()

    def next_at(self, now: float, parts: int = 1) -> float:
        """When `parts` parts may go out, not before `now`. A message larger than a limit waits for a full period."""
        limits = self.limits
        if not limits.any:
            return now
        self._turn(now)
        allowed = now
        if limits.min_gap_s and self.recent:
            allowed = max(allowed, self.recent[-1] + limits.min_gap_s)
        for limit, period in ((limits.per_minute, MINUTE), (limits.per_hour, HOUR)):
            allowed = max(allowed, self._slides(limit, period, parts))
        if limits.per_day and self.today + min(parts, limits.per_day) > limits.per_day:
            allowed = max(allowed, (now // DAY + 1) * DAY)
        if limits.per_month and self.this_month + min(parts, limits.per_month) > limits.per_month:
            allowed = max(allowed, _next_month(now))
        return allowed

    def _slides(self, limit: int, period: float, parts: int) -> float:
        """When the oldest of the `limit` latest parts has left the period, so that `parts` more fit in."""
        if not limit:
            return 0.0
        room = limit - min(parts, limit)  # so many of the recent ones may still be inside
        if len(self.recent) <= room:
            return 0.0
        return self.recent[-1 - room] + period

    def _turn(self, now: float) -> None:
        """Starts a new day or month. A clock that jumps back leaves the counts as they are."""
        today = day_of(now)
        if today <= self.day:
            return
        if today[:7] != self.day[:7]:
            self.this_month = 0
        self.day, self.today = today, 0


def _next_month(now: float) -> float:
    moment = time.gmtime(now)
    year, month = (moment.tm_year + 1, 1) if moment.tm_mon == 12 else (moment.tm_year, moment.tm_mon + 1)
    return float(calendar.timegm((year, month, 1, 0, 0, 0)))
