"""What is known of a push and of the endpoint it goes to: plain values that use cases and the log exchange."""

from dataclasses import dataclass
from enum import StrEnum

from shared.push_event import PushEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAttempt:
    """What one HTTP attempt came to. `status` is None when no answer was read; `error` then says why, in words."""

    status: int | None
    error: str
    seconds: float
    retry_after: float | None = None
    at: float = 0.0  # epoch s


class PushState(StrEnum):
    WAITING = "waiting"  # not told yet, in the queue
    DELIVERED = "delivered"
    GONE = "gone"  # the receiver answered 410: it wants no more of this
    DEAD = "dead"  # given up, in the dead-letter queue
    OFF = "off"  # no longer wanted when its turn came


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRecord:
    """What happened to one push. Times are epoch seconds."""

    event: PushEvent
    state: PushState
    first_at: float  # when it was put into the queue, or replayed
    next_at: float  # not to be tried before
    tries: int = 0
    attempts: tuple[PushAttempt, ...] = ()  # the last ones, oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """How an account's endpoint has been doing; the rules are in shared/push_retry.py."""

    failures: int = 0  # weight of the failures since the last success
    open_until: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PushView:
    """All that one attempt needs to know of the past, as of one read."""

    record: PushRecord | None
    results: tuple[PushRecord, ...]  # of the same message, for a report
    circuit: Circuit
