"""How many short messages a text takes and where it is cut (3GPP TS 23.040 §9.2.3.24.1).

Rule: a part ends neither within an extension character (escape + code) nor within a surrogate pair. An emoji or an
accented letter made of several code points is kept whole too, where that costs no further part.
"""

import unicodedata
from dataclasses import dataclass
from typing import Literal

from shared import gsm7

Encoding = Literal["gsm7", "ucs2"]
RefBits = Literal[8, 16]

MAX_PARTS = 10  # of what the API takes; the header could count to 255

# TP-UD holds 140 octets (§9.2.3.16): 160 septets or 70 UTF-16 units. The header that joins parts takes 6 octets of it
# with a reference of 8 bits and 7 with one of 16 bits.
WHOLE: dict[Encoding, int] = {"gsm7": 160, "ucs2": 70}
PART: dict[RefBits, dict[Encoding, int]] = {8: {"gsm7": 153, "ucs2": 67}, 16: {"gsm7": 152, "ucs2": 66}}


@dataclass(frozen=True, slots=True)
class Segments:
    encoding: Encoding
    parts: tuple[str, ...]
    units: int
    """Of the whole text: septets with gsm7, UTF-16 code units with ucs2."""


def split(text: str, *, ref_bits: RefBits = 8) -> Segments:
    """Cut a text into the parts it is sent in. ValueError if it holds half a surrogate pair, which no encoding has."""
    encoding, units = encode(text)
    size = PART[ref_bits][encoding]
    if encoding == "gsm7":
        return Segments("gsm7", _gsm7_parts(text, units, size), len(units))
    return Segments("ucs2", _ucs2_parts(units, size), len(units) // 2)


def count(text: str) -> int:
    """How many parts `split` makes of it. ValueError as there."""
    encoding, units = encode(text)
    cut = _gsm7_ends if encoding == "gsm7" else _cut_pairs_whole
    return len(cut(units, PART[8][encoding]))


def encode(text: str) -> tuple[Encoding, bytes]:
    """Septets, one a byte, if the whole text is in the alphabet; else UTF-16BE. ValueError as in `split`."""
    septets = gsm7.encode(text)
    return ("ucs2", utf16(text)) if septets is None else ("gsm7", septets)


def fits_one(encoding: Encoding, units: bytes) -> bool:
    """Whether what `encode` made needs no second part."""
    return len(units) <= WHOLE[encoding] * (1 if encoding == "gsm7" else 2)


def utf16(text: str) -> bytes:
    """UTF-16BE, which is what phones take UCS-2 to be (23.038 §6.2.3). ValueError on half a pair, without the text."""
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError as fault:
        half = ord(text[fault.start])
        reason = f"character {fault.start + 1} is half a surrogate pair (U+{half:04X}), no character of its own"
    raise ValueError(reason)


def _gsm7_ends(septets: bytes, size: int) -> list[int]:
    """The index after each part's last septet."""
    total, ends, end = len(septets), [], 0
    if total <= WHOLE["gsm7"]:
        return [total]
    while total - end > size:
        end += size
        if septets[end - 1] == gsm7.ESCAPE:
            end -= 1
        ends.append(end)
    return [*ends, total]


def _gsm7_parts(text: str, septets: bytes, size: int) -> tuple[str, ...]:
    parts, start, at = [], 0, 0
    for end in _gsm7_ends(septets, size):
        stop = at + end - start - septets.count(gsm7.ESCAPE, start, end)  # each escape is a septet but no character
        parts.append(text[at:stop])
        start, at = end, stop
    return tuple(parts)


def _ucs2_parts(units: bytes, size: int) -> tuple[str, ...]:
    plain = _cut_pairs_whole(units, size)
    whole = _cut_clusters_whole(units, size) if len(plain) > 1 else plain
    return tuple(whole if len(whole) == len(plain) else plain)


def _cut_pairs_whole(units: bytes, size: int) -> list[str]:
    parts, start = [], 0
    if len(units) <= 2 * WHOLE["ucs2"]:
        return [units.decode("utf-16-be")]
    while len(units) - start > 2 * size:
        end = _pair_edge(units, start + 2 * size)
        parts.append(units[start:end].decode("utf-16-be"))
        start = end
    return [*parts, units[start:].decode("utf-16-be")]


def _cut_clusters_whole(units: bytes, size: int) -> list[str]:
    parts, start = [], 0
    while len(units) - start > 2 * size:
        end = _pair_edge(units, start + 2 * size)
        part = units[start:end].decode("utf-16-be")
        following = units[end : end + 4].decode("utf-16-be", "ignore")[0]
        part = part[: _cluster_edge(part, following)]
        parts.append(part)
        start += len(part.encode("utf-16-be"))
    return [*parts, units[start:].decode("utf-16-be")]


def _pair_edge(units: bytes, end: int) -> int:
    """`end`, or one unit earlier if a low surrogate would open the next part."""
    return end - 2 if 0xDC <= units[end] <= 0xDF else end


def _cluster_edge(part: str, following: str) -> int:
    """Where to end a part so that it holds whole clusters only; its full length if it is one single cluster."""
    end, after = len(part), following
    while end and _belongs_together(part[:end], after):
        end -= 1
        after = part[end]
    return end or len(part)


_JOINER = "\u200d"
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)


def _belongs_together(before: str, after: str) -> bool:
    """What matters in a message of Unicode's text segmentation (UAX #29): marks, joined emoji, skin tones, flags."""
    if after == _JOINER or before[-1] == _JOINER or unicodedata.category(after).startswith("M"):
        return True
    code = ord(after)
    if code in _FLAG_LETTERS:
        letters = len(before) - len(before.rstrip("".join(map(chr, _FLAG_LETTERS))))
        return letters % 2 == 1
    return code in _SKIN_TONES or code in _TAGS
