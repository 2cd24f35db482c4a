"""DELIVER TPDUs that break the standard, as networks and modems really have (ModemManager's bounds fixes)."""

import random
from collections.abc import Callable

Spoil = Callable[[bytes, random.Random], bytes]


def _truncated(tpdu: bytes, rng: random.Random) -> bytes:
    return tpdu[: rng.randrange(1, len(tpdu))]


def _long_address(tpdu: bytes, rng: random.Random) -> bytes:
    return tpdu[:1] + b"\xff" + tpdu[2:]


def _long_text(tpdu: bytes, rng: random.Random) -> bytes:
    """TP-UDL says more than there is. It stands behind the address, TP-PID, TP-DCS and TP-SCTS."""
    at = 3 + (tpdu[1] + 1) // 2 + 2 + 7
    return tpdu[:at] + b"\xff" + tpdu[at + 1 :]


def _false_header(tpdu: bytes, rng: random.Random) -> bytes:
    return bytes([tpdu[0] | 0x40]) + tpdu[1:]


def _noise(tpdu: bytes, rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(1, 160))


def _bad_time(tpdu: bytes, rng: random.Random) -> bytes:
    at = 3 + (tpdu[1] + 1) // 2 + 2
    return tpdu[:at] + b"\xff" * 7 + tpdu[at + 7 :]


WAYS: dict[str, Spoil] = {
    "truncated": _truncated,
    "long_address": _long_address,
    "long_text": _long_text,
    "false_header": _false_header,
    "noise": _noise,
    "bad_time": _bad_time,
    "empty": lambda tpdu, rng: b"",
}


def mangled(tpdu: bytes, how: str | None, rng: random.Random) -> bytes:
    """`how` names a way, None takes one by chance."""
    return WAYS[how or rng.choice(sorted(WAYS))](tpdu, rng)
