"""USSD text as modems write it: plain, UCS-2 in hex, or packed septets in hex (23.038 §5 and §6.1.2.3). Pure."""

from edge_agent.modem import pdu_septets
from shared import gsm7

_UCS2_WITH_LANGUAGE = 0x11  # 23.038 §5: UCS-2 preceded by a language


def encode(code: str, *, packed: bool) -> str:
    """A code of digits, * and #, for AT+CUSD."""
    if not packed:
        return code
    return _padded(code).hex().upper()


def decode(text: str, dcs: int | None, *, packed: bool) -> str:
    """What the network said. Never fails: what is not as announced is given as it stands."""
    octets = _octets(text)
    if octets is None:
        return text.strip()
    if dcs is not None and _is_ucs2(dcs):
        return octets.decode("utf-16-be", errors="replace").strip()
    if packed:
        return _unpacked(octets)
    return text.strip()


def _padded(code: str) -> bytes:
    """CR fills up the last octet where seven bits are left (23.038 §6.1.2.3.1)."""
    septets = gsm7.encode(code) or b""
    return pdu_septets.pack(septets + b"\r" if len(septets) % 8 == 7 else septets)


def _unpacked(octets: bytes) -> str:
    return pdu_septets.text(pdu_septets.unpack(octets, len(octets) * 8 // 7)).rstrip("\r@ \n")


def _octets(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) if len(text) >= 4 and text.isalnum() else None
    except ValueError:
        return None


def _is_ucs2(dcs: int) -> bool:
    return dcs == _UCS2_WITH_LANGUAGE or (dcs & 0b1100_1100 == 0b0100_1000)
