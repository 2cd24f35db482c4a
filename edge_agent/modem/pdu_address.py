"""Addresses in a TPDU (3GPP TS 23.040 §9.1.2.5), and the service centre's in front of one (27.005 §4, <pdu>).

Rule: digits are kept as given; nobody here guesses at countries or prefixes.
"""

from dataclasses import dataclass, field
from typing import Final

from edge_agent.modem import pdu_septets

MAX_DIGITS = 20  # §9.1.2.5: the address value has 10 octets

# §9.1.2.5 type-of-address: the extension bit, three bits type of number, four bits numbering plan.
_UNKNOWN, _INTERNATIONAL = 0x81, 0x91
_TON_INTERNATIONAL, _TON_ALPHANUMERIC = 1, 5
_TON_NAMES: Final = (
    *("unknown", "international", "national", "network specific"),
    *("subscriber", "alphanumeric", "abbreviated", "reserved"),
)

# Semi-octets 0-9 are digits, A-E are * # a b c, F fills up (§9.1.2.3).
_TO_HEX = str.maketrans("*#abc", "ABCDE")
_FROM_HEX = str.maketrans("abcde", "*#abc")
_SWAPPED = bytes((octet & 0x0F) << 4 | octet >> 4 for octet in range(256))


@dataclass(frozen=True, slots=True)
class Address:
    number: str = field(repr=False)
    """Digits (with * # a b c), a leading + if the type of number is international; or a name."""
    type: int
    """The type-of-address octet as received."""

    @property
    def kind(self) -> str:
        """Type of number in words: "international", "national", "alphanumeric", …"""
        return _TON_NAMES[self.type >> 4 & 7]


def encode(number: str) -> str:
    """Length, type and digits in hex. ValueError if it is no number, which its message does not tell."""
    international = number.startswith("+")
    digits = number[1:] if international else number
    if not 0 < len(digits) <= MAX_DIGITS:
        raise ValueError(f"a number has 1 to {MAX_DIGITS} digits, not {len(digits)}")
    if not (digits.isascii() and digits.isdigit()):
        digits = _semi_octets(digits)
    kind = _INTERNATIONAL if international else _UNKNOWN
    filled = digits + "F" if len(digits) & 1 else digits
    return f"{len(digits):02X}{kind:02X}{bytes.fromhex(filled).translate(_SWAPPED).hex()}"


def _semi_octets(digits: str) -> str:
    if not set(digits) <= set("0123456789*#abc"):
        raise ValueError("a number is an optional + and then digits or * # a b c")
    return digits.translate(_TO_HEX)


def decode(octets: bytes, at: int) -> tuple[Address, int]:
    """The address whose length octet is at `at`, and the index after it. IndexError if it is cut off."""
    length, kind = octets[at], octets[at + 1]
    end = at + 2 + (length + 1 >> 1)
    if end > len(octets):
        raise IndexError
    value = octets[at + 2 : end]
    if kind >> 4 & 7 == _TON_ALPHANUMERIC:
        return Address(pdu_septets.text(pdu_septets.unpack(value, length * 4 // 7)), kind), end
    return Address(_number(value, length, kind), kind), end


def service_centre(octets: bytes) -> str:
    """The SMSC's number from what stands before the TPDU: a length in octets, the type, digits. "" if there is none."""
    return _number(octets[2:], 2 * (len(octets) - 2), octets[1]) if len(octets) > 2 else ""


def _number(value: bytes, length: int, kind: int) -> str:
    digits = value.translate(_SWAPPED).hex()[:length]
    if not digits.isdigit():
        digits = digits.partition("f")[0].translate(_FROM_HEX)
    return "+" + digits if kind >> 4 & 7 == _TON_INTERNATIONAL and digits else digits
