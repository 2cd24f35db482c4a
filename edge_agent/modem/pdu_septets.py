"""Septets to octets and back (3GPP TS 23.038 §6.1.2.1), and septets to text with any shift tables.

All bits are moved at once in one big integer; a loop over the characters would take twenty times as long.
Septets stand one in a byte on the unpacked side.
"""

import codecs
import re

from edge_agent.modem import gsm7_national
from shared import gsm7

_GROUPS = 40  # of eight septets; twice what fits one TPDU, so that no input of a modem is ever too long


def _lanes(pattern: bytes) -> int:
    return int.from_bytes(pattern * (8 * _GROUPS // len(pattern)), "little")


# Each step closes (or opens) the gap between the two halves of a lane: of 16, of 32, then of 64 bits.
_LOW_7, _HIGH_7 = _lanes(b"\x7f\0"), _lanes(b"\0\x7f")
_LOW_14, _HIGH_14 = _lanes(b"\xff\x3f\0\0"), _lanes(b"\0\0\xff\x3f")
_LOW_28, _HIGH_28 = _lanes(b"\xff\xff\xff\x0f" + bytes(4)), _lanes(bytes(4) + b"\xff\xff\xff\x0f")


def pack(septets: bytes) -> bytes:
    """Eight septets into seven octets, zero bits to fill the last."""
    bits = int.from_bytes(septets, "little")
    bits -= (bits & _HIGH_7) >> 1
    bits = (bits & _LOW_14) | (bits & _HIGH_14) >> 2
    bits = (bits & _LOW_28) | (bits & _HIGH_28) >> 4
    octets = bytearray(bits.to_bytes((len(septets) + 7) & ~7, "little"))
    del octets[7::8]  # each lane of 64 bits now ends with an empty octet
    return bytes(octets[: (len(septets) * 7 + 7) // 8])


def unpack(octets: bytes, count: int) -> bytes:
    """The first `count` septets; fewer if the octets hold fewer."""
    count = min(count, len(octets) * 8 // 7)
    if not count:
        return b""
    spaced = octets[: (count * 7 + 7) // 8].hex(":", -7).replace(":", "00")  # an empty octet after every seven
    bits = int.from_bytes(bytes.fromhex(spaced), "little")
    bits = (bits & _LOW_28) | (bits << 4) & _HIGH_28
    bits = (bits & _LOW_14) | (bits << 2) & _HIGH_14
    bits = (bits & _LOW_7) | (bits << 1) & _HIGH_7
    return bits.to_bytes((count + 8) & ~7, "little")[:count]


_ESCAPED = re.compile(rb"\x1b(.?)", re.DOTALL)


def text(septets: bytes, locking: int = 0, single: int = 0) -> str:
    """What septets say, with the shift tables of these national languages (§6.2.1.2; 0 is the default alphabet)."""
    alphabet = gsm7_national.locking(locking)
    if gsm7.ESCAPE not in septets:
        return codecs.charmap_decode(septets, "strict", alphabet)[0]
    extension = gsm7_national.single(single)
    plain, *rest = _ESCAPED.split(septets)
    said = [codecs.charmap_decode(plain, "strict", alphabet)[0]]
    for code, following in zip(rest[::2], rest[1::2], strict=True):
        said += _escaped(code, extension, alphabet), codecs.charmap_decode(following, "strict", alphabet)[0]
    return "".join(said)


def _escaped(code: bytes, extension: dict[int, str], alphabet: str) -> str:
    """A code the extension lacks is read in the alphabet; an escape to nothing or an escape is a space (§6.2.1.1)."""
    if code in (b"", b"\x1b"):
        return " "
    return extension.get(code[0]) or alphabet[code[0]]
