"""How many parts a text takes and where it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import segments
from shared.segments import RefBits

GSM = "abc XYZ@é\n{}€[]"
FAMILY = "👨\u200d👩\u200d👧\u200d👦"
FLAG = "🇩🇪"
THUMB = "👍🏽"

gsm_texts = st.text(st.sampled_from(GSM), max_size=900)
any_texts = st.text(
    st.sampled_from([*GSM, "ж", "ё", "é", "😀", "🇩", "🇪", "\u200d", "\u0301", "🏽", "👩"]), max_size=500
)


def _septets(text: str) -> int:
    return sum(2 if character in "{}[]~|\\^€\f" else 1 for character in text)


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-be")) // 2


@pytest.mark.parametrize(
    ("text", "encoding", "sizes", "units"),
    [
        ("", "gsm7", [0], 0),
        ("a" * 160, "gsm7", [160], 160),
        ("a" * 161, "gsm7", [153, 8], 161),
        ("a" * 1530, "gsm7", [153] * 10, 1530),
        ("a" * 1531, "gsm7", [153] * 10 + [1], 1531),
        ("€" * 80, "gsm7", [80], 160),
        ("€" * 81, "gsm7", [76, 5], 162),
        ("ж" * 70, "ucs2", [70], 70),
        ("ж" * 71, "ucs2", [67, 4], 71),
        ("😀" * 35, "ucs2", [35], 70),
        ("😀" * 36, "ucs2", [33, 3], 72),
        ("a" * 159 + "😀", "ucs2", [67, 67, 26], 161),
    ],
)
def test_the_limits_are_those_of_the_standard(text: str, encoding: str, sizes: list[int], units: int) -> None:
    cut = segments.split(text)
    assert (cut.encoding, [len(part) for part in cut.parts], cut.units) == (encoding, sizes, units)
    assert segments.count(text) == len(sizes)


@pytest.mark.parametrize(("text", "sizes"), [("a" * 161, [152, 9]), ("ж" * 71, [66, 5]), ("a" * 160, [160])])
def test_a_reference_of_sixteen_bits_leaves_a_part_less_room(text: str, sizes: list[int]) -> None:
    assert [len(part) for part in segments.split(text, ref_bits=16).parts] == sizes


def test_an_extension_character_at_the_edge_moves_to_the_next_part_whole() -> None:
    cut = segments.split("a" * 152 + "€" + "b" * 20)
    assert cut.parts == ("a" * 152, "€" + "b" * 20)


def test_an_extension_character_just_inside_the_edge_stays() -> None:
    assert segments.split("a" * 151 + "€" + "b" * 20).parts == ("a" * 151 + "€", "b" * 20)


def test_an_emoji_at_the_edge_moves_to_the_next_part_whole() -> None:
    assert segments.split("ж" * 66 + "😀" + "ж" * 10).parts == ("ж" * 66, "😀" + "ж" * 10)


@pytest.mark.parametrize("cluster", [FAMILY, FLAG, THUMB, "e\u0301", "❤\ufe0f", "🏴\U000e0067\U000e0062\U000e007f"])
def test_what_is_read_as_one_character_is_not_cut_where_that_costs_nothing(cluster: str) -> None:
    for before in range(67 - _utf16_units(cluster), 68):
        parts = segments.split("ж" * before + cluster + "ж" * 30).parts
        assert any(cluster in part for part in parts)
        assert len(parts) == 2


def test_a_row_of_flags_is_cut_between_flags() -> None:
    parts = segments.split("ж" + FLAG * 30).parts
    assert parts == ("ж" + FLAG * 16, FLAG * 14)


def test_whole_clusters_never_cost_a_further_part() -> None:
    text = "ж" * 66 + "e\u0301" + "ж" * 66  # exactly two parts, and only if cut between letter and accent
    assert segments.split(text).parts == ("ж" * 66 + "e", "\u0301" + "ж" * 66)


def test_a_cluster_longer_than_a_part_is_cut_all_the_same() -> None:
    parts = segments.split("ж" + "\u0301" * 200).parts
    assert [len(part) for part in parts] == [67, 67, 67]


def test_newlines_are_kept() -> None:
    assert segments.split("one\r\ntwo\n\n").parts == ("one\r\ntwo\n\n",)
    assert "".join(segments.split("ж\r\n" * 50).parts) == "ж\r\n" * 50


@pytest.mark.parametrize(
    ("text", "where"), [("\ud83d", "character 1"), ("secret\udc00", "character 7"), ("ж\ud83dж", "U+D83D")]
)
def test_half_a_surrogate_pair_is_refused_and_named_without_the_text(text: str, where: str) -> None:
    for refuses in (segments.split, segments.count):
        with pytest.raises(ValueError, match="half a surrogate pair") as refused:
            refuses(text)
        assert where in str(refused.value)
        assert "secret" not in str(refused.value)
        assert refused.value.__context__ is None  # a traceback would print the text


@given(gsm_texts, st.sampled_from([8, 16]))
def test_parts_of_the_alphabet_are_full_and_whole(text: str, ref_bits: RefBits) -> None:
    cut, size = segments.split(text, ref_bits=ref_bits), 153 if ref_bits == 8 else 152
    assert "".join(cut.parts) == text
    assert cut.units == _septets(text)
    if len(cut.parts) > 1:
        assert all(size - 1 <= _septets(part) <= size for part in cut.parts[:-1])
        assert 0 < _septets(cut.parts[-1]) <= size
    else:
        assert cut.units <= 160


@given(any_texts, st.sampled_from([8, 16]))
def test_no_part_is_too_long_or_holds_half_a_character(text: str, ref_bits: RefBits) -> None:
    cut = segments.split(text, ref_bits=ref_bits)
    assert "".join(cut.parts) == text
    if cut.encoding == "ucs2":
        sizes = [_utf16_units(part) for part in cut.parts]  # raises if a pair was cut
        assert sum(sizes) == cut.units
        assert max(sizes) <= (70 if len(sizes) == 1 else 67 if ref_bits == 8 else 66)
        assert len(sizes) == 1 or min(sizes) > 0


@given(any_texts)
def test_counting_agrees_with_cutting(text: str) -> None:
    assert segments.count(text) == len(segments.split(text).parts)


def test_the_longest_text_anyone_may_post_is_counted_at_once() -> None:
    assert segments.count("a" * 1_000_000) == 6536
    assert segments.count("ж" * 1_000_000) == 14926
