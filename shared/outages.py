"""Which spans are down for so long that the operator is told, and which he was told of. Pure: time is an argument.

Rules:
- A span that could send and cannot is lost once that has lasted for `LOST_AFTER_S`, whatever its reasons meanwhile: a
  modem that restarts, that registers again, or that a fresh process has not found yet, comes back before.
- Told of as back is only what was told of as lost, or may have been.
- That it is being told is noted before, that it was told after: who crashes in between tells again, and nothing is kept
  from being told.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from shared.wire import PACED, SpanInfo

LOST_AFTER_S = 180.0
"""An agent looks for its modems for 120 s after its start, and a modem scans all bands for about two minutes."""


class Told(IntEnum):
    """Whether the operator was told of a span as lost, and not as back since. Stored: never renumber."""

    NO = 0
    PERHAPS = 1  # one or the other was begun
    YES = 2


@dataclass(frozen=True, slots=True)
class Outage:
    """Of one span. One that is up again still has it, until it is told of as back, if it was told of as lost."""

    since: float  # epoch s, by the cloud's clock
    told: Told = Told.NO


Spans = Mapping[str, SpanInfo]
Outages = Mapping[str, Outage]


def is_down(info: SpanInfo) -> bool:
    """What only waits for its own sending limit is in order."""
    return not info.available and info.reason != PACED


def noted(outages: Outages, before: Spans, after: Spans, now: float) -> Outages:
    """As of what is known of the spans now. What never could send is not lost."""
    found: dict[str, Outage] = {}
    for span, info in after.items():
        known = outages.get(span)
        if known is not None and (known.told is not Told.NO or is_down(info)):
            found[span] = known
        elif is_down(info) and span in before and not is_down(before[span]):
            found[span] = Outage(now)
    return found


def due_at(outages: Outages, spans: Spans) -> float | None:
    """When something is to be told, epoch s; None: nothing is."""
    news = _news(outages, spans)
    return min((outage.since + LOST_AFTER_S if is_down(info) else 0.0 for outage, info in news), default=None)


def to_tell(outages: Outages, spans: Spans, now: float) -> tuple[SpanInfo, ...]:
    """Spans that are lost (`is_down`), and those that are back."""
    due = now - LOST_AFTER_S
    return tuple(info for outage, info in _news(outages, spans) if not is_down(info) or outage.since <= due)


def told(outages: Outages, spans: Spans, news: Iterable[SpanInfo], now: float, *, done: bool) -> Outages:
    """Before `news` is told and, `done`, after it. What became of a span meanwhile is told next."""
    after = dict(outages)
    for info in news:
        if info.span not in spans:
            continue
        if not done or is_down(info):
            since = after[info.span].since if info.span in after else now
            after[info.span] = Outage(since, Told.YES if done else Told.PERHAPS)
        elif is_down(spans[info.span]):
            after[info.span] = Outage(now)
        else:
            after.pop(info.span, None)
    return after


def _news(outages: Outages, spans: Spans) -> Iterator[tuple[Outage, SpanInfo]]:
    """What was not told as it is."""
    pairs = ((outage, spans[span]) for span, outage in outages.items() if span in spans)
    return ((outage, info) for outage, info in pairs if outage.told is not (Told.YES if is_down(info) else Told.NO))
