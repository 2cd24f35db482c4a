"""TP-DCS, the data coding scheme (3GPP TS 23.038 §4), as a table of its 256 values."""

from typing import Final, Literal

Encoding = Literal["gsm7", "8bit", "ucs2"]

_ALPHABETS: Final[tuple[Encoding, ...]] = (
    "gsm7",
    "8bit",
    "ucs2",
    "gsm7",
)  # the fourth is reserved and read as the first


def _encoding(dcs: int) -> Encoding:
    group = dcs >> 4
    if group < 0x8:  # general, and marked for automatic deletion
        compressed = dcs & 0x20  # 23.042; nobody sends it, and to us it is data
        return "8bit" if compressed else _ALPHABETS[dcs >> 2 & 3]
    if group == 0xE:  # message waiting, in UCS-2
        return "ucs2"
    if group == 0xF:  # data coding and class
        return "8bit" if dcs & 0x04 else "gsm7"
    return "gsm7"  # message waiting; and the reserved groups, by §4's own rule


def _message_class(dcs: int) -> int | None:
    general_with_class = dcs >> 4 < 0x8 and dcs & 0x10
    return dcs & 3 if general_with_class or dcs >> 4 == 0xF else None


ENCODINGS: Final = tuple(_encoding(dcs) for dcs in range(256))
CLASSES: Final = tuple(_message_class(dcs) for dcs in range(256))
