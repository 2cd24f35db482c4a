"""Final results in words."""

import pytest

from edge_agent.modem.error_codes import CME, CMS
from edge_agent.modem.errors import AtError, parse_error
from edge_agent.simulator import results


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


# As modems of several makers spell 24.011 table 8.4, 23.040 §9.2.3.22, 27.005 §3.2.5 and 27.007 §9.2.
SPELLED = [
    ("+CMS ERROR: Network out of order", "CMS 38"),
    ("+CMS ERROR: network out of order.", "CMS 38"),
    ("+CMS ERROR: Resources unavailable, unspecified", "CMS 47"),
    ("+CMS ERROR: Short message transfer rejected", "CMS 21"),
    ("+CMS ERROR: Unassigned (unallocated) number", "CMS 1"),
    ("+CMS ERROR: Invalid SME address", "CMS 195"),
    ("+CMS ERROR: invalid PDU mode parameter", "CMS 304"),
    ("+CMS ERROR: (U)SIM busy", "CMS 314"),
    ("+CMS ERROR: SMSC address unknown", "CMS 330"),
    ("+CMS ERROR: Network timeout", "CMS 332"),
    ("+CMS ERROR: Unknown error", "CMS 500"),
    ("+CME ERROR: SIM PIN2 required", "CME 17"),
    ("+CME ERROR: PH-SIM PIN required", "CME 5"),
    ("+CME ERROR: unknown", "CME 100"),
]


@pytest.mark.parametrize(("line", "code"), SPELLED)
def test_a_cause_in_words_is_the_same_as_its_number(line: str, code: str) -> None:
    error = parse_error(line)
    assert error is not None
    kind, number = code.split()
    assert (error.code, error.text) == (code, AtError(kind, int(number)).text)


@pytest.mark.parametrize(("kind", "table"), [("CMS", CMS), ("CME", CME)])
def test_our_own_words_for_a_cause_are_understood_too(kind: str, table: dict[int, str]) -> None:
    for words in table.values():
        error = parse_error(f"+{kind} ERROR: {words.upper()}")
        assert error is not None
        assert error.number is not None
        assert table[error.number] == words


def test_the_simulator_spells_what_is_understood() -> None:
    for kind, table in (("CMS", results.CMS_WORDS), ("CME", results.CME_WORDS)):
        for number, words in table.items():
            error = parse_error(f"+{kind} ERROR: {words}")
            assert error is not None
            assert error.number == number
