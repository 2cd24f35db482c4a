"""Wrong passwords from one source for one account: counted, slowed down, then locked out for minutes.

Rules: a failure counts in the hour it falls in and in the whole next one, so that no hour's border forgives. A password
that this process does not know takes a place before it is hashed and gives it back if it was right: of guesses that
are made at once, before the first of them has failed, few are looked at, and once many have failed one at a time.
"""

import hashlib

from shared.errors import TOO_MANY_FAILURES, ApiError
from shared.ports import Clock, TallyStore, Unavailable

AT_ONCE = 40  # of one pair, less what has failed: more than a busy caller's processes that start at the same moment
_FREE_FAILURES = 5
_LONGEST_LOCK_S = 300.0
_HOUR_S = 3600.0
_PLACE_S = 10.0  # places are counted anew so often: a process that dies keeps its own no longer
_SOON_S = 1.0


def lock_s(failures: int) -> float:
    """How long after the last failure the next try is refused: 2 s after the fifth, doubling to five minutes."""
    return 0.0 if failures < _FREE_FAILURES else min(2.0 ** (failures - _FREE_FAILURES + 1), _LONGEST_LOCK_S)


class Guessing:
    """`pair` is the account's name and the source of the call; neither shows in a counter's key."""

    def __init__(self, tallies: TallyStore, clock: Clock) -> None:
        self._tallies, self._clock = tallies, clock

    def failures(self, *pair: str) -> int:
        """How many count now. Raises ApiError while the pair is locked."""
        now = self._clock.now()
        tally = self._tallies.read(_key(pair, now), _key(pair, now - _HOUR_S))
        left = tally.at + lock_s(tally.count) - now
        if left > 0:
            raise ApiError(TOO_MANY_FAILURES, retry_after=left)
        return tally.count

    def failed(self, *pair: str) -> None:
        now = self._clock.now()
        self._tallies.add(_key(pair, now), 1, at=now, until=now + 2 * _HOUR_S)

    def take_place(self, failures: int, *pair: str) -> str:
        """For `give_back`. Raises ApiError when too many are being looked at."""
        now = self._clock.now()
        place = f"places#{digest(*pair)}#{int(now // _PLACE_S)}"
        most = max(1, AT_ONCE - failures)
        if self._tallies.take(place, 1, most=most, at=now, until=now + 2 * _PLACE_S):
            raise ApiError(TOO_MANY_FAILURES, retry_after=_SOON_S)
        return place

    def give_back(self, place: str) -> None:
        now = self._clock.now()
        try:
            self._tallies.add(place, -1, at=now, until=now + 2 * _PLACE_S)
        except Unavailable:
            return  # nobody is kept out for it longer than places last


def _key(pair: tuple[str, ...], at: float) -> str:
    return f"failures#{digest(*pair)}#{int(at // _HOUR_S)}"


def digest(*parts: str) -> str:
    """Names and addresses may hold anything and be long; a key may not."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
