"""When to try a push again, when to give up, and when to leave an endpoint in peace.

Pure: time and chance are arguments. Two clocks run. Each push has its tries (`judge`); and each endpoint of an account
has a circuit that opens when it keeps failing, so that a dead or hanging one costs the others nothing. Waiting for a
circuit is not a try.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from shared.push_record import Circuit, PushAttempt, PushState

RETRY_S: tuple[float, ...] = (5, 30, 120, 600, 1800, 3600, 10800, 21600, 43200, 43200)
JITTER = 0.2
LONGEST_S = 12 * 3600 - 600.0  # SQS hides a record for 12 h at most, and some of it has passed since it was taken
LONGEST_DELAY_S = 900.0  # SQS quota: DelaySeconds
GIVE_UP_S = 48 * 3600.0
REFUSED_TRIES = 3  # of a 4xx: the receiver has understood and says no
PATIENT_4XX = frozenset({408, 425, 429})  # a 4xx that asks for patience (RFC 9110 §15.5.9, RFC 8470, RFC 6585)

CIRCUIT_OPENS_AT = 10
ASKED_REST_S = 3600.0
PROBE_S = 30.0  # how long a claimed probe keeps the others away: longer than one attempt


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a push after an attempt; `wait` only while it is WAITING."""

    state: PushState
    wait: float = 0.0


def judge(
    attempt: PushAttempt, before: Sequence[PushAttempt], tries: int, chance: float, delays: Sequence[float] = RETRY_S
) -> Verdict:
    """`before`: the attempts ahead of this one; `tries` counts this one too; `chance` is in 0…1."""
    status = attempt.status
    if status is not None and 200 <= status < 300:
        return Verdict(PushState.DELIVERED)
    if status == 410:
        return Verdict(PushState.GONE)
    refusals = sum(_refused(one.status) for one in (*before, attempt))
    if tries > len(delays) or (_refused(status) and refusals >= REFUSED_TRIES):
        return Verdict(PushState.DEAD)
    wait = delays[tries - 1] * (1 + JITTER * (2 * chance - 1))
    return Verdict(PushState.WAITING, min(max(wait, attempt.retry_after or 0.0), GIVE_UP_S))


def _refused(status: int | None) -> bool:
    return status is not None and 400 <= status < 500 and status not in PATIENT_4XX


def retry_after(text: str, now: float) -> float | None:
    """Seconds that a Retry-After header asks for: a number or an HTTP date (RFC 9110 §10.2.3); None if neither."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        when = parsedate_to_datetime(text)
        return max((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return None


def weight(attempt: PushAttempt) -> int:
    """How much an attempt says against its endpoint: 0 works. A hanging one costs more, so it counts for more."""
    if attempt.status is not None and attempt.status < 500 and attempt.status not in PATIENT_4XX:
        return 0
    return 1 + int(attempt.seconds // 5)


def is_open(circuit: Circuit, now: float) -> bool:
    return circuit.open_until > now


def is_half_open(circuit: Circuit, now: float) -> bool:
    """Its rest is over: one push may try it, and the others wait for what that one finds."""
    return circuit.failures >= CIRCUIT_OPENS_AT and not is_open(circuit, now)


def rest_s(failures: int) -> float:
    """How long an endpoint is left in peace: 0 while it has not failed enough; a minute at first, five at most."""
    return min(6.0 * failures, 300.0) if failures >= CIRCUIT_OPENS_AT else 0.0


def asked_rest_s(attempt: PushAttempt) -> float:
    """What Retry-After asks for the whole endpoint: that it has too many requests, or is down (RFC 6585 §4, RFC 9110
    §15.6.4). One answer stops no more than an hour of all pushes; its own push waits as long as it says.
    """
    return min(attempt.retry_after or 0.0, ASKED_REST_S) if attempt.status in {429, 503} else 0.0


def deferral_s(circuit: Circuit, now: float, waited: float, chance: float) -> float:
    """How long a push waits for an open circuit: past its rest, spread the more the longer it has waited already."""
    return min(max(circuit.open_until - now, 0.0) + 1 + chance * max(waited / 2, 5.0), LONGEST_DELAY_S)


def crowded_s(waited: float, chance: float) -> float:
    """How long a push waits while others of its endpoint are under way: the longer, the longer the backlog is."""
    return min(1 + chance * max(waited / 2, 1.0), 300.0)
