"""National language tables: the alphabets an SMS-DELIVER may be locked or shifted to."""

import unicodedata

import pytest

from edge_agent.modem import gsm7_national, pdu
from tests.edge_agent.modem import reference_tpdu as reference

_SCRIPTS = ["BENGALI", "GUJARATI", "DEVANAGARI", "KANNADA", "MALAYALAM", "ORIYA", "GURMUKHI", "TAMIL", "TELUGU"]
SCRIPTS = dict(enumerate(_SCRIPTS, start=4))
SINGLE, LOCKING = 0x24, 0x25


def _deliver(septets: list[int], elements: bytes) -> pdu.Deliver:
    header = bytes([len(elements)]) + elements
    fill = reference.fill_bits(header)
    length = (8 * len(header) + fill) // 7 + len(septets)
    user_data = header + reference.packed(septets, fill)
    sender, when = reference.address("1"), bytes.fromhex("62101021000000")
    message = pdu.decode(reference.write_deliver(sender, when, user_data, length=length, first=0x44))
    assert isinstance(message, pdu.Deliver)
    return message


def _shifts(locking: int | None, single: int | None) -> bytes:
    elements = b"" if locking is None else bytes([LOCKING, 1, locking])
    return elements + (b"" if single is None else bytes([SINGLE, 1, single]))


@pytest.mark.parametrize(
    ("locking", "single", "septets", "text"),
    [
        (1, None, [0x40, 0x73, 0x74, 0x61, 0x6E, 0x62, 0x75, 0x6C, 0x07, 0x0C, 0x1D, 0x04], "İstanbulığş€"),
        (None, 1, [0x1B, 0x49, 0x1B, 0x67, 0x1B, 0x73, 0x1B, 0x65, 0x60], "İğş€¿"),
        (None, 2, [0x1B, 0x41, 0x1B, 0x09, 0x1B, 0x75, 0x7D, 0x1B, 0x28], "Áçúñ{"),
        (2, None, [0x40, 0x7D], "¡ñ"),  # there is no Spanish locking table
        (3, 3, [0x7B, 0x7C, 0x1B, 0x7F, 0x1B, 0x18, 0x15, 0x1B, 0x1F, 0x12], "ãõâΣ∞Êª"),
        (6, 6, [0x28, 0x15, 0x50, 0x1B, 0x1C, 0x1B, 0x41, 0x1B, 0x19], ")का०A।"),
        (4, 4, [0x15, 0x1B, 0x19, 0x1B, 0x25], "ক০ৠ"),
        (11, 11, [0x15, 0x51, 0x1B, 0x2E], "கி௺"),
        (12, 12, [0x15, 0x1B, 0x1C, 0x1B, 0x32], "క౦౿"),
        (13, 13, [0x00, 0x47, 0x5B, 0x1B, 0x1C, 0x1B, 0x3F], "\u0627\u06a9\u06d2\u06f0\u06d4"),
        (14, 14, [0x40, 0x1B, 0x65], "¡€"),  # a language not defined yet
        (255, None, [0x00], "@"),
    ],
)
def test_texts_are_read_in_the_language_their_header_names(
    locking: int | None, single: int | None, septets: list[int], text: str
) -> None:
    assert _deliver(septets, _shifts(locking, single)).text == text


def test_what_a_single_shift_table_lacks_is_read_in_the_locking_table() -> None:
    assert _deliver([0x1B, 0x15], _shifts(6, 1)).text == "क"


def test_a_header_that_shifts_may_also_join() -> None:
    elements = bytes([0, 3, 0x42, 2, 1, LOCKING, 1, 6, SINGLE, 1, 6])
    message = _deliver([0x15, 0x1B, 0x1C], elements)
    assert (message.text, message.concat) == ("क०", pdu.Concat(0x42, 2, 1))
    assert pdu.join([message, message]) == "क०क०"


@pytest.mark.parametrize("language", gsm7_national.LOCKING)
def test_a_locking_table_has_each_character_once(language: int) -> None:
    table = gsm7_national.locking(language)
    letters = table.replace(" ", "")
    assert len(table) == 128
    assert len(set(letters)) == len(letters)
    assert [table[code] for code in (0x0A, 0x0D, 0x1B, 0x20)] == ["\n", "\r", "\x1b", " "]
    assert table[0x61:0x7B] == "abcdefghijklmnopqrstuvwxyz"
    assert table[0x30:0x3C] == "0123456789:;"


@pytest.mark.parametrize(("language", "script"), SCRIPTS.items())
def test_the_letters_of_an_indian_table_are_of_its_script_and_where_all_the_scripts_have_them(
    language: int, script: str
) -> None:
    table = gsm7_national.locking(language)
    names = {0x03: "LETTER A", 0x07: "LETTER U", 0x15: "LETTER KA", 0x2F: "LETTER NA", 0x42: "LETTER MA"}
    names |= {
        0x4D: "LETTER HA",
        0x02: "SIGN VISARGA",
        0x50: "VOWEL SIGN AA",
        0x5A: "VOWEL SIGN AI",
        0x5F: "SIGN VIRAMA",
    }
    for code, name in names.items():
        assert unicodedata.name(table[code]) == f"{script} {name}"
    for letter in table:
        assert ord(letter) < 0x80 or unicodedata.name(letter).startswith(script)


@pytest.mark.parametrize(("language", "script"), SCRIPTS.items())
def test_a_single_shift_table_has_the_digits_and_capitals(language: int, script: str) -> None:
    table = gsm7_national.single(language)
    first = 0x19 if language == 4 else 0x1C  # only Bengali does without the dandas
    codes = [code for code in range(first, 0x28) if code != 0x1B][:10]
    assert [unicodedata.digit(table[code]) for code in codes] == list(range(10))
    assert all(unicodedata.name(table[code]).startswith(script) for code in codes)
    assert "".join(table[code] for code in range(0x41, 0x5B)) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert (table[0x00], table[0x18], table[0x28], table[0x3E], table[0x65]) == ("@", "*", "{", "]", "€")
    assert " " not in table.values()


def test_the_urdu_tables_are_arabic() -> None:
    table, shift = gsm7_national.locking(13), gsm7_national.single(13)
    assert [unicodedata.digit(shift[code]) for code in (*range(0x1C, 0x26),)] == list(range(10))
    for letter in (*table, *shift.values()):
        assert ord(letter) < 0x100 or letter == "€" or "ARABIC" in unicodedata.name(letter)
    for code, name in {0x00: "ALEF", 0x0B: "TTEH", 0x26: "RREH", 0x58: "HAMZA", 0x59: "FARSI YEH"}.items():
        assert unicodedata.name(table[code]) == f"ARABIC LETTER {name}"
