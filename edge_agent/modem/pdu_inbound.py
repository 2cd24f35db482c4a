"""SMS-DELIVER and SMS-STATUS-REPORT (3GPP TS 23.040 §9.2.2.1, §9.2.2.3), as modems hand them over (+CMT, +CDS …).

Rule: whatever the bytes are, the answer is a message or MalformedPdu, which keeps them. The length a modem announces is
not asked for: the PDU says its own, and modems disagree on what to count. What follows the user data is ignored.
A `repr` shows neither text nor number, so that neither gets into a log.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from edge_agent.modem import pdu_address, pdu_coding, pdu_header, pdu_septets, pdu_status, pdu_time
from edge_agent.modem.pdu_address import Address
from edge_agent.modem.pdu_coding import Encoding
from edge_agent.modem.pdu_header import Concat, Header
from edge_agent.modem.pdu_status import Outcome

_MESSAGE_TYPE, _SUBMIT, _STATUS_REPORT, _HEADER = 0x03, 0x01, 0x02, 0x40  # of the first octet


class MalformedPdu(Exception):
    """What a modem handed over is no message. `raw` may hold a message's text, so it is not part of the exception's."""

    def __init__(self, raw: str, reason: str) -> None:
        super().__init__(reason)
        self.raw = raw
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Deliver:
    originator: Address
    smsc: str = field(repr=False)
    """The service centre's number; "" if the modem did not say."""
    timestamp: datetime | None
    """When the service centre took the message, aware; None if the field holds no time."""
    encoding: Encoding
    text: str = field(repr=False)
    """Always valid Unicode; "" for 8-bit data."""
    data: bytes = field(repr=False)
    """The user data behind the header: octets, or with gsm7 septets, one a byte."""
    header: Header
    pid: int
    dcs: int
    truncated: bool
    """The user data is shorter than its length says."""
    raw: str = field(repr=False)
    body: bytes = field(repr=False)
    """The TPDU without its first octet, whose flags differ when a message is sent again."""

    @property
    def concat(self) -> Concat | None:
        return self.header.concat

    @property
    def ports(self) -> tuple[int, int] | None:
        """Destination and originator port: not for people to read."""
        return self.header.ports

    @property
    def message_class(self) -> int | None:
        """0 is a flash message (23.038 §4); None if the coding scheme gives none."""
        return pdu_coding.CLASSES[self.dcs]

    @property
    def identity(self) -> str:
        """The same for a TPDU handed over twice: a digest of originator, time stamp, header and user data."""
        return hashlib.blake2b(self.body, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class StatusReport:
    tp_mr: int
    """The reference +CMGS gave for the part this is about; it wraps at 256."""
    recipient: Address
    scts: datetime | None
    """When the service centre took the message; None if the field holds no time."""
    discharge: datetime | None
    """When the outcome came about."""
    status: int
    """TP-Status."""
    raw: str = field(repr=False)

    @property
    def outcome(self) -> Outcome:
        return pdu_status.outcome(self.status)

    @property
    def words(self) -> str:
        """TP-Status in words."""
        return pdu_status.words(self.status)


def decode(raw: str, *, smsc: bool = True) -> Deliver | StatusReport:
    """A PDU in hexadecimal digits, with the service centre's address in front unless this modem leaves it out."""
    try:
        octets = bytes.fromhex(raw)
    except ValueError:
        raise MalformedPdu(raw, "not an even number of hexadecimal digits") from None
    try:
        return _decode(octets, raw, smsc)
    except IndexError:
        raise MalformedPdu(raw, f"ends too early, after {len(octets)} octets") from None


def _decode(octets: bytes, raw: str, smsc: bool) -> Deliver | StatusReport:
    at = octets[0] + 1 if smsc else 0
    kind = octets[at] & _MESSAGE_TYPE
    if kind == _STATUS_REPORT:
        return _status_report(octets, at, raw)
    if kind == _SUBMIT:
        raise MalformedPdu(raw, "an SMS-SUBMIT or its report, which never comes in")
    return _deliver(octets, at, raw)  # §9.2.3.1: the reserved type is to be taken for a SMS-DELIVER


def _status_report(octets: bytes, at: int, raw: str) -> StatusReport:
    """What may follow TP-Status (TP-PI and on) says nothing of the outcome."""
    recipient, end = pdu_address.decode(octets, at + 2)
    status = octets[end + 2 * pdu_time.TIME_OCTETS]
    scts = pdu_time.timestamp(octets, end)
    return StatusReport(octets[at + 1], recipient, scts, pdu_time.timestamp(octets, end + 7), status, raw)


def _deliver(octets: bytes, at: int, raw: str) -> Deliver:
    originator, end = pdu_address.decode(octets, at + 1)
    pid, dcs, length = octets[end], octets[end + 1], octets[end + 9]
    encoding, start = pdu_coding.ENCODINGS[dcs], end + 10
    size = -(-length * 7 // 8) if encoding == "gsm7" else length
    user_data = octets[start : start + size]
    header, skipped = _header(user_data) if octets[at] & _HEADER and length else (pdu_header.NONE, 0)
    if encoding == "gsm7":
        data = pdu_septets.unpack(user_data, length)[-(-8 * skipped // 7) :]
    else:
        data = user_data[skipped:]
    return Deliver(
        originator=originator,
        smsc=pdu_address.service_centre(octets[:at]),
        timestamp=pdu_time.timestamp(octets, end + 2),
        encoding=encoding,
        text=_text(encoding, data, header),
        data=data,
        header=header,
        pid=pid,
        dcs=dcs,
        truncated=len(user_data) < size,
        raw=raw,
        body=octets[at + 1 : start + size],
    )


def _header(user_data: bytes) -> tuple[Header, int]:
    """The header and how many octets it takes, its length octet included."""
    size = user_data[0] + 1
    if size > len(user_data):
        raise IndexError
    return pdu_header.decode(user_data[1:size]), size


def _text(encoding: Encoding, data: bytes, header: Header) -> str:
    if encoding == "gsm7":
        return pdu_septets.text(data, header.locking_shift, header.single_shift)
    return data.decode("utf-16-be", "replace") if encoding == "ucs2" else ""


def join(parts: Sequence[Deliver]) -> str:
    """The text of parts in order. An escape cut from its code, or a surrogate pair cut in two, is whole again here."""
    runs = groupby(parts, lambda part: (part.encoding, part.header.locking_shift, part.header.single_shift))
    said = []
    for (encoding, locking, single), run in runs:
        header = Header(locking_shift=locking, single_shift=single)
        said.append(_text(encoding, b"".join(part.data for part in run), header))
    return "".join(said)
