"""Final results in words."""

import pytest

from edge_agent.modem.errors import CME, CMS, AtError, parse_error


def test_every_code_has_words_that_say_something() -> None:
    for table in (CMS, CME):
        assert all(len(text) > 5 for text in table.values())


@pytest.mark.parametrize("line", ["OK", "+CMS: 1", "+CMGS: 4", "RING", "ERRORS", "", "+CME"])
def test_other_lines_are_no_errors(line: str) -> None:
    assert parse_error(line) is None


def test_words_that_are_in_no_table_are_told_as_they_came() -> None:
    error = parse_error("+CME ERROR: battery low")
    assert error is not None
    assert (error.code, error.text) == ("CME", "battery low")


@pytest.mark.parametrize(
    ("error", "busy"),
    [(AtError("CME", 14), True), (AtError("CMS", 314), True), (AtError("CME", 515), True), (AtError("CME", 10), False)],
)
def test_busy_is_a_reason_to_ask_again(error: AtError, busy: bool) -> None:
    assert error.busy is busy
