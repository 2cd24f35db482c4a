"""The simulator's own reading of the GSM 7-bit alphabet (3GPP TS 23.038 §6.2.1) and its packing (§6.1.2.1).

Rule: shares no line with the product's codec, so that one misreading can't hide in both.
"""

import codecs

# §6.2.1, read by columns of sixteen; 0x1B is the escape to the extension table.
ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
# §6.2.1.1
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
ESCAPE = 0x1B
# A pair cut at a part's edge must be seen by whoever reads the record, not be repaired silently.
CUT = "\N{REPLACEMENT CHARACTER}"

_SEPTETS = {char: bytes([code]) for code, char in enumerate(ALPHABET) if code != ESCAPE}
_SEPTETS |= {char: bytes([ESCAPE, code]) for code, char in EXTENSION.items()}


def unpack(octets: bytes, count: int, skip_bits: int = 0) -> bytes:
    """`count` septets out of octets, the first one starting `skip_bits` into them; least significant bit first."""
    bits = int.from_bytes(octets, "little") >> skip_bits
    septets = bytearray()
    while len(septets) < count:
        group = bits & 0xFFFFFFFFFFFFFF  # eight septets at a time: shifting the whole number for each one costs more
        septets += bytes([(group >> shift) & 0x7F for shift in range(0, 56, 7)])
        bits >>= 56
    return bytes(septets[:count])


def pack(septets: bytes, skip_bits: int = 0) -> bytes:
    """Septets to octets, leaving `skip_bits` zero bits in front (the fill after a header)."""
    bits = 0
    for position, septet in enumerate(septets):
        bits |= septet << (7 * position + skip_bits)
    return bits.to_bytes((7 * len(septets) + skip_bits + 7) // 8, "little")


def to_text(septets: bytes) -> str:
    """What a phone shows. An escape before an unknown code shows that code's basic character (§6.2.1.1 note 1)."""
    if ESCAPE not in septets:
        return codecs.charmap_decode(septets, "strict", ALPHABET)[0]
    shown, codes = [], iter(septets)
    for code in codes:
        if code != ESCAPE:
            shown.append(ALPHABET[code])
            continue
        extended = next(codes, None)
        shown.append(CUT if extended is None else EXTENSION.get(extended, ALPHABET[extended]))
    return "".join(shown)


def to_septets(text: str) -> list[bytes] | None:
    """One or two septets for each character, or None where the alphabet lacks one."""
    try:
        return [_SEPTETS[char] for char in text]
    except KeyError:
        return None
