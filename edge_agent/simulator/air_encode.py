"""What the simulated network sends: SMS-DELIVER and SMS-STATUS-REPORT (3GPP TS 23.040 §9.2.2.1, §9.2.2.3)."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from edge_agent.simulator import gsm_text

# §9.2.3.2: no more messages are waiting in the service centre.
_NO_MORE = 0x04
_HEADER_FOLLOWS = 0x40
_DIGITS = str.maketrans("*#abc", "abcde")


def timestamp(epoch: float, quarters: int) -> bytes:
    """TP-SCTS (§9.2.3.11): local time in swapped digits, and the zone in quarters of an hour with its sign in bit 3."""
    local = datetime.fromtimestamp(epoch, timezone(timedelta(minutes=15 * quarters)))
    fields = (local.year % 100, local.month, local.day, local.hour, local.minute, local.second)
    zone = _swapped(abs(quarters)) | (0x08 if quarters < 0 else 0)
    return bytes(map(_swapped, fields)) + bytes([zone])


def _swapped(number: int) -> int:
    return number % 10 << 4 | number // 10


def number_field(number: str) -> bytes:
    """§9.1.2.5: international with a +, alphanumeric where it isn't a number, unknown otherwise."""
    digits = number.removeprefix("+").translate(_DIGITS)
    if not digits or set(digits) - set("0123456789abcde"):
        return _alphanumeric(number)
    padded = digits + "f" * (len(digits) % 2)
    body = bytes(int(padded[at + 1] + padded[at], 16) for at in range(0, len(padded), 2))
    return bytes([len(digits), 0x91 if number.startswith("+") else 0x81]) + body


def _alphanumeric(name: str) -> bytes:
    septets = b"".join(gsm_text.to_septets(name) or [])[:11]
    return bytes([(len(septets) * 7 + 3) // 4, 0xD0]) + gsm_text.pack(septets)


@lru_cache(maxsize=256)
def service_centre(number: str) -> bytes:
    """TS 24.011 §8.2.5.1: this one counts octets, the type included."""
    field = number_field(number)[1:]
    return bytes([len(field)]) + field


def status_report(reference: int, address: bytes, status: int, submitted: bytes, discharged: bytes) -> bytes:
    """`address` is the TP-DA of the SUBMIT as it was; the two timestamps are TP-SCTS and TP-DT."""
    return bytes([0x02 | _NO_MORE, reference]) + address + submitted + discharged + bytes([status])


def delivers(sender: str, text: str, stamp: bytes, reference: int, *, wide: bool = False) -> list[bytes]:
    """As many DELIVER TPDUs as the text needs; `wide` takes the 16-bit concatenation reference."""
    chunks, scheme = _chunks(text, wide)
    head = number_field(sender) + bytes([0, scheme]) + stamp
    if len(chunks) == 1:
        return [bytes([_NO_MORE]) + head + _user_data(chunks[0], scheme, b"")]
    first = bytes([_NO_MORE | _HEADER_FOLLOWS])
    return [first + head + _user_data(chunk, scheme, header) for chunk, header in _numbered(chunks, reference, wide)]


def _numbered(chunks: list[bytes], reference: int, wide: bool) -> Iterator[tuple[bytes, bytes]]:
    for sequence, chunk in enumerate(chunks, 1):
        element = bytes([8, 4, reference >> 8 & 255, reference & 255] if wide else [0, 3, reference & 255])
        body = element + bytes([len(chunks), sequence])
        yield chunk, bytes([len(body)]) + body


def _chunks(text: str, wide: bool) -> tuple[list[bytes], int]:
    """Septets or UCS-2 octets cut so that no escape pair and no surrogate pair is torn; and the TP-DCS."""
    septets = gsm_text.to_septets(text)
    if septets is not None:
        return _cut(septets, 160, 152 if wide else 153), 0x00
    return _cut([char.encode("utf-16-be") for char in text], 140, 132 if wide else 134), 0x08


def _cut(atoms: list[bytes], alone: int, shared: int) -> list[bytes]:
    if sum(map(len, atoms)) <= alone:
        return [b"".join(atoms)]
    chunks = [b""]
    for atom in atoms:
        if len(chunks[-1]) + len(atom) > shared:
            chunks.append(b"")
        chunks[-1] += atom
    return chunks


def _user_data(chunk: bytes, scheme: int, header: bytes) -> bytes:
    if scheme:
        return bytes([len(header) + len(chunk)]) + header + chunk
    skip = (len(header) * 8 + 6) // 7
    packed = gsm_text.pack(chunk, skip * 7 - len(header) * 8)
    return bytes([skip + len(chunk)]) + header + packed
