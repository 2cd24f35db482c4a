"""What is told of a span, whatever is heard of it, whoever crashes and whatever overtakes what."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import outages
from shared.outages import LOST_AFTER_S, Outage, Told
from shared.wire import PACED, SpanInfo
from tests.samples import NOW, span

UP, DOWN = span("imei:1"), span("imei:1", available=False, reason="SIM PIN required")
FLAPPING = span("imei:1", available=False, reason="registering")


def of(info: SpanInfo) -> dict[str, SpanInfo]:
    return {info.span: info}


def test_a_span_that_comes_back_in_time_was_never_lost() -> None:
    down = outages.noted({}, of(UP), of(FLAPPING), NOW)
    assert outages.to_tell(down, of(FLAPPING), NOW + LOST_AFTER_S - 1) == ()
    up = outages.noted(down, of(FLAPPING), of(UP), NOW + LOST_AFTER_S - 1)
    assert up == {} and outages.due_at(up, of(UP)) is None


def test_reasons_may_change_and_the_outage_is_one() -> None:
    down = outages.noted({}, of(UP), of(FLAPPING), NOW)
    down = outages.noted(down, of(FLAPPING), of(DOWN), NOW + 100)
    assert outages.due_at(down, of(DOWN)) == NOW + LOST_AFTER_S
    assert outages.to_tell(down, of(DOWN), NOW + LOST_AFTER_S) == (DOWN,)


def test_what_was_told_of_as_lost_is_told_of_as_back_at_once_and_once() -> None:
    lost = outages.told({"imei:1": Outage(NOW)}, of(DOWN), [DOWN], NOW + 200, done=True)
    assert outages.to_tell(lost, of(DOWN), NOW + 9000) == () and outages.due_at(lost, of(DOWN)) is None
    back = outages.noted(lost, of(DOWN), of(UP), NOW + 9000)
    assert outages.due_at(back, of(UP)) == 0.0 and outages.to_tell(back, of(UP), NOW + 9000) == (UP,)
    assert outages.told(back, of(UP), [UP], NOW + 9001, done=True) == {}


@pytest.mark.parametrize("known", [{}, {"imei:1": Outage(NOW)}])
def test_what_came_back_while_it_was_told_of_as_lost_is_told_of_as_back(known: outages.Outages) -> None:
    after = outages.told(known, of(UP), [DOWN], NOW + 200, done=True)
    assert outages.to_tell(after, of(UP), NOW + 200) == (UP,)


def test_what_went_down_again_while_it_was_told_of_as_back_is_a_new_outage() -> None:
    after = outages.told({"imei:1": Outage(NOW, Told.YES)}, of(DOWN), [UP], NOW + 500, done=True)
    assert after == {"imei:1": Outage(NOW + 500)}


def test_what_never_could_send_is_not_lost() -> None:
    assert outages.noted({}, {}, of(DOWN), NOW) == {}
    assert outages.noted({}, of(DOWN), of(FLAPPING), NOW) == {}


def test_a_span_that_waits_for_its_own_sending_limit_is_in_order() -> None:
    paced = span("imei:1", available=False, reason=PACED)
    assert outages.noted({}, of(UP), of(paced), NOW) == {}
    lost = {"imei:1": Outage(NOW, Told.YES)}
    assert outages.to_tell(lost, of(paced), NOW) == (paced,)


def test_a_span_that_is_no_longer_known_is_forgotten() -> None:
    known = {"imei:1": Outage(NOW, Told.YES)}
    assert outages.noted(known, of(DOWN), {}, NOW) == {}
    assert outages.told({}, {}, [DOWN], NOW, done=True) == {}


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["up", "down", "tell", "crash after telling"]), st.floats(1.0, 300.0)), max_size=30
    )
)
def test_the_last_word_is_the_truth_and_only_a_crash_repeats_one(steps: list[tuple[str, float]]) -> None:
    now, info, known, words = NOW, UP, outages.noted({}, {}, of(UP), NOW), ["back"]
    for what, seconds in [*steps, ("tell", 0.0), ("tell", LOST_AFTER_S)]:
        now += seconds
        if what in {"up", "down"}:
            after = UP if what == "up" else DOWN
            known, info = outages.noted(known, of(info), of(after), now), after
            continue
        news = outages.to_tell(known, of(info), now)
        due = outages.due_at(known, of(info))
        assert bool(news) is (due is not None and due <= now)
        known = outages.told(known, of(info), news, now, done=False)
        words += ["lost" if outages.is_down(each) else "back" for each in news]
        if what == "tell":
            known = outages.told(known, of(info), news, now, done=True)
    assert words[-1] == ("back" if info is UP else "lost")
    repeated = sum(one == other for one, other in pairwise(words))
    assert repeated <= sum(what == "crash after telling" for what, _ in steps)
