"""The pure choice of the part that a report speaks of."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.held import HeldJob, HeldPart, PartState
from edge_agent.matching import UNCLEAR_S, WINDOW_S, Candidate, Known, Matcher, Reported, digits, same_number

SIM, TO = "sim", "+4915112345678"


def add(
    matcher: Matcher, at: float, mr: int | None, *, to: str = TO, state: PartState = PartState.TAKEN, sim: str = SIM
) -> HeldPart:
    part = HeldPart(0, 1, "span", sim, at, state, mr)
    matcher.add(HeldJob(f"job-{at}", to, "", (), 1e12, True, 0), part)
    return part


def part_of(found: Known | None) -> HeldPart | None:
    return found.part if isinstance(found, Candidate) else None


def deliver(matcher: Matcher, part: HeldPart) -> None:
    part.state = PartState.DELIVERED
    matcher.reported(part)


def reported_at(matcher: Matcher, mr: int, taken_at: float) -> float | None:
    """When the part was answered that is found and was reported before."""
    found = matcher.find(SIM, mr, TO, taken_at, 1e6)
    return found.at if isinstance(found, Reported) else None


def find(matcher: Matcher, mr: int, taken_at: float | None, *, now: float = 1e6, to: str = TO) -> HeldPart | None:
    return part_of(matcher.find(SIM, mr, to, taken_at, now))


def test_reference_recipient_and_sim_must_fit() -> None:
    matcher = Matcher()
    part = add(matcher, 100, 5)
    assert find(matcher, 5, 100) is part
    assert find(matcher, 6, 100) is None
    assert find(matcher, 5, 100, to="+4915200000000") is None
    assert matcher.find("another", 5, TO, 100, 100) is None


@given(st.permutations(range(1000)), st.floats(-40_000, 40_000))
def test_a_thousand_outstanding_parts_are_told_apart_in_any_order(order: list[int], skew: float) -> None:
    matcher = Matcher()
    parts = [add(matcher, 10.0 * number, number % 256) for number in range(1000)]
    first = add(matcher, -50_000.0, 77, to="+4999999999")  # alone with its reference and number: shows the skew
    assert find(matcher, 77, -50_000.0 + skew, to="+4999999999") is first
    for number in order[:50]:
        assert find(matcher, number % 256, 10.0 * number + skew + 1) is parts[number]
        deliver(matcher, parts[number])


def test_without_a_time_the_latest_open_part_is_meant_since_an_older_report_was_likely_lost() -> None:
    matcher = Matcher()
    add(matcher, 100, 5)
    later = add(matcher, 9000, 5)
    assert find(matcher, 5, None) is later


def test_a_repeated_report_finds_the_part_it_was_for_and_not_the_next_with_its_reference() -> None:
    matcher = Matcher()
    deliver(matcher, add(matcher, 100, 5))
    add(matcher, 9000, 5)
    assert reported_at(matcher, 5, 100) == 100


def test_a_part_that_was_reported_before_this_start_is_known_again_too() -> None:
    matcher = Matcher()
    add(matcher, 100, 5, state=PartState.DELIVERED)
    add(matcher, 9000, 5)
    assert reported_at(matcher, 5, 100) == 100


def test_of_parts_that_were_reported_the_latest_two_of_a_reference_are_kept() -> None:
    matcher = Matcher()
    for at in (1000, 3000, 5000):
        deliver(matcher, add(matcher, at, 5))
    assert [reported_at(matcher, 5, at) for at in (3000, 5000)] == [3000, 5000]
    assert reported_at(matcher, 5, 1000) == 5000  # the oldest is forgotten; still no open part is meant


def test_parts_within_the_same_second_are_reported_in_order() -> None:
    matcher = Matcher()
    first, second = add(matcher, 100.1, 5), add(matcher, 100.8, 5)
    assert find(matcher, 5, 100) is first
    deliver(matcher, first)
    assert find(matcher, 5, 100) is second


def test_a_part_in_flight_is_meant_when_the_only_namesake_is_old() -> None:
    matcher = Matcher()
    add(matcher, 100, 5)
    flying = add(matcher, 5000, None, state=PartState.MARKED)
    assert find(matcher, 5, 5001) is flying


def test_a_known_reference_is_preferred_to_a_part_in_flight() -> None:
    matcher = Matcher()
    known = add(matcher, 5000, 5)
    add(matcher, 5001, None, state=PartState.MARKED)
    assert find(matcher, 5, 5001) is known


def test_a_late_answer_does_not_lose_its_report_to_a_part_without_a_reference_that_is_nearer_in_time() -> None:
    matcher = Matcher()
    add(matcher, 100.4, None, state=PartState.DELIVERED)  # the part before, of a modem that told no reference
    late = add(matcher, 103.5, 6)  # taken at 100.6, answered 3 s later
    assert find(matcher, 6, 100.0) is late


def test_no_skew_is_learned_from_a_time_when_this_clock_was_wrong() -> None:
    matcher = Matcher()
    matcher.sure_since = 1000.0
    before = add(matcher, 10.0, 5)  # really at 990
    unanswered = add(matcher, 12.0, None, state=PartState.UNKNOWN)
    assert find(matcher, 5, 990.0) is before
    sent = add(matcher, 992.0, 7)
    assert find(matcher, 7, 992.0) is sent
    assert find(matcher, 9, 992.0) is not unanswered


def test_an_unanswered_part_is_not_proved_by_what_may_be_the_report_of_one_with_a_wrong_time() -> None:
    matcher = Matcher()
    matcher.sure_since = 5000.0
    add(matcher, 1000.0, 6)
    add(matcher, 5100.0, None, state=PartState.UNKNOWN)
    assert find(matcher, 6, 5100.0) is None


def test_an_unanswered_part_is_only_taken_for_the_one_within_its_time() -> None:
    matcher = Matcher()
    unknown = add(matcher, 5000, None, state=PartState.UNKNOWN)
    assert find(matcher, 9, 5000 + WINDOW_S - 1) is unknown
    assert find(matcher, 9, 5000 + WINDOW_S + 1) is None
    assert find(matcher, 9, None, now=5000 + UNCLEAR_S - 1) is unknown
    assert find(matcher, 9, None, now=5000 + UNCLEAR_S + 1) is None


def test_of_two_unanswered_parts_none_is_chosen_without_a_time() -> None:
    matcher = Matcher()
    add(matcher, 5000, None, state=PartState.UNKNOWN)
    add(matcher, 5001, None, state=PartState.UNKNOWN)
    assert find(matcher, 9, None, now=5002) is None


def test_a_part_that_was_not_handed_over_is_never_found() -> None:
    matcher = Matcher()
    part = add(matcher, 5000, None, state=PartState.MARKED)
    matcher.discard(part)
    assert find(matcher, 9, 5000) is None


def test_what_is_too_old_is_forgotten() -> None:
    matcher = Matcher()
    add(matcher, 100, 5)
    add(matcher, 100, None, state=PartState.UNKNOWN)
    matcher.forget(1e12)
    assert find(matcher, 5, 100) is not None
    matcher.forget(1e12 + 1)
    assert find(matcher, 5, 100) is None
    assert find(matcher, 9, 100) is None


def test_numbers_are_one_recipient_however_the_network_spells_them() -> None:
    for other in ("015112345678", "+4915112345678", "004915112345678", "15112345678"):
        assert same_number(digits(TO), digits(other))
    assert not same_number(digits(TO), digits("+4915112345679"))
    assert not same_number(digits(TO), digits("5678"))
    assert same_number(digits("5678"), digits("5678"))
