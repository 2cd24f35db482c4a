"""What the simulated network reads in an SMS-SUBMIT (3GPP TS 23.040 §9.2.2.2), from the standard's text alone.

Rule: refuses whatever isn't exactly a SUBMIT: too short, too long, reserved formats, headers that don't add up.
"""

from dataclasses import dataclass

from edge_agent.simulator import gsm_text

# §9.2.3.24: a short message carries at most 140 octets of user data.
USER_DATA_OCTETS = 140
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


class PduRefused(ValueError):
    """The octets aren't an SMS-SUBMIT as the standard has it; the text says where."""


@dataclass(frozen=True, slots=True)
class Concat:
    """§9.2.3.24.1 and .8: which part of which message."""

    reference: int
    total: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Submit:
    """One accepted SUBMIT. `address` is TP-DA as it came, for reports; `validity` is seconds or a timestamp."""

    to: str
    address: bytes
    encoding: str
    text: str
    concat: Concat | None
    validity: int | str | None
    wants_report: bool
    tpdu: bytes


class Octets:
    """A reader that refuses to run over the end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int, what: str) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) != count:
            raise PduRefused(f"{what} runs over the end")
        self._at += count
        return taken

    def octet(self, what: str) -> int:
        return self.take(1, what)[0]

    def rest(self) -> bytes:
        return self._data[self._at :]


def parse_pdu(digits: bytes, tpdu_octets: int) -> Submit:
    """The hex of AT+CMGS: service centre address, then as many TPDU octets as the command announced (27.005 §3.5.1)."""
    try:
        data = bytes.fromhex(digits.decode("ascii"))
    except ValueError as bad:
        raise PduRefused("not hexadecimal") from bad
    octets = Octets(data)
    octets.take(octets.octet("service centre length"), "service centre address")
    tpdu = octets.rest()
    if len(tpdu) != tpdu_octets:
        raise PduRefused(f"{tpdu_octets} octets announced, {len(tpdu)} given")
    return parse_submit(tpdu)


def parse_submit(tpdu: bytes) -> Submit:
    octets = Octets(tpdu)
    first = octets.octet("first octet")
    if first & 0x03 != 0x01:
        raise PduRefused("TP-MTI isn't SMS-SUBMIT")
    octets.octet("TP-MR")
    to, address = _address(octets)
    octets.octet("TP-PID")
    encoding = _alphabet(octets.octet("TP-DCS"))
    validity = _validity(octets, (first >> 3) & 0x03)
    text, concat = _user_data(octets, encoding, has_header=bool(first & 0x40))
    return Submit(to, address, encoding, text, concat, validity, bool(first & 0x20), tpdu)


def _address(octets: Octets) -> tuple[str, bytes]:
    """§9.1.2.5: length in semi-octets, type of number, digits swapped in pairs with a filler F."""
    length, kind = octets.take(2, "TP-DA")
    if not 1 <= length <= 20:
        raise PduRefused(f"TP-DA of {length} digits")
    if not kind & 0x80 or kind & 0x70 == 0x70:
        raise PduRefused(f"TP-DA type {kind:#04x} is reserved")
    body = octets.take((length + 1) // 2, "TP-DA")
    head = bytes([length, kind])
    if kind & 0x70 == 0x50:
        return gsm_text.to_text(gsm_text.unpack(body, length * 4 // 7)), head + body
    return ("+" if kind & 0x70 == 0x10 else "") + semi_octets(body, length), head + body


def semi_octets(body: bytes, length: int) -> str:
    """§9.1.2.3: low nibble first; A to E stand for * # a b c; an odd length is filled with F."""
    nibbles = "".join(f"{octet & 15:x}{octet >> 4:x}" for octet in body)
    if "f" in nibbles[:length] or nibbles[length:].strip("f"):
        raise PduRefused("filler where a digit belongs, or a digit in its place")
    return nibbles[:length].translate(str.maketrans("abcde", "*#abc"))


