"""Times as callers write and read them: `YYYY-MM-DD HH:MM:SS` in the account's zone [C: IANA name, default UTC].

Rule: inside, a time is epoch seconds; only this file turns it into text or back.
"""

import re
from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_WRITTEN = re.compile(
    r"(?P<year>[0-9]{4}|[0-9]{2})[-/](?P<month>[0-9]{1,2})[-/](?P<day>[0-9]{1,2})"
    r"(?:[ T](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2})(?::(?P<second>[0-9]{1,2}))?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MICROSECOND = timedelta(microseconds=999_999)


def parse(text: str, *, last: bool = False) -> datetime:
    """The first zoneless moment a text stands for, or the last: a day alone means all of it. May raise ValueError."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise ValueError("must be a time like 2026-01-31 23:59:59")
    try:
        day = datetime(_year(found["year"]), int(found["month"]), int(found["day"]))
        return datetime.combine(day, _clock(found, last)) + (_LAST_MICROSECOND if last else timedelta())
    except ValueError:
        raise ValueError("is no day or time that exists") from None


def _year(digits: str) -> int:
    """[C] Two digits are of this century."""
    return int(digits) if len(digits) == 4 else 2000 + int(digits)


def _clock(found: re.Match[str], last: bool) -> time:
    filler = ("23", "59", "59") if last else ("0", "0", "0")
    given = (found["hour"], found["minute"], found["second"])
    hour, minute, second = (int(digits or fill) for digits, fill in zip(given, filler, strict=True))
    return time(hour, minute, second)


def to_epoch(moment: datetime, zone: str, *, last: bool = False) -> float:
    """A zoneless moment to epoch seconds. Of an hour that occurs twice, the first one, or with `last` the second.

    A moment that the clock jumps over is that of the jump, or with `last` the microsecond before it: what is shown
    from 02:30 on begins with 03:00, and what is shown up to 02:30 ends with 01:59:59.
    """
    first, second = ((moment.replace(tzinfo=_zone(zone), fold=fold) - _EPOCH).total_seconds() for fold in (0, 1))
    if first > second:  # PEP 495: so it is with moments that are skipped, and only with them
        first = _jump(int(second), int(first), zone)
        second = first - 1e-6
    return second if last else first


def _jump(before: int, behind: int, zone: str) -> float:
    """When the zone's clock was put forward: at the first second that has the offset of `behind`."""
    moments = range(before, behind + 1)
    offset = _offset(behind, zone)
    return float(moments[bisect_left(moments, True, key=lambda at: _offset(at, zone) == offset)])


def _offset(epoch: int, zone: str) -> timedelta | None:
    return datetime.fromtimestamp(epoch, _zone(zone)).utcoffset()


def render(epoch: float | None, zone: str) -> str:
    """Epoch seconds to text; empty for none."""
    if epoch is None:
        return ""
    return datetime.fromtimestamp(epoch, _zone(zone)).strftime("%Y-%m-%d %H:%M:%S")


def day(epoch: float, zone: str) -> tuple[str, float]:
    """The day that a moment falls in, as `2026-01-31`, and the moment at which it ends."""
    first = datetime.fromtimestamp(epoch, _zone(zone)).date()
    return first.isoformat(), _midnight(first + timedelta(days=1), zone)


def month(epoch: float, zone: str) -> tuple[str, float]:
    """The month that a moment falls in, as `2026-01`, and the moment at which it ends."""
    first = datetime.fromtimestamp(epoch, _zone(zone)).date().replace(day=1)
    return first.isoformat()[:7], _midnight((first + timedelta(days=31)).replace(day=1), zone)


def _midnight(first: date, zone: str) -> float:
    return to_epoch(datetime.combine(first, time()), zone)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
