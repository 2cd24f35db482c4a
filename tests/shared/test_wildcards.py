"""Patterns with stars."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.wildcards import matches


@pytest.mark.parametrize(
    ("text", "pattern", "fits"),
    [
        ("+4917", "+4917", True),
        ("+4917", "4917", False),
        ("+4917", "*17", True),
        ("+4917", "+49*", True),
        ("+4917", "*", True),
        ("", "*", True),
        ("aba", "a*ba", True),
        ("aba", "ab*ba", False),
        ("a.c", "a.c", True),
        ("abc", "a.c", False),
        ("Bank\nX", "Bank*X", True),
    ],
)
def test_a_star_stands_for_any_run_and_all_else_for_itself(text: str, pattern: str, fits: bool) -> None:
    assert matches(text, pattern) is fits


@given(st.text("ab*", max_size=12), st.text("ab", max_size=12))
def test_it_agrees_with_a_regular_expression(pattern: str, text: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL)
    assert matches(text, pattern) is (expected is not None)


def test_a_pattern_made_to_backtrack_costs_no_more_than_others() -> None:
    hostile = "*1" * 31 + "*2"
    started = time.process_time()
    for _ in range(20_000):
        assert not matches("1" * 20, hostile)
    assert time.process_time() - started < 2