def _alphabet(scheme: int) -> str:
    """TS 23.038 §4: the alphabet that a data coding scheme names."""
    group = scheme >> 4
    if group < 0x8:
        if scheme & 0x20:
            raise PduRefused("compressed text")
        named = ("gsm7", "8bit", "ucs2", None)[(scheme >> 2) & 3]
    elif group == 0xF:
        named = "8bit" if scheme & 0x04 else "gsm7"
    else:
        named = {0xC: "gsm7", 0xD: "gsm7", 0xE: "ucs2"}.get(group)
    if named is None:
        raise PduRefused(f"TP-DCS {scheme:#04x} is reserved")
    return named


def _validity(octets: Octets, form: int) -> int | str | None:
    """§9.2.3.12, in seconds where relative (.12.1), as a timestamp where absolute (.12.2)."""
    if form == 0:
        return None
    if form == 2:
        return relative_seconds(octets.octet("TP-VP"))
    field = octets.take(7, "TP-VP")
    if form == 1:
        raise PduRefused("enhanced validity period")
    year, month, day, hour, minute, second = (f"{octet & 15:x}{octet >> 4:x}" for octet in field[:6])
    return f"20{year}-{month}-{day}T{hour}:{minute}:{second}{_zone(field[6])}"


def relative_seconds(value: int) -> int:
    """The four ranges of §9.2.3.12.1."""
    if value <= 143:
        return (value + 1) * 5 * _MINUTE
    if value <= 167:
        return 12 * _HOUR + (value - 143) * 30 * _MINUTE
    if value <= 196:
        return (value - 166) * _DAY
    return (value - 192) * 7 * _DAY


def _zone(octet: int) -> str:
    """§9.2.3.11: quarters of an hour, swapped digits, bit 3 is the sign."""
    quarters = (octet & 0x07) * 10 + (octet >> 4)
    return f"{'-' if octet & 0x08 else '+'}{quarters // 4:02}:{quarters % 4 * 15:02}"


def _user_data(octets: Octets, encoding: str, *, has_header: bool) -> tuple[str, Concat | None]:
    """§9.2.3.16 and .24: TP-UDL counts septets for the 7-bit alphabet, octets otherwise; both include the header."""
    length = octets.octet("TP-UDL")
    data = octets.rest()
    needed = (length * 7 + 7) // 8 if encoding == "gsm7" else length
    if len(data) != needed:
        raise PduRefused(f"TP-UDL needs {needed} octets, {len(data)} are there")
    if needed > USER_DATA_OCTETS:
        raise PduRefused(f"{needed} octets of user data")
    header_octets, concat = (0, None) if not has_header else _header(data)
    return _text(data, length, encoding, header_octets), concat


def _text(data: bytes, length: int, encoding: str, header: int) -> str:
    if encoding == "gsm7":
        skip = (header * 8 + 6) // 7
        if skip > length:
            raise PduRefused("the header is longer than TP-UDL")
        return gsm_text.to_text(gsm_text.unpack(data, length - skip, skip * 7))
    body = data[header:]
    if encoding == "8bit":
        return body.decode("latin-1")
    if len(body) % 2:
        raise PduRefused("half a UCS-2 character")
    # A lone surrogate shows as a replacement character: a pair that was cut between two parts is to be noticed.
    return body.decode("utf-16-be", errors="replace")


def _header(data: bytes) -> tuple[int, Concat | None]:
    """§9.2.3.24: octets taken by the header with its length octet, and the last valid concatenation in it."""
    if not data:
        raise PduRefused("a header was promised, none is there")
    elements = Octets(Octets(data[1:]).take(data[0], "user data header"))
    concat = None
    while elements.rest():
        kind, size = elements.take(2, "information element")
        body = elements.take(size, "information element")
        concat = _concat(kind, body) or concat
        if kind in (0x24, 0x25):
            raise PduRefused("national language tables aren't simulated for SUBMIT")
    return 1 + data[0], concat


def _concat(kind: int, body: bytes) -> Concat | None:
    """An element that contradicts itself is ignored (§9.2.3.24.1)."""
    if (kind, len(body)) not in ((0x00, 3), (0x08, 4)):
        return None
    reference, total, sequence = int.from_bytes(body[:-2], "big"), body[-2], body[-1]
    return Concat(reference, total, sequence) if 1 <= sequence <= total else None
