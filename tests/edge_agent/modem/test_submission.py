"""What the reply to AT+CMGS says with certainty."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.modem.error_codes import CMS
from edge_agent.modem.errors import AtError, parse_error
from edge_agent.modem.reply import Outcome, Reply
from edge_agent.modem.submission import judge
from edge_agent.span import NotSubmitted, Refusal, Submission, Taken, Unknown


def replied(outcome: Outcome, *lines: str, error: AtError | None = None, sent: bool = True) -> Submission:
    return judge(Reply(outcome, lines, error, payload_sent=sent))


@pytest.mark.parametrize(
    ("line", "reference"),
    [("+CMGS: 7", 7), ("+CMGS:7", 7), ('+CMGS: 255,"0700"', 255), ("+CMGS: -1", None), ("+CMGS: 256", None)],
)
def test_the_reference_is_one_octet_or_none(line: str, reference: int | None) -> None:
    assert replied(Outcome.OK, line) == Taken(reference)


def test_a_part_whose_reference_came_is_taken_whatever_came_after() -> None:
    assert replied(Outcome.TIMEOUT, "+CMGS: 7") == Taken(7)
    assert replied(Outcome.GONE, "+CMGS: 7") == Taken(7)
    assert replied(Outcome.ERROR, "+CMGS: 7", error=AtError("ERROR")) == Taken(7)


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.REBOOTED, Outcome.GONE])
def test_no_answer_to_a_pdu_is_unknown_and_without_a_pdu_nothing_was_submitted(outcome: Outcome) -> None:
    assert isinstance(replied(outcome), Unknown)
    assert isinstance(replied(outcome, sent=False), NotSubmitted)


@pytest.mark.parametrize("number", [38, 332, 500, 513])
def test_a_network_that_lost_sight_of_the_part_leaves_it_unknown(number: int) -> None:
    assert isinstance(replied(Outcome.ERROR, error=AtError("CMS", number)), Unknown)
    assert isinstance(replied(Outcome.ERROR, error=AtError("CMS", number), sent=False), NotSubmitted)


@pytest.mark.parametrize(
    "line",
    [
        "+CMS ERROR: Network out of order",  # 38, from a modem that spells it
        "+CMS ERROR: Network timeout",
        "+CMS ERROR: the satellite is behind the moon",
        "+CMS ERROR: 773",
        "+CMS ERROR",
        "+CME ERROR: 999",
    ],
)
def test_a_cause_that_is_not_known_to_be_harmless_leaves_it_unknown(line: str) -> None:
    error = parse_error(line)
    assert isinstance(replied(Outcome.ERROR, error=error), Unknown)
    assert isinstance(replied(Outcome.ERROR, error=error, sent=False), NotSubmitted)


@pytest.mark.parametrize(
    ("line", "elsewhere"),
    [
        ("ERROR", True),
        ("COMMAND NOT SUPPORT", True),
        ("+CMS ERROR: 21", True),
        ("+CMS ERROR: Short message transfer rejected", True),
        ("+CMS ERROR: no network service", True),
        ("+CMS ERROR: Unassigned (unallocated) number", False),
        ("+CMS ERROR: invalid PDU mode parameter", False),
        ("+CME ERROR: SIM not inserted", True),
    ],
)
def test_a_cause_that_says_no_is_a_refusal_also_in_words(line: str, elsewhere: bool) -> None:
    refused = replied(Outcome.ERROR, error=parse_error(line))
    assert isinstance(refused, Refusal)
    assert refused.elsewhere is elsewhere


@pytest.mark.parametrize(("number", "elsewhere"), [(1, False), (30, False), (304, False), (8, True), (330, True)])
def test_a_refusal_says_whether_another_span_may_do(number: int, elsewhere: bool) -> None:
    assert replied(Outcome.ERROR, error=AtError("CMS", number)) == Refusal(f"CMS {number}", CMS[number], elsewhere)


def test_a_message_that_is_at_fault_is_refused_even_before_its_pdu() -> None:
    assert isinstance(replied(Outcome.ERROR, error=AtError("CMS", 304), sent=False), Refusal)


@settings(deadline=None)  # a busy machine is no failure
@given(
    st.sampled_from([outcome for outcome in Outcome if outcome not in {Outcome.OK, Outcome.ERROR}]),
    st.lists(st.text(max_size=20), max_size=3),
    st.none() | st.builds(AtError, st.sampled_from(["CMS", "CME", "ERROR"]), st.none() | st.integers(0, 600)),
)
def test_without_a_byte_of_the_pdu_nothing_is_ever_said_to_be_on_the_air(
    outcome: Outcome, lines: list[str], error: AtError | None
) -> None:
    assert isinstance(replied(outcome, *lines, error=error, sent=False), NotSubmitted | Refusal)
