from hypothesis import given
from hypothesis import strategies as st

from shared.aws import keys
from tests.samples import message

# Up to 2242: so long a float tells microseconds apart, and keys are cut to milliseconds.
_TIMES = st.floats(0, 2**33, allow_nan=False).map(lambda at: round(at, 3))
_SECONDS = st.one_of(st.integers(0, 2**33), st.integers(-(10**12), 10**12)).map(float)
_IDS = st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ-", min_size=1, max_size=26)


@given(_TIMES, _TIMES, _IDS, _IDS)
def test_keys_sort_as_their_times_do(one: float, two: float, a: str, b: str) -> None:
    assert (keys.moment(one, a) < keys.moment(two, b)) == ((one, a) < (two, b))
    first, second = message(a, deadline=one), message(b, deadline=two)
    assert (first.place < second.place) == ((one, a) < (two, b))


@given(_TIMES, _IDS)
def test_a_place_in_a_queue_tells_whose_it_is_and_until_when(deadline: float, message_id: str) -> None:
    waiting = keys.waiting(message(message_id, agent="site-1", deadline=deadline))
    assert keys.queued_agent(waiting) == "site-1"
    assert keys.queued_deadline(waiting) == deadline


@given(_TIMES, _IDS, _IDS)
def test_a_queue_goes_on_right_behind_its_cursor(deadline: float, a: str, b: str) -> None:
    one = message(a, deadline=deadline)
    other = message(b, deadline=deadline)
    first, last = keys.queue("site-1", one.place)
    assert not first <= keys.waiting(one) <= last
    assert (first <= keys.waiting(other) <= last) == (other.place > one.place)


@given(_TIMES, _TIMES, _TIMES, _IDS)
def test_a_span_of_time_is_inclusive_on_both_ends(start: float, end: float, at: float, identity: str) -> None:
    first, last = keys.moments(start, end)
    assert (first <= keys.moment(at, identity) <= last) == (start <= at <= end)


@given(_SECONDS, _SECONDS, _TIMES, _IDS)
def test_whatever_years_a_span_of_time_names_it_holds_what_is_in_it(
    start: float, end: float, at: float, identity: str
) -> None:
    """DynamoDB refuses a BETWEEN whose second key sorts before the first."""
    first, last = keys.moments(start, end)
    assert first <= last
    if at > 0:  # what a network's clock has before 1970 is kept as of 1970
        assert (first <= keys.moment(at, identity) <= last) == (start <= at <= end)


def test_a_moment_belongs_to_the_second_that_is_shown_of_it() -> None:
    _, last = keys.moments(None, 1.999999)
    assert keys.moment(1.9997, "a") <= last < keys.moment(2.0, "a")
    first, _ = keys.moments(2.0, None)
    assert keys.moment(1.9997, "a") < first < keys.moment(2.0, "a")


def test_a_queue_holds_no_other_agents_messages() -> None:
    first, last = keys.queue("site-1", "")
    for other in ("site-10", "site-0", "site-1a", "site", "site-1-b"):
        assert not first <= keys.waiting(message(agent=other)) <= last
