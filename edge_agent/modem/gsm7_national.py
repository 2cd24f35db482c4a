"""National language tables of 3GPP TS 23.038 Annex A: the alphabet a message is locked to, what an escape shifts to.

Data, and the little that unfolds it. A code without a character is a space in a locking table and missing from a single
shift one, where the reader then sees the locking table's character. Languages are numbered as in §6.2.1.2.4.
"""

from shared import gsm7

_TURKISH, _SPANISH, _PORTUGUESE, _URDU = 1, 2, 3, 13

_TURKISH_LOCKING = (
    "@£$¥€éùıòÇ\nĞğ\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bŞşßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "İABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§çabcdefghijklmnopqrstuvwxyzäöñüà"
)
_PORTUGUESE_LOCKING = (
    "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ !\"#º%&'()*+,-./0123456789:;<=>?"
    "ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§~abcdefghijklmnopqrstuvwxyzãõ`üà"
)


def _letters(codes: str, letters: str) -> dict[int, str]:
    return dict(zip(bytes.fromhex(codes), letters, strict=True))


_TURKISH_LETTERS = _letters("47 49 53 63 67 69 73", "ĞİŞçğış")
_SPANISH_LETTERS = _letters("09 41 49 4F 55 61 69 6F 75", "çÁÍÓÚáíóú")
_PORTUGUESE_LETTERS = _letters(
    "05 09 0B 0C 0E 0F 12 13 15 16 17 18 19 1F 41 49 4F 55 5B 5C 61 69 6F 75 7B 7C 7F", "êçÔôÁáΦΓΩΠΨΣΘÊÀÍÓÚÃÕÂíóúãõâ"
)


def _points(ranges: str) -> str:
    """Characters by code point: "0B66-0B6F 0B71"."""
    bounds = [(int(first, 16), int(last or first, 16)) for first, _, last in (r.partition("-") for r in ranges.split())]
    return "".join(chr(point) for first, last in bounds for point in range(first, last + 1))


# The nine Indian scripts lie alike in their Unicode blocks, and Annex A lays them out alike: `_INDIAN_LETTERS` are the
# offsets in the block for the codes that are not punctuation, in order. A script leaves out what it has no letter for.
_INDIAN_LETTERS = _points("01-03 05-0B 0C-0D 0E-39 3C-4D")
_INDIAN_PUNCTUATION = _letters("0A 0D 1B 20 21 28 29 2C 2E 3F", "\n\r\x1b !)(,.?") | dict(
    enumerate("0123456789:;", 0x30)
)

# language: (block, codes without a letter, then the letters at 0x60 and 0x7B-0x7F)
_INDIAN: dict[int, tuple[int, str, str]] = {
    4: (0x0980, "0C 0E 11-12 3C 45 47-49 57-58 5B-5C", "09CE 09D7 09DC-09DD 09F0-09F1"),  # Bengali
    5: (0x0A80, "0E 12 3C 45 48 58 5C", "0AD0 0AE0-0AE3 0AF1"),  # Gujarati
    6: (0x0900, "", "0950 0972 097B-097C 097E-097F"),  # Hindi
    7: (0x0C80, "00 0C 11 3C 48 57 5B", "0CD5-0CD6 0CE0-0CE3"),  # Kannada
    8: (0x0D00, "00 0C 11 3C 4E 57 5B", "0D57 0D60-0D63 0D79"),  # Malayalam
    9: (0x0B00, "0C 0E 11-12 3C 45 48 57-58 5B-5C", "0B56-0B57 0B60-0B63"),  # Oriya
    10: (0x0A00, "09 0B-0C 0E 11-12 3C 45 48 4B 4F 55-58 5B-5C", "0A51 0A70-0A74"),  # Punjabi
    11: (  # Tamil
        0x0B80,
        "00 09 0B-0C 11 16-18 1C 1E 23-25 2A-2B 2D 3E 40-41 4E-4F 55-57 5B",
        "0BD0 0BD7 0BF0-0BF2 0BF9",
    ),
    12: (0x0C00, "0C 11 3C 48 4E 57 5B", "0C55-0C56 0C60-0C63"),  # Telugu
}

