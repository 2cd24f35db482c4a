"""Message ids: 26 characters of Crockford's base 32 over 128 bits, as a ULID (github.com/ulid/spec) writes them.

Rule: a fresh id sorts by the time it was made. One derived from a `request_id` is the same whenever it is asked for,
which makes a conditional put the whole of idempotency.
"""

import hashlib
import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80


def fresh(now: float, count: int) -> list[str]:
    """`count` ids of one moment, in order."""
    room = secrets.randbits(_RANDOM_BITS - 1)  # one bit below the top, so that counting up never carries into the time
    first = (int(now * 1000) << _RANDOM_BITS) + room
    return [_written(first + index) for index in range(count)]


def derived(account: str, request_id: str, count: int) -> list[str]:
    """The ids of a request with a key: by position, so that another request with this key meets at least the first."""
    return [_written(_digest(f"{account}\0{request_id}\0{index}")) for index in range(count)]


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16])


def _written(number: int) -> str:
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
