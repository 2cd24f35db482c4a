"""SMS-SUBMIT (3GPP TS 23.040 §9.2.2.2): what goes out after AT+CMGS.

Rule: the service centre is never named (a leading 00), so the modem takes the SIM's. TP-MR is 0: the modem counts.
"""

from dataclasses import dataclass, field

from edge_agent.modem import pdu_address, pdu_header, pdu_septets, pdu_time
from edge_agent.modem.pdu_header import Concat
from shared import gsm7, segments
from shared.segments import Encoding, RefBits

# First octet (§9.2.2.2): TP-MTI 01, and flags.
_SUBMIT, _RELATIVE_VALIDITY, _STATUS_REPORT, _HEADER = 0x01, 0x10, 0x20, 0x40

_DCS: dict[Encoding, str] = {"gsm7": "00", "ucs2": "08"}  # 23.038 §4, no message class
_UD_OCTETS = 140


@dataclass(frozen=True, slots=True)
class SubmitPdu:
    hex: str = field(repr=False)
    """With the SMSC's length octet in front, as it is written to the modem."""
    tpdu_length: int
    """Octets without the SMSC's part: the number AT+CMGS takes (27.005 §4.1)."""


def encode_message(
    number: str, text: str, *, ref: int, validity_s: int | None, status_report: bool, ref_bits: RefBits = 8
) -> tuple[SubmitPdu, ...]:
    """One PDU a part. `ref` joins the parts at the receiver and is cut to `ref_bits`; a message of one part has none.

    ValueError if the number or the text cannot be encoded, or no time is left to deliver in.
    """
    encoding, units = segments.encode(text)
    if segments.fits_one(encoding, units):
        head = _head(number, encoding, validity_s, status_report, joined=False)
        return (_submit(head, len(units), pdu_septets.pack(units) if encoding == "gsm7" else units),)
    parts = segments.split(text, ref_bits=ref_bits).parts
    head = _head(number, encoding, validity_s, status_report, joined=True)
    return tuple(
        _part(head, encoding, part, Concat(ref, len(parts), seq, ref_bits)) for seq, part in enumerate(parts, start=1)
    )


def encode_submit(
    number: str,
    text_part: str,
    *,
    encoding: Encoding,
    concat: Concat | None = None,
    validity_s: int | None = None,
    status_report: bool = False,
) -> SubmitPdu:
    """One part. ValueError if something does not fit; the text itself is not in the message."""
    head = _head(number, encoding, validity_s, status_report, joined=concat is not None)
    return _part(head, encoding, text_part, concat)


def _head(number: str, encoding: Encoding, validity_s: int | None, status_report: bool, *, joined: bool) -> str:
    """Everything before TP-UDL, the same for each part."""
    first = _SUBMIT | (_STATUS_REPORT if status_report else 0) | (_HEADER if joined else 0)
    address, dcs = pdu_address.encode(number), _DCS[encoding]
    if validity_s is None:
        return f"00{first:02X}00{address}00{dcs}"
    return f"00{first | _RELATIVE_VALIDITY:02X}00{address}00{dcs}{pdu_time.validity_period(validity_s):02X}"


def _part(head: str, encoding: Encoding, text_part: str, concat: Concat | None) -> SubmitPdu:
    header = pdu_header.encode(concat)
    if encoding == "gsm7":
        return _submit(head, *_septets(text_part, header))
    octets = header + segments.utf16(text_part)
    return _submit(head, len(octets), octets)


def _septets(text_part: str, header: bytes) -> tuple[int, bytes]:
    """TP-UDL and TP-UD: the text begins at the next septet after the header (§9.2.3.24, figure 9.2.3.24 (a)).

    The header's room is packed as that many zero septets, which makes the fill bits, and then filled.
    """
    septets = gsm7.encode(text_part)
    if septets is None:
        raise ValueError("the text is not in the GSM 7 bit default alphabet")
    septets = bytes(-(-8 * len(header) // 7)) + septets
    return len(septets), header + pdu_septets.pack(septets)[len(header) :]


def _submit(head: str, length: int, user_data: bytes) -> SubmitPdu:
    if len(user_data) > _UD_OCTETS:
        raise ValueError(f"a part has room for {_UD_OCTETS} octets, not {len(user_data)}")
    pdu = f"{head}{length:02X}{user_data.hex()}".upper()
    return SubmitPdu(pdu, len(pdu) // 2 - 1)
