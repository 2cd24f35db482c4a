"""GSM 03.38: which texts are in the alphabet, and as what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smspdudecoder.codecs import GSM

from shared import gsm7

# Another package's table, not ours.
BASIC: str = GSM.ALPHABET
EXTENSION: dict[int, str] = GSM.ALPHABET_EXT
CHARACTERS = [*BASIC.replace("\x1b", ""), *EXTENSION.values()]

texts_in_the_alphabet = st.text(st.sampled_from(CHARACTERS))


def _read(septets: bytes) -> str:
    said, codes = "", iter(septets)
    for code in codes:
        said += EXTENSION[next(codes)] if code == 0x1B else BASIC[code]
    return said


def test_every_character_has_the_code_of_the_standard() -> None:
    assert gsm7.encode(BASIC.replace("\x1b", "")) == bytes(code for code in range(128) if code != 0x1B)
    for code, character in EXTENSION.items():
        assert gsm7.encode(character) == bytes([0x1B, code])


@pytest.mark.parametrize(
    ("text", "septets"),
    [
        ("", b""),
        ("@", b"\x00"),
        ("a@€", b"\x61\x00\x1b\x65"),
        ("\r\n", b"\x0d\x0a"),
        ("§`"[:1], b"\x5f"),
        ("Ç", b"\x09"),
    ],
)
def test_known_texts_have_known_septets(text: str, septets: bytes) -> None:
    assert gsm7.encode(text) == septets


@pytest.mark.parametrize(
    "text", ["ç", "`", "’", "–", "\0", "a\0b", "\x1b", "á", "Α", "\t", "\ufffe", "ab😀", "\ud83d", "\xa0"]
)
def test_a_character_outside_the_alphabet_is_never_exchanged_for_a_likeness(text: str) -> None:
    assert gsm7.encode(text) is None
    assert gsm7.count(text) is None


def test_no_other_character_of_unicode_is_taken() -> None:
    taken = {chr(point) for point in range(0x110000) if gsm7.encode(chr(point)) is not None}
    assert taken == set(CHARACTERS)


@given(texts_in_the_alphabet)
def test_what_is_encoded_reads_the_same_with_another_table(text: str) -> None:
    septets = gsm7.encode(text)
    assert septets is not None
    assert _read(septets) == text
    assert gsm7.count(text) == len(text) + sum(character in EXTENSION.values() for character in text)


@given(texts_in_the_alphabet, st.characters().filter(lambda c: c not in CHARACTERS), texts_in_the_alphabet)
def test_one_foreign_character_anywhere_is_enough_to_refuse(before: str, foreign: str, after: str) -> None:
    assert gsm7.encode(before + foreign + after) is None