_URDU_LETTERS = (
    "0627 0622 0628 067B 0680 067E 06A6 062A 06C2 067F 0679 067D 067A 067C 062B 062C 0681 0684 0683 0685 0686 0687 "
    "062D-062F 068C 0688-068A 068F 068D 0630-0631 0691 0693 0699 0632 0696 0698 069A 0633-0639 0641-0642 06A9-06AB "
    "06AF 06B3 06B1 0644-0646 06BA-06BC 0648 06C4 06D5 06C1 06BE 0621 06CC 06D0 06D2 064D 0650 064F 0657 0654"
)
_URDU_TAIL = "0655 0651 0653 0656 0670"

# Single shift: the same signs and capitals everywhere; between them each script's own, in the codes left free.
_SIGNS = dict(enumerate("@£$¥¿\"¤%&'\f*+")) | dict(enumerate("-/<=>¡^¡_#*", 0x0E))
_CAPITALS = dict(enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 0x41))
_FREE = [code for code in range(0x19, 0x40) if code not in (0x1B, *gsm7.EXTENSION)]
_SINGLE: dict[int, str] = {
    4: "09E6-09EF 09DF-09E3 09F2-09FA",
    5: "0964-0965 0AE6-0AEF",
    6: "0964-0965 0966-096F 0951-0954 0958-095F 0960-0963 0970-0971",
    7: "0964-0965 0CE6-0CEF 0CDE 0CF1-0CF2",
    8: "0964-0965 0D66-0D75 0D7A-0D7F",
    9: "0964-0965 0B66-0B6F 0B5C-0B5D 0B5F 0B70-0B71",
    10: "0964-0965 0A66-0A6F 0A59-0A5C 0A5E 0A75",
    11: "0964-0965 0BE6-0BEF 0BF3-0BF8 0BFA",
    12: "0020 0020 0C66-0C6F 0C58-0C59 0C78-0C7F",
    _URDU: "0600-0601 06F0-06F9 060C-0614 061B 061F 0640 0652 0658 066B-066C 0672-0673 06CD 06D4",
}


def _laid_out(letters: str, tail: str) -> str:
    """128 characters: `letters` in the codes below 0x61 that are not punctuation, then a-z, then `tail`."""
    supply = iter(letters)
    head = "".join(_INDIAN_PUNCTUATION.get(code) or next(supply) for code in range(0x61))
    return head + "abcdefghijklmnopqrstuvwxyz" + tail


def _indian(block: int, gaps: str, own: str) -> str:
    own_letters, without = _points(own), _points(gaps)
    letters = "".join(chr(block + ord(offset)) for offset in _INDIAN_LETTERS)
    full = _laid_out(letters + own_letters[0], own_letters[1:])
    return "".join(" " if chr(code) in without else letter for code, letter in enumerate(full))


def _single(own: str) -> dict[int, str]:
    shifted = {code: letter for code, letter in zip(_FREE, _points(own), strict=False) if letter != " "}
    return _SIGNS | _CAPITALS | shifted | gsm7.EXTENSION


# There is no locking table for Spanish.
LOCKING: dict[int, str] = {
    _TURKISH: _TURKISH_LOCKING,
    _PORTUGUESE: _PORTUGUESE_LOCKING,
    **{language: _indian(*table) for language, table in _INDIAN.items()},
    _URDU: _laid_out(_points(_URDU_LETTERS), _points(_URDU_TAIL)),
}
SINGLE: dict[int, dict[int, str]] = {
    _TURKISH: gsm7.EXTENSION | _TURKISH_LETTERS,
    _SPANISH: gsm7.EXTENSION | _SPANISH_LETTERS,
    _PORTUGUESE: gsm7.EXTENSION | _PORTUGUESE_LETTERS,
    **{language: _single(own) for language, own in _SINGLE.items()},
}


def locking(language: int) -> str:
    """128 characters by code; the default alphabet for a language that has no table."""
    return LOCKING.get(language, gsm7.ALPHABET)


def single(language: int) -> dict[int, str]:
    """Characters by the code after an escape; the default extension for a language that has no table."""
    return SINGLE.get(language, gsm7.EXTENSION)
