"""The user data header (3GPP TS 23.040 §9.2.3.24): which part of what, to which port, in which national alphabet.

Rule of §9.2.3.24: a header that does not add up is skipped as a whole, an element of another length or kind on its own;
the text behind it is read all the same. Of an element that comes twice the last one counts.
"""

from dataclasses import dataclass

from shared.segments import RefBits

_CONCAT_8, _CONCAT_16 = 0x00, 0x08
_PORTS_8, _PORTS_16 = 0x04, 0x05
_SINGLE_SHIFT, _LOCKING_SHIFT = 0x24, 0x25


@dataclass(frozen=True, slots=True)
class Concat:
    """One part of a concatenated message: `seq` of `total`, counted from 1."""

    ref: int
    total: int
    seq: int
    bits: RefBits = 8


@dataclass(frozen=True, slots=True)
class Header:
    concat: Concat | None = None
    ports: tuple[int, int] | None = None
    """Destination, originator (§9.2.3.24.3 and .4)."""
    single_shift: int = 0
    locking_shift: int = 0


NONE = Header()


def encode(concat: Concat | None) -> bytes:
    """The header with its length octet; empty without one. ValueError on numbers that do not fit."""
    if concat is None:
        return b""
    if not 1 <= concat.seq <= concat.total <= 255:
        raise ValueError(f"there is no part {concat.seq} of {concat.total}")
    ref = concat.ref & (1 << concat.bits) - 1
    if concat.bits == 16:
        return bytes((6, _CONCAT_16, 4, ref >> 8, ref & 0xFF, concat.total, concat.seq))
    return bytes((5, _CONCAT_8, 3, ref, concat.total, concat.seq))


def decode(octets: bytes) -> Header:
    """The header without its length octet."""
    try:
        elements = _elements(octets)
    except IndexError:
        return NONE
    single, locking = elements.get(_SINGLE_SHIFT, b""), elements.get(_LOCKING_SHIFT, b"")
    return Header(_concat(elements), _ports(elements), single[0] if single else 0, locking[0] if locking else 0)


def _elements(octets: bytes) -> dict[int, bytes]:
    elements: dict[int, bytes] = {}
    at = 0
    while at < len(octets):
        kind, start = octets[at], at + 2
        at = start + octets[at + 1]
        if at > len(octets):
            raise IndexError
        elements.pop(kind, None)  # so that of two kinds that mean the same, too, the later one is the last
        elements[kind] = octets[start:at]
    return elements


def _concat(elements: dict[int, bytes]) -> Concat | None:
    found = None
    for kind, value in elements.items():
        if kind == _CONCAT_8 and len(value) == 3:
            found = Concat(value[0], value[1], value[2], 8)
        elif kind == _CONCAT_16 and len(value) == 4:
            found = Concat(value[0] << 8 | value[1], value[2], value[3], 16)
    return found if found and 1 <= found.seq <= found.total else None  # §9.2.3.24.1: ignored otherwise


def _ports(elements: dict[int, bytes]) -> tuple[int, int] | None:
    found = None
    for kind, value in elements.items():
        if (kind, len(value)) in ((_PORTS_8, 2), (_PORTS_16, 4)):
            half = len(value) // 2
            found = int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
    return found
