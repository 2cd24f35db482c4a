"""Reading answer lines: never an exception, whatever they hold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.modem import answers
from edge_agent.modem.answers import Registration


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ('+CPMS: "SM",3,50', ["SM", "3", "50"]),
        ("+CMGR: 0,,24", ["0", "", "24"]),
        ('+CMGL: 1,0,"",24', ["1", "0", "", "24"]),
        ('+CUSD: 0,"a, b",15', ["0", "a, b", "15"]),
        ("+CSQ:20,99", ["20", "99"]),
        ("+CPIN:", []),
    ],
)
def test_fields_are_unquoted_and_may_be_empty(line: str, fields: list[str]) -> None:
    assert answers.fields(line) == fields


def test_a_test_command_tells_lists_ranges_and_single_values() -> None:
    told = answers.values("+CNMI: (0,1,2),(0-3),2,(0-1,3),()")
    assert told == [{0, 1, 2}, {0, 1, 2, 3}, {2}, {0, 1, 3}, frozenset()]


@pytest.mark.parametrize(
    ("lines", "stat"),
    [
        (("+CREG: 0,1",), 1),
        (('+CREG: 2,5,"00C3","1A2B",7',), 5),
        (("+CREG: 5", "+CREG: 0,1"), 1),  # notice first
        (("+CREG: 0,1", '+CREG: 5,"00C3","1A2B"'), 1),  # notice behind
        (("+CREG: 0, 10",), 10),
    ],
)
def test_the_answer_is_told_from_a_notice_with_the_same_prefix(lines: tuple[str, ...], stat: int) -> None:
    assert answers.registration(lines) == Registration(stat)


def test_a_notice_alone_is_no_answer() -> None:
    assert answers.registration(("+CREG: 1", '+CREG: 1,"00C3","1A2B"')) is None


@pytest.mark.parametrize(("stat", "registered"), [(0, False), (1, True), (3, False), (5, True), (6, True), (8, False)])
def test_registered_for_sms_only_is_registered(stat: int, registered: bool) -> None:
    assert Registration(stat).registered is registered
    assert bool(Registration(stat).in_words) is not registered


@pytest.mark.parametrize(("line", "dbm"), [("+CSQ: 0,99", -113), ("+CSQ: 31,0", -51), ("+CSQ: 99,99", None)])
def test_signal_is_in_dbm(line: str, dbm: int | None) -> None:
    assert answers.signal_dbm((line,)) == dbm


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('+COPS: 0,0,"vodafone.de",7', ("vodafone.de", "lte")),
        ('+COPS: 0,0,"a, b",2', ("a, b", "umts")),
        ('+COPS: 0,2,"26202"', ("26202", "")),
        ('+COPS: 0,0,"5G",11', ("5G", "nr")),
        ("+COPS: 0", ("", "")),
    ],
)
def test_the_operator_is_named_with_its_technology(line: str, told: tuple[str, str]) -> None:
    assert answers.operator((line,)) == told


def test_digits_are_found_whatever_stands_around_them() -> None:
    assert answers.digits(("+CGSN: 490154203237518",), 14, 16) == "490154203237518"
    assert answers.digits(('"8949020000012345678F"',), 18, 22) == "8949020000012345678"
    assert answers.digits(("RING", "12345"), 14, 16) == ""


@pytest.mark.parametrize(
    ("number", "whole"), [("490154203237518", True), ("490154203237519", False), ("49015420323751", False), ("", False)]
)
def test_an_imei_checks_itself(number: str, whole: bool) -> None:
    assert answers.luhn(number) is whole


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.text(max_size=60), max_size=4), st.integers(0, 5))
def test_unreadable_answers_never_raise(lines: list[str], position: int) -> None:
    given_lines = tuple(lines)
    for line in lines:
        answers.fields(line)
        answers.values(line)
    answers.stores(given_lines)
    answers.number_at(given_lines, position)
    answers.registration(given_lines)
    answers.signal_dbm(given_lines)
    answers.operator(given_lines)
    answers.bare_value(given_lines, "+CGMI:")
