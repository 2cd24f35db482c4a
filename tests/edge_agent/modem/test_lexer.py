"""Bytes to lines and prompts."""

import itertools
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.modem.lexer import MAX_LINE, PROMPT, Lexer


def fed(*chunks: bytes, prompt: bool = False) -> list[str]:
    lexer = Lexer()
    lexer.awaiting_prompt = prompt
    return [token for chunk in chunks for token in lexer.feed(chunk)]


def test_any_run_of_line_ends_separates_lines() -> None:
    assert fed(b"\r\nOK\r\n\r\r\n+CSQ: 1,99\r\r\n\n\rERROR\r") == ["OK", "+CSQ: 1,99", "ERROR"]


def test_a_line_may_come_in_pieces() -> None:
    assert fed(b"\r", b"\n+CS", b"Q: 1,9", b"9\r", b"\n") == ["+CSQ: 1,99"]


def test_a_prompt_needs_no_line_end_and_no_space() -> None:
    assert fed(b"\r\n> ", prompt=True) == [PROMPT]
    assert fed(b">", prompt=True) == [PROMPT]


def test_a_prompt_may_stand_on_a_line_of_its_own() -> None:
    assert fed(b"\r\n>\r\n", prompt=True) == [PROMPT]


def test_a_notice_before_or_behind_a_prompt_is_a_line() -> None:
    assert fed(b'\r\n+CMTI: "SM",1\r\n\r\n> ', prompt=True) == ['+CMTI: "SM",1', PROMPT]
    assert fed(b"\r\n> \r\nRING\r\n", prompt=True) == [PROMPT, "RING"]
    assert fed(b"\r\n>+CREG: 1\r\n", prompt=True) == [PROMPT, "+CREG: 1"]


def test_no_prompt_is_seen_where_none_is_awaited() -> None:
    assert fed(b"\r\n> 1 menu\r\n") == ["> 1 menu"]


def test_only_the_first_prompt_counts() -> None:
    assert fed(b"\r\n> \r\n> \r\n", prompt=True) == [PROMPT, ">"]


def test_line_noise_of_a_booting_uart_is_no_part_of_a_line() -> None:
    assert fed(b"\x00\xff\xffRDY\x00\r\n\x1b\x1a\r\n") == ["RDY"]


def test_a_line_without_end_is_dropped_and_the_next_one_is_whole() -> None:
    assert fed(b"x" * (3 * MAX_LINE), b"y\r\nOK\r\n") == ["OK"]


def test_noise_is_cheap_even_byte_by_byte() -> None:
    lexer = Lexer()
    start = time.process_time()
    for _ in range(100_000):
        lexer.feed(b"\xa5")
    assert time.process_time() - start < 2.0


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=300), st.lists(st.integers(0, 300)), st.booleans())
def test_the_tokens_are_the_same_however_the_bytes_are_cut(data: bytes, cuts: list[int], prompt: bool) -> None:
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in itertools.pairwise(edges)]
    assert fed(*pieces, prompt=prompt) == fed(data, prompt=prompt)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.integers(1, 3 * MAX_LINE), max_size=6), st.integers(1, 500))
def test_long_lines_are_dropped_the_same_however_they_are_cut(lengths: list[int], step: int) -> None:
    data = b"\r\n".join(b"x" * length for length in lengths) + b"\r\n"
    whole = [b"x".decode() * length for length in lengths if length <= MAX_LINE]
    assert fed(*(data[at : at + step] for at in range(0, len(data), step))) == whole
