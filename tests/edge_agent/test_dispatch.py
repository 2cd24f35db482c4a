"""The pure choice of which span sends which job."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.dispatch import Dispatch
from edge_agent.held import HeldJob, HeldPart, JobState


def held(job_id: str, *spans: str, deadline: float = 100.0) -> HeldJob:
    return HeldJob(job_id, "+1", "text", spans, deadline, True, 0)


def names(*jobs: HeldJob | None) -> list[str]:
    return [job.id if job else "" for job in jobs]


def test_jobs_go_in_order_to_the_first_able_span_of_their_pool() -> None:
    woken: list[str] = []
    dispatch = Dispatch(woken.append)
    dispatch.able("a")
    dispatch.able("b")
    for job in (held("1", "a", "b"), held("2", "b", "a"), held("3", "x", "b"), held("4", "a")):
        dispatch.add(job)
    assert names(dispatch.take("a"), dispatch.take("a"), dispatch.take("a")) == ["1", "4", ""]
    assert names(dispatch.take("b"), dispatch.take("b"), dispatch.take("b")) == ["2", "3", ""]
    assert woken == ["a", "b", "b", "a"]


def test_what_waits_for_a_span_that_fails_goes_to_another_and_what_only_it_may_send_waits() -> None:
    dispatch = Dispatch()
    dispatch.able("a")
    dispatch.able("b")
    dispatch.add(held("1", "a", "b"))
    dispatch.add(held("2", "a"))
    dispatch.unable("a")
    assert names(dispatch.take("b"), dispatch.take("b")) == ["1", ""]
    dispatch.able("a")
    assert names(dispatch.take("a")) == ["2"]


def test_a_tried_span_is_only_asked_again_when_no_other_is_able() -> None:
    dispatch = Dispatch()
    dispatch.able("a")
    dispatch.able("b")
    job = held("1", "a", "b")
    job.tried = ("a",)
    dispatch.add(job)
    assert names(dispatch.take("a"), dispatch.take("b")) == ["", "1"]
    dispatch.unable("b")
    dispatch.add(job)
    assert names(dispatch.take("a")) == ["1"]


def test_a_message_that_has_begun_stays_with_its_span() -> None:
    dispatch = Dispatch()
    dispatch.able("b")
    job = held("1", "a", "b")
    job.parts.append(HeldPart(0, 2, "a", "sim", 0.0))
    dispatch.add(job)
    assert names(dispatch.take("b")) == [""]
    dispatch.able("a")
    assert names(dispatch.take("a")) == ["1"]


def test_an_idle_span_takes_the_longest_waiting_job_of_its_pool_behind_one_that_is_held_up() -> None:
    woken: list[str] = []
    dispatch = Dispatch(woken.append)
    for span in "abc":
        dispatch.able(span)
    for job in (held("1", "a"), held("2", "a", "b"), held("3", "a", "b", "c"), held("4", "c", "b")):
        dispatch.add(job)
    assert names(dispatch.take("b")) == [""]
    woken.clear()
    dispatch.held_up(["a"])
    assert woken == ["b"]  # c has work of its own
    assert names(dispatch.take("b"), dispatch.take("c"), dispatch.take("c"), dispatch.take("b")) == ["2", "4", "3", ""]
    assert names(dispatch.take("a"), dispatch.take("a")) == ["1", ""]
    assert len(dispatch) == 0


def test_who_waits_longest_is_helped_first_and_who_goes_on_is_not_helped_any_more() -> None:
    dispatch = Dispatch()
    for span in "abc":
        dispatch.able(span)
    for job in (held("1", "a", "c"), held("2", "b", "c"), held("3", "b", "c")):
        dispatch.add(job)
    dispatch.held_up(["b", "a"])
    assert names(dispatch.take("c")) == ["2"]
    dispatch.held_up(["a"])
    assert names(dispatch.take("c"), dispatch.take("c")) == ["1", ""]
    assert names(dispatch.take("b")) == ["3"]


def test_what_has_begun_was_refused_or_was_taken_back_is_not_helped_out_with() -> None:
    dispatch = Dispatch()
    dispatch.able("a")
    dispatch.able("b")
    begun, refused, gone = held("1", "a", "b"), held("2", "a", "b"), held("3", "a", "b")
    begun.parts.append(HeldPart(0, 2, "a", "sim", 0.0))
    refused.tried = ("b",)
    for job in (begun, refused, gone):
        dispatch.add(job)
    dispatch.remove("3")
    dispatch.held_up(["a"])
    assert names(dispatch.take("b")) == [""]
    dispatch.unable("b")
    dispatch.add(held("4", "a", "b"))
    assert names(dispatch.take("b")) == [""]  # not able: it sends nothing at all
    assert names(dispatch.take("a"), dispatch.take("a"), dispatch.take("a")) == ["1", "2", "4"]


def test_a_removed_job_is_not_taken_any_more() -> None:
    dispatch = Dispatch()
    dispatch.able("a")
    dispatch.add(held("1", "a"))
    dispatch.add(held("2", "x"))
    assert names(dispatch.remove("1"), dispatch.remove("2"), dispatch.remove("1")) == ["1", "2", ""]
    dispatch.able("x")
    assert names(dispatch.take("a"), dispatch.take("x")) == ["", ""]
    assert len(dispatch) == 0


def test_a_doubted_job_rests_until_it_is_trusted_and_can_be_removed_meanwhile() -> None:
    dispatch = Dispatch()
    dispatch.able("a")
    for job in (held("1", "a"), held("2", "a")):
        dispatch.doubt(job)
    assert names(dispatch.take("a")) == [""]
    dispatch.remove("1")
    dispatch.trust()
    assert names(dispatch.take("a"), dispatch.take("a")) == ["2", ""]


def test_overdue_and_hopeless_jobs_are_found() -> None:
    dispatch = Dispatch()
    dispatch.able("a")
    dispatch.add(held("1", "a", deadline=5.0))
    dispatch.add(held("2", "x"))
    assert names(*dispatch.overdue(5.0)) == ["1"]
    assert names(*dispatch.hopeless(["a"])) == ["2"]
    assert names(*dispatch.hopeless(["a", "x"])) == []
    assert dispatch.waiting() == {"a": 1, "x": 1}


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["add", "take", "back", "able", "unable", "remove", "doubt", "trust", "held_up", "begin"]),
        st.integers(0, 9),
    ),
    max_size=60,
)


@given(MOVES)
def test_no_job_is_ever_lost_or_in_two_hands(moves: list[tuple[str, int]]) -> None:
    dispatch, spans = Dispatch(), ("a", "b", "c")
    taken: dict[str, HeldJob] = {}
    waiting: set[str] = set()
    for number, (move, choice) in enumerate(moves):
        span = spans[choice % 3]
        match move:
            case "add":
                job = held(f"{number}", *spans[choice % 3 :])
                dispatch.add(job)
                waiting.add(job.id)
            case "take":
                job_or_none = dispatch.take(span)
                if job_or_none:
                    assert span in job_or_none.spans
                    assert job_or_none.id in waiting
                    assert not job_or_none.parts or job_or_none.parts[0].span == span
                    waiting.remove(job_or_none.id)
                    taken[job_or_none.id] = job_or_none
            case "back" | "doubt" if taken:
                job = taken.pop(sorted(taken)[choice % len(taken)])
                job.tried = (*job.tried, span)
                waiting.add(job.id)
                if move == "back":
                    dispatch.add(job, first=True)
                else:
                    dispatch.doubt(job)
            case "able":
                dispatch.able(span)
            case "unable":
                dispatch.unable(span)
            case "trust":
                dispatch.trust()
            case "held_up":
                dispatch.held_up(spans[: choice % 4])
            case "begin" if taken:
                job = taken.pop(sorted(taken)[choice % len(taken)])
                job.parts.append(HeldPart(0, 2, span, "sim", 0.0))
                waiting.add(job.id)
                dispatch.add(job, first=True)
            case "remove" if waiting:
                job_id = sorted(waiting)[choice % len(waiting)]
                assert dispatch.remove(job_id)
                waiting.remove(job_id)
        assert len(dispatch) == len(waiting) == sum(dispatch.waiting().values())
    dispatch.trust()
    rest: Counter[str] = Counter()
    for span in spans:
        dispatch.able(span)
        while job_or_none := dispatch.take(span):
            assert job_or_none.state is JobState.OPEN
            rest[job_or_none.id] += 1
    assert rest == Counter(waiting)
