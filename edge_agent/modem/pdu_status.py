"""What TP-Status of a SMS-STATUS-REPORT says (3GPP TS 23.040 §9.2.3.15), as an outcome and in words."""

from enum import Enum
from typing import Final


class Outcome(Enum):
    DELIVERED = "delivered"
    UNCONFIRMED = "unconfirmed"
    """The service centre is done with it and does not know, or does not say, whether it arrived. No more follows."""
    TRYING = "trying"
    """Not there yet; another report follows."""
    FAILED = "failed"


_COMPLETED: Final = {
    0x00: "received by the phone",
    0x01: "forwarded to the phone, but the service centre is unable to confirm delivery",
    0x02: "replaced by the service centre",
}
_TEMPORARY: Final = {
    0x00: "congestion",
    0x01: "phone busy",
    0x02: "no response from the phone",
    0x03: "service rejected",
    0x04: "quality of service not available",
    0x05: "error in the phone",
}
_PERMANENT: Final = {
    0x40: "remote procedure error",
    0x41: "incompatible destination",
    0x42: "connection rejected by the phone",
    0x43: "not obtainable",
    0x44: "quality of service not available",
    0x45: "no interworking available",
    0x46: "validity period expired",
    0x47: "deleted by its sender",
    0x48: "deleted by the service centre's administration",
    0x49: "the service centre does not know the message",
}
_STILL_TRYING, _GIVEN_UP = "; the service centre is still trying", "; the service centre has given up"
_RESERVED = "service rejected"  # "the MS shall interpret any reserved values as 0110 0011, Service Rejected"


def _row(status: int) -> tuple[Outcome, str]:
    """One value by its range: bits 6 and 5 say which, bit 4 that the meaning is the service centre's own."""
    if status & 0x80:
        return Outcome.FAILED, _RESERVED
    specific = status & 0x10
    own = f"the service centre's own code 0x{status:02X}"
    match status >> 5:
        case 0:
            return _completed(status, own if specific else None)
        case 1:
            words = own if specific else _TEMPORARY.get(status & 0x1F)
            return (Outcome.TRYING, words + _STILL_TRYING) if words else (Outcome.FAILED, _RESERVED)
        case 2:
            return Outcome.FAILED, own if specific else _PERMANENT.get(status, _RESERVED)
        case _:
            return Outcome.FAILED, (own if specific else _TEMPORARY.get(status & 0x1F, _RESERVED)) + _GIVEN_UP


def _completed(status: int, own: str | None) -> tuple[Outcome, str]:
    words = own or _COMPLETED.get(status)
    if words is None:
        return Outcome.FAILED, _RESERVED
    outcomes = {0x00: Outcome.DELIVERED, 0x02: Outcome.FAILED}
    return outcomes.get(status, Outcome.UNCONFIRMED), words


_ROWS: Final = tuple(_row(status) for status in range(256))


def outcome(status: int) -> Outcome:
    return _ROWS[status][0]


def words(status: int) -> str:
    return _ROWS[status][1]
