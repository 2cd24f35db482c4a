"""SMS-SUBMIT: what we write, read by a second codec."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_agent.modem import pdu
from edge_agent.modem.pdu import Concat
from shared import segments
from shared.segments import RefBits
from tests.edge_agent.modem.reference_tpdu import ALPHABET, EXTENSION, read_submit

numbers = st.builds(
    str.__add__, st.sampled_from(["", "+"]), st.text(st.sampled_from("0123456789*#abc"), min_size=1, max_size=20)
)
gsm_texts = st.text(st.sampled_from([*ALPHABET.replace("\x1b", ""), *EXTENSION.values()]), max_size=500)
any_texts = st.one_of(gsm_texts, st.text(st.characters(exclude_categories=["Cs"]), max_size=200))


def _one(
    text: str, number: str = "+491701234567", *, validity_s: int | None = None, report: bool = False
) -> pdu.SubmitPdu:
    (submit,) = pdu.encode_message(number, text, ref=1, validity_s=validity_s, status_report=report)
    return submit


@pytest.mark.parametrize(
    ("number", "text", "expected", "length"),
    [
        ("+46708251358", "hellohello", "0001000B916407281553F800000AE8329BFD4697D9EC37", 22),
        ("+46708251358", "", "0001000B916407281553F8000000", 13),
        ("12345", "@", "00010005812143F500000100", 11),
        ("*100#", "ж", "00010005811A00FB0008020436", 12),
    ],
)
def test_known_messages_have_known_octets(number: str, text: str, expected: str, length: int) -> None:
    submit = _one(text, number)
    assert (submit.hex, submit.tpdu_length) == (expected, length)


@given(
    numbers,
    any_texts,
    st.integers(0, 70_000),
    st.none() | st.integers(1, 10**8),
    st.booleans(),
    st.sampled_from([8, 16]),
)
@example("+49170", "a" * 159 + "@", 0, None, True, 8)  # ends in the zero septet other codecs take for a fill
@example("+49170", "a" * 152 + "€" + "a" * 50, 0, None, True, 8)
@example("+49170", "😀" * 40, 0xFFFF, None, True, 16)
def test_what_is_written_reads_the_same_with_a_second_codec(
    number: str, text: str, ref: int, validity_s: int | None, report: bool, ref_bits: RefBits
) -> None:
    submits = pdu.encode_message(number, text, ref=ref, validity_s=validity_s, status_report=report, ref_bits=ref_bits)
    read = [read_submit(submit.hex) for submit in submits]
    assert "".join(part.text for part in read) == text
    assert {(part.number, part.status_report) for part in read} == {(number, report)}
    assert [part.tpdu_length for part in read] == [submit.tpdu_length for submit in submits]
    assert all(len(submit.hex) <= 2 * 165 and submit.hex == submit.hex.upper() for submit in submits)
    assert [part.header for part in read] == _headers(len(read), ref, ref_bits)


def _headers(total: int, ref: int, bits: int) -> list[bytes]:
    if total == 1:
        return [b""]
    if bits == 8:
        return [bytes([5, 0, 3, ref % 256, total, seq]) for seq in range(1, total + 1)]
    return [bytes([6, 8, 4, ref // 256 % 256, ref % 256, total, seq]) for seq in range(1, total + 1)]


@given(any_texts, st.sampled_from([8, 16]))
def test_each_part_alone_is_what_the_message_made_of_it(text: str, ref_bits: RefBits) -> None:
    cut = segments.split(text, ref_bits=ref_bits)
    total = len(cut.parts)
    alone = tuple(
        pdu.encode_submit(
            "+49170",
            part,
            encoding=cut.encoding,
            concat=Concat(7, total, seq, ref_bits) if total > 1 else None,
            validity_s=60,
            status_report=True,
        )
        for seq, part in enumerate(cut.parts, start=1)
    )
    assert alone == pdu.encode_message("+49170", text, ref=7, validity_s=60, status_report=True, ref_bits=ref_bits)


@given(st.integers(1, 63 * 7 * 86400))
@example(1)
@example(300)
@example(12 * 3600)
@example(12 * 3600 + 1)
@example(24 * 3600)
@example(24 * 3600 + 1)
@example(30 * 86400)
@example(30 * 86400 + 1)
@example(63 * 7 * 86400)
def test_the_validity_is_the_next_step_up(seconds: int) -> None:
    validity, asked = read_submit(_one("x", validity_s=seconds).hex).validity, timedelta(seconds=seconds)
    assert validity is not None
    step = next(step for limit, step in _STEPS if validity <= limit)
    assert asked <= validity < asked + step


_STEPS = [
    (timedelta(hours=12), timedelta(minutes=5)),
    (timedelta(hours=24), timedelta(minutes=30)),
    (timedelta(days=30), timedelta(days=1)),
    (timedelta(weeks=63), timedelta(weeks=1)),
]


def test_a_validity_beyond_the_scale_is_its_end() -> None:
    assert read_submit(_one("x", validity_s=10**9).hex).validity == timedelta(weeks=63)


@pytest.mark.parametrize("seconds", [0, -5])
def test_a_message_that_has_expired_is_not_encoded(seconds: int) -> None:
    with pytest.raises(ValueError, match="validity"):
        _one("x", validity_s=seconds)


@pytest.mark.parametrize("number", ["", "+", "1" * 21, "+12 34", "12+34", "١٢٣", "²", "12f", "ABC", "+49-170", "1\n"])
def test_what_is_no_number_is_refused_without_telling_it(number: str) -> None:
    with pytest.raises(ValueError, match="a number") as refused:
        _one("x", number)
    assert len(number) < 3 or number not in str(refused.value)


@pytest.mark.parametrize("concat", [Concat(1, 0, 0), Concat(1, 2, 3), Concat(1, 2, 0), Concat(1, 256, 1)])
def test_a_part_that_cannot_be_is_refused(concat: Concat) -> None:
    with pytest.raises(ValueError, match="part"):
        pdu.encode_submit("1", "x", encoding="gsm7", concat=concat)


def test_a_message_of_more_parts_than_the_header_counts_is_refused() -> None:
    with pytest.raises(ValueError, match="256"):
        pdu.encode_message("1", "a" * (153 * 255 + 1), ref=1, validity_s=None, status_report=False)


@pytest.mark.parametrize(
    ("text", "concat"), [("a" * 161, None), ("a" * 154, Concat(1, 2, 1)), ("a" * 153, Concat(1, 2, 1, 16))]
)
def test_a_part_too_long_for_one_message_is_refused(text: str, concat: Concat | None) -> None:
    with pytest.raises(ValueError, match="room for 140 octets"):
        pdu.encode_submit("1", text, encoding="gsm7", concat=concat)


@pytest.mark.parametrize(("encoding", "text"), [("gsm7", "secret ж"), ("ucs2", "secret \ud83d")])
def test_a_text_that_cannot_be_encoded_is_refused_without_telling_it(encoding: segments.Encoding, text: str) -> None:
    with pytest.raises(ValueError, match=r"alphabet|surrogate") as refused:
        pdu.encode_submit("1", text, encoding=encoding)
    assert "secret" not in str(refused.value)


def test_a_message_in_a_log_shows_neither_text_nor_number() -> None:
    assert repr(_one("Hello")) == "SubmitPdu(tpdu_length=18)"


def test_half_a_surrogate_pair_in_a_message_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        _one("ж\ud83d")
