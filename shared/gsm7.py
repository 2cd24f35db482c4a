"""The GSM 7 bit default alphabet and its extension table (3GPP TS 23.038 §6.2.1), text to septets.

Rule: a text is either wholly in the alphabet or not at all; no character is ever exchanged for a likeness.
One septet stands in each byte here; packing them into octets is the modem's business (`edge_agent.modem.pdu_septets`).
"""

import codecs

ESCAPE = 0x1B

# §6.2.1, by code. 0x1B is the escape to the extension table and stands for no character.
ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)

# §6.2.1.1, by the code that follows the escape.
EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

# CPython looks characters up in C, by a compact map of one byte each, if code 0 stands for NUL. So "@" (code 0) borrows
# 0x80, which as an extension would be 0x00 and is none; an extension character is its code with the top bit set.
_EXTENDED = 0x80
_AT = 0x80


def _by_code() -> str:
    codes = ["\ufffe"] * 256  # U+FFFE: this code stands for nothing
    codes[: len(ALPHABET)] = ALPHABET
    codes[0], codes[_AT], codes[ESCAPE] = "\0", "@", "\ufffe"
    for code, character in EXTENSION.items():
        codes[_EXTENDED | code] = character
    return "".join(codes)


_CODES = codecs.charmap_build(_by_code())
_AT_TO_ZERO = bytes.maketrans(bytes([_AT]), b"\0")
_PAIRS = [(bytes([_EXTENDED | code]), bytes([ESCAPE, code])) for code in EXTENSION]


def encode(text: str) -> bytes | None:
    """The septets of a text, one a byte, an extension character as the pair ESCAPE, code; None if any has none."""
    try:
        codes = codecs.charmap_encode(text, "strict", _CODES)[0]
    except UnicodeEncodeError:
        return None
    if 0 in codes:  # NUL, which only this map knows
        return None
    if codes.isascii():
        return codes
    codes = codes.translate(_AT_TO_ZERO)
    return codes if codes.isascii() else _with_escapes(codes)


def _with_escapes(codes: bytes) -> bytes:
    for code, pair in _PAIRS:
        codes = codes.replace(code, pair)
    return codes


def count(text: str) -> int | None:
    """How many septets a text takes; None if it is not in the alphabet."""
    septets = encode(text)
    return None if septets is None else len(septets)
