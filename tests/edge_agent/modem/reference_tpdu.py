"""A second codec for TPDUs, to test the first with: bit by bit from the figures of 3GPP TS 23.040, as plain as can be.

It shares nothing with the product: not a table, not an idea. The alphabet is another package's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from smspdudecoder.codecs import GSM

ALPHABET: str = GSM.ALPHABET
EXTENSION: dict[int, str] = GSM.ALPHABET_EXT


def bits_of(octets: bytes) -> list[int]:
    """Least significant bit of the first octet first."""
    return [octet >> place & 1 for octet in octets for place in range(8)]


def octets_of(bits: list[int]) -> bytes:
    bits = bits + [0] * (-len(bits) % 8)
    return bytes(sum(bit << place for place, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits), 8))


def septets_of(octets: bytes, count: int, skip_bits: int = 0) -> list[int]:
    bits = bits_of(octets)[skip_bits:]
    return [sum(bit << place for place, bit in enumerate(bits[7 * n : 7 * n + 7])) for n in range(count)]


def packed(septets: list[int], fill_bits: int = 0) -> bytes:
    return octets_of([0] * fill_bits + [septet >> place & 1 for septet in septets for place in range(7)])


def to_septets(text: str) -> list[int]:
    codes: list[int] = []
    for character in text:
        if character in EXTENSION.values():
            codes += [0x1B, next(code for code, extended in EXTENSION.items() if extended == character)]
        else:
            codes.append(ALPHABET.index(character))
    return codes


def to_text(septets: list[int]) -> str:
    said, codes = "", iter(septets)
    for code in codes:
        said += EXTENSION[next(codes)] if code == 0x1B else ALPHABET[code]
    return said


def semi_octets(digits: str) -> bytes:
    """Digits as in 23.040 §9.1.2.3: the first in the low half."""
    codes = ["0123456789*#abc".index(digit) for digit in digits] + [0xF] * (len(digits) % 2)
    return bytes(low | high << 4 for low, high in zip(codes[::2], codes[1::2], strict=True))


def from_semi_octets(octets: bytes, count: int) -> str:
    halves = [half for octet in octets for half in (octet & 0xF, octet >> 4)]
    return "".join("0123456789*#abc"[half] for half in halves[:count])


def fill_bits(header: bytes) -> int:
    return -8 * len(header) % 7


@dataclass
class Submit:
    number: str
    status_report: bool
    validity: timedelta | None
    dcs: int
    header: bytes
    text: str
    tpdu_length: int


def read_submit(pdu: str) -> Submit:
    octets = list(bytes.fromhex(pdu))
    smsc = octets.pop(0)
    assert smsc == 0, "no service centre is named"
    tpdu_length = len(octets)
    first, reference = octets.pop(0), octets.pop(0)
    assert first & 0b11 == 0b01, "TP-MTI of SMS-SUBMIT"
    assert first & 0b10000100 == 0, "neither TP-RP nor TP-RD"
    assert reference == 0
    number = _read_address(octets)
    pid, dcs = octets.pop(0), octets.pop(0)
    assert pid == 0
    validity = _validity(octets.pop(0)) if first & 0b11000 else None
    length = octets.pop(0)
    rest = bytes(octets)
    header = rest[: rest[0] + 1] if first & 0b1000000 else b""
    return Submit(
        number, bool(first & 0b100000), validity, dcs, header, _read_text(rest, header, dcs, length), tpdu_length
    )


def _read_address(octets: list[int]) -> str:
    digits, kind = octets.pop(0), octets.pop(0)
    value = bytes(octets.pop(0) for _ in range((digits + 1) // 2))
    assert kind in (0x91, 0x81)
    if digits % 2:
        assert value[-1] >> 4 == 0xF
    return ("+" if kind == 0x91 else "") + from_semi_octets(value, digits)


def _read_text(rest: bytes, header: bytes, dcs: int, length: int) -> str:
    if dcs == 8:
        assert len(rest) == length
        return rest[len(header) :].decode("utf-16-be")
    skip = len(header) * 8 + fill_bits(header)
    assert len(rest) == (length * 7 + 7) // 8
    assert not any(bits_of(rest)[length * 7 :]), "unused bits are zero"
    return to_text(septets_of(rest, length - skip // 7, skip))


def _validity(period: int) -> timedelta:
    if period <= 143:
        return timedelta(minutes=5) * (period + 1)
    if period <= 167:
        return timedelta(hours=12) + timedelta(minutes=30) * (period - 143)
    return timedelta(days=period - 166) if period <= 196 else timedelta(weeks=period - 192)


def timestamp(when: datetime) -> bytes:
    quarters = round((when.utcoffset() or timedelta()) / timedelta(minutes=15))
    date = semi_octets(when.strftime("%y%m%d%H%M%S"))
    return date + bytes([semi_octets(f"{abs(quarters):02}")[0] | (0b1000 if quarters < 0 else 0)])


def address(number: str, kind: int = 0x81) -> bytes:
    return bytes([len(number), kind]) + semi_octets(number)


def alphanumeric(name: str) -> bytes:
    septets = to_septets(name)
    return bytes([-(-len(septets) * 7 // 4), 0xD0]) + packed(septets)


def write_deliver(
    originator: bytes,
    when: bytes,
    user_data: bytes,
    *,
    length: int,
    dcs: int = 0,
    first: int = 0x04,
    pid: int = 0,
    smsc: bytes = b"\x07\x91" + semi_octets("491710760000"),
) -> str:
    return (smsc + bytes([first]) + originator + bytes([pid, dcs]) + when + bytes([length]) + user_data).hex().upper()


def write_text_deliver(originator: bytes, when: bytes, text: str, header: bytes = b"", *, ucs2: bool = False) -> str:
    """`header` with its length octet."""
    first = 0x44 if header else 0x04
    if ucs2:
        octets = header + text.encode("utf-16-be")
        return write_deliver(originator, when, octets, length=len(octets), dcs=8, first=first)
    septets, fill = to_septets(text), fill_bits(header)
    length = (8 * len(header) + fill) // 7 + len(septets)
    return write_deliver(originator, when, header + packed(septets, fill), length=length, first=first)


def write_status_report(
    reference: int, recipient: bytes, sent: bytes, done: bytes, status: int, *, first: int = 0x06, tail: bytes = b""
) -> str:
    smsc = b"\x07\x91" + semi_octets("491710760000")
    return (smsc + bytes([first, reference]) + recipient + sent + done + bytes([status]) + tail).hex().upper()
