"""What becomes of a push: retries, ends, order, resting endpoints, other accounts. Hours pass in simulated time."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import cycle, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.ports import Unavailable
from shared.push_event import from_json
from shared.push_record import PushAttempt, PushState
from shared.push_retry import RETRY_S
from shared.usecases.push_turns import TURNS
from tests.push_world import BROKEN, HANGS, OK, Answer, PushWorld, event

DAY = 86400.0
ANSWERS = (200, 204, 302, 400, 404, 408, 410, 429, 500, 503, None)
SAID = (("result", "SENT"), ("report", "DELIVERD"), ("received", ""))


def failing(times: int, attempt: PushAttempt = BROKEN) -> Answer:
    """A receiver that fails so often and then works."""
    left = [times]

    def answer(_url: str, _headers: Mapping[str, str]) -> PushAttempt:
        left[0] -= 1
        return attempt if left[0] >= 0 else OK

    return answer


def always(status: int | None, seconds: float = 0.1, wait: float | None = None) -> Answer:
    return lambda _url, _headers: PushAttempt(status=status, error="no", seconds=seconds, retry_after=wait)


def state(world: PushWorld, event_id: str) -> PushState | None:
    record = world.log.get("acme", event_id)
    return record.state if record else None


def test_an_event_is_told_once_and_leaves_the_queue() -> None:
    world = PushWorld()
    world.queue.put([event()])
    world.run(DAY)
    assert world.receivers.ids() == ["m1-result-sent"] and world.queue.held == {}
    assert state(world, "m1-result-sent") is PushState.DELIVERED


def test_a_receiver_that_fails_five_times_then_works_gets_each_event_under_one_id() -> None:
    world = PushWorld()
    events = [event(f"m{n}") for n in range(3)] + [
        event("m0", "report", status="DELIVERD"),
        event("e1", "received", status=""),
    ]
    world.queue.put(events)
    world.receivers.answer = failing(5)
    world.run(DAY)
    told = [record.event.id for record in world.log.records.values() if record.state is PushState.DELIVERED]
    assert sorted(told) == sorted(one.id for one in events)
    assert set(world.receivers.ids()) == {one.id for one in events}
    assert len(world.receivers.got) == 5 + len(events) and world.queue.held == {}


def test_the_attempts_are_spaced_as_promised_and_then_it_is_given_up() -> None:
    world = PushWorld()
    world.queue.put([event()])
    world.receivers.answer = always(302)
    world.run(3 * DAY)
    times = [at for at, _, _ in world.receivers.got]
    waits = [round(later - earlier) for earlier, later in pairwise(times)]
    assert waits == [round(wait) for wait in RETRY_S]
    assert [reason for _, reason in world.queue.dead.values()] == ["no"] and world.queue.held == {}
    assert state(world, "m1-result-sent") is PushState.DEAD


def test_where_the_queue_hides_less_long_a_fresh_record_takes_over() -> None:
    world = PushWorld()
    world.queue.longest = 100
    world.queue.put([event()])
    world.receivers.answer = always(302)
    world.run(3 * DAY)
    assert len(world.receivers.got) == len(RETRY_S) + 1 and len(world.queue.dead) == 1


def test_a_refusal_by_the_receiver_ends_after_three_tries() -> None:
    world = PushWorld()
    world.queue.put([event()])
    world.receivers.answer = always(403)
    world.run(DAY)
    assert len(world.receivers.got) == 3 and len(world.queue.dead) == 1


def test_410_ends_it_without_a_dead_letter() -> None:
    world = PushWorld()
    world.queue.put([event()])
    world.receivers.answer = always(410)
    world.run(DAY)
    assert len(world.receivers.got) == 1 and world.queue.dead == {} and world.queue.held == {}
    assert state(world, "m1-result-sent") is PushState.GONE


def test_retry_after_is_waited_for() -> None:
    world = PushWorld()
    world.queue.put([event()])
    world.receivers.answer = failing(1, replace(BROKEN, status=503, retry_after=1234.0))
    world.run(1233)
    assert len(world.receivers.got) == 1
    world.run(2)
    assert len(world.receivers.got) == 2


def test_a_day_of_retry_after_is_waited_for_though_the_queue_hides_less() -> None:
    world = PushWorld()
    world.queue.put([event()])
    world.receivers.answer = failing(1, replace(BROKEN, status=503, retry_after=DAY))
    world.run(DAY - 1)
    assert len(world.receivers.got) == 1
    world.run(3600)
    assert world.receivers.ids() == ["m1-result-sent"] * 2 and world.queue.held == {}


def test_an_endpoint_that_has_too_many_requests_gets_no_others_until_it_said() -> None:
    world = PushWorld()
    world.queue.put([event(f"m{n}") for n in range(10)])
    world.receivers.answer = always(429, wait=1800.0)
    world.round()
    world.queue.put([event(f"n{n}") for n in range(50)])
    tried = len(world.receivers.got)
    world.run(1795)
    assert len(world.receivers.got) == tried
    world.receivers.answer = always(200)
    world.run(3600)
    assert world.queue.held == {} and {event_id[0] for event_id in world.receivers.ids()[tried:]} == {"m", "n"}


def test_refusals_after_an_outage_have_their_own_three_tries() -> None:
    world = PushWorld()
    world.queue.put([event()])
    said = iter([503, 503, 503, 404, 503, 404, 200])
    world.receivers.answer = lambda _url, _headers: PushAttempt(status=next(said), error="no", seconds=0.1)
    world.run(DAY)
    assert state(world, "m1-result-sent") is PushState.DELIVERED


def test_the_last_attempts_can_be_read_with_time_status_duration_and_words() -> None:
    world = PushWorld()
    world.queue.put([event()])
    world.receivers.answer = failing(2, HANGS)
    world.run(DAY)
    record = world.log.get("acme", "m1-result-sent")
    assert record is not None and record.tries == 3
    assert [(a.status, a.error, a.seconds) for a in record.attempts] == [
        (None, "no answer within 15 s", 15.0), (None, "no answer within 15 s", 15.0), (200, "", 0.1)
    ]  # fmt: skip
    assert all(attempt.at >= record.first_at for attempt in record.attempts)


def test_one_bad_record_never_repeats_the_others() -> None:
    world = PushWorld()
    world.queue.put_raw("no event at all")
    world.queue.put([event(f"m{n}") for n in range(4)])
    world.receivers.answer = lambda _url, headers: BROKEN if headers["webhook-id"].startswith("m2") else OK
    kept = world.round()
    assert len(kept) == 1 and [one.body for one in world.queue.held.values() if "m2" not in one.body] == []
    assert [reason.split(":")[0] for _, reason in world.queue.dead.values()] == ["unreadable"]


def test_a_record_whose_attempt_breaks_stays_and_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    world = PushWorld()
    world.queue.put([event()])
    world.log.faults.then(Unavailable("throttled"))
    with caplog.at_level(logging.ERROR):
        assert len(world.round()) == 1
    assert "stays in the queue" in caplog.text and "Hello" not in caplog.text
    world.run(DAY)
    assert world.receivers.ids() == ["m1-result-sent"]


def test_a_crash_after_the_attempt_repeats_it_and_loses_nothing() -> None:
    world = PushWorld()
    world.queue.put([event()])
    world.log.faults.then(None, None, Unavailable("throttled"))  # view and turn work, the note of the attempt does not
    world.run(DAY)
    assert world.receivers.ids() == ["m1-result-sent"] * 2 and world.queue.held == {}


def test_an_event_that_is_enqueued_twice_is_told_once() -> None:
    world = PushWorld()
    world.queue.put([event()])
    world.run(60)
    world.queue.put([event()])
    world.run(DAY)
    assert world.receivers.ids() == ["m1-result-sent"] and world.queue.held == {}


def test_a_record_handed_out_too_early_waits_for_its_time_without_a_try() -> None:
    world = PushWorld()
    world.queue.put([event()])
    world.receivers.answer = failing(2)
    world.run(6)
    for held in world.queue.held.values():
        held.visible_at = world.clock.now()  # the queue loses the wait, as after a crash between note and defer
    world.run(DAY)
    times = [round(at - world.receivers.got[0][0]) for at, _, _ in world.receivers.got]
    assert times == [0, 5, 35]


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"enable": 0}, []),
        ({"results_enable": 0}, ["received", "report"]),
        ({"reports_enable": 0}, ["received", "result"]),
        ({"inbox_enable": 0}, ["report", "result"]),
        ({"url_host": ""}, []),
    ],
)
def test_only_what_is_switched_on_is_told(changes: dict[str, object], kinds: list[str]) -> None:
    world = PushWorld(**changes)
    world.queue.put([event(), event(kind="report", status="DELIVERD"), event("e1", "received", status="")])
    world.run(DAY)
    assert sorted(event_id.split("-")[1] for event_id in world.receivers.ids()) == kinds
    assert world.queue.held == {} and world.queue.dead == {}


def test_settings_count_as_they_are_at_the_attempt() -> None:
    world = PushWorld()
    world.queue.put([event()])
    world.receivers.answer = always(500)
    world.run(10)
    world.account("acme", url_host="new.example")
    world.run(60)
    assert [url.split("/")[2] for _, _, url in world.receivers.got] == ["acme.example", "acme.example", "new.example"]
    world.account("acme", enable=0)
    world.run(DAY)
    assert len(world.receivers.got) == 3 and world.queue.held == {} and world.queue.dead == {}
    assert state(world, "m1-result-sent") is PushState.OFF


def test_a_report_is_not_told_before_its_result_has_been_tried() -> None:
    world = PushWorld()
    world.queue.put([event(kind="report", status="DELIVERD")])
    world.run(20)
    assert world.receivers.got == []
    world.queue.put([event()])
    world.run(60)
    assert world.receivers.ids() == ["m1-result-sent", "m1-report-deliverd"]


def test_a_report_goes_once_its_result_has_been_tried_even_if_that_failed() -> None:
    world = PushWorld()
    world.queue.put([event(), event(kind="report", status="DELIVERD")])
    world.receivers.answer = lambda _url, headers: BROKEN if "result" in headers["webhook-id"] else OK
    world.run(20)
    assert state(world, "m1-report-deliverd") is PushState.DELIVERED
    assert world.receivers.ids()[0] == "m1-result-sent"


def test_a_report_whose_result_was_never_told_waits_ten_minutes_and_no_longer() -> None:
    world = PushWorld()
    world.queue.put([event(kind="report", status="DELIVERD")])
    world.run(500)
    assert world.receivers.got == []
    world.run(100)
    assert world.receivers.ids() == ["m1-report-deliverd"]


def test_a_report_waits_for_the_truth_that_comes_after_a_failure_was_told() -> None:
    world = PushWorld()
    world.queue.put([replace(event(status="FAILED"), cause="uncertain: no answer")])
    world.run(60)
    world.queue.put([event(kind="report", status="DELIVERD")])
    world.run(20)
    world.queue.put([event(status="SENT")])
    world.run(60)
    assert world.receivers.ids() == ["m1-result-failed-uncertain", "m1-result-sent", "m1-report-deliverd"]


def test_a_report_that_a_part_was_not_delivered_goes_after_the_uncertain_result() -> None:
    world = PushWorld()
    world.queue.put([replace(event(status="FAILED"), cause="uncertain: no answer")])
    world.queue.put([replace(event(kind="report", status="FAILED"), cause="undelivered: absent")])
    world.run(60)
    assert world.receivers.ids() == ["m1-result-failed-uncertain", "m1-report-failed"]


def test_a_report_waits_while_its_result_is_still_behind_a_backlog() -> None:
    world = PushWorld()
    world.queue.put([event(kind="report", status="DELIVERD")])
    world.clock.time += 3600  # nobody took anything for an hour
    world.run(200)
    world.queue.put([event()])
    world.run(600)
    assert world.receivers.ids() == ["m1-result-sent", "m1-report-deliverd"]


def test_a_report_does_not_overtake_a_result_that_waits_for_its_turn() -> None:
    world = PushWorld()
    now = world.clock.now()
    for _ in range(TURNS):
        world.log.take_turn("acme", "http://acme.example", turns=TURNS, now=now, until=now + 1800)
    world.queue.put([event(), event(kind="report", status="DELIVERD")])
    world.run(1790)
    assert world.receivers.got == []
    world.run(1800)
    assert world.receivers.ids() == ["m1-result-sent", "m1-report-deliverd"]


def test_a_report_does_not_overtake_a_result_that_waits_for_its_resting_endpoint() -> None:
    world = PushWorld()
    broken = [event(f"x{n}") for n in range(12)]
    world.queue.put(broken)
    world.receivers.answer = always(500)
    world.run(3)  # the endpoint's circuit is open now
    world.queue.put([event(), event(kind="report", status="DELIVERD")])
    world.run(3600)
    world.receivers.answer = always(200)
    world.run(DAY)
    of_it = [event_id for event_id in world.receivers.ids() if event_id.startswith("m1")]
    # Its result may have been the one that tried the endpoint out, in vain; the report may go then.
    assert of_it[0] == "m1-result-sent" and "m1-report-deliverd" in of_it
    assert state(world, "m1-result-sent") is state(world, "m1-report-deliverd") is PushState.DELIVERED


def test_a_dead_endpoint_is_left_in_peace_and_that_costs_no_tries() -> None:
    world = PushWorld()
    world.queue.put([event(f"m{n}") for n in range(100)])
    world.receivers.answer = always(None, 15.0)
    world.run(3600)
    assert len(world.receivers.got) < 10 + 60  # a batch, then one probe at a time
    waiting = [record for record in world.log.records.values() if record.state is PushState.WAITING]
    assert len(waiting) == 100 and world.queue.dead == {}
    assert sum(record.tries for record in waiting) == len(world.receivers.got)
    assert world.queue.hidden_most <= 70  # the others wait without being in flight


def test_when_the_endpoint_works_again_everything_arrives_within_a_quarter_of_an_hour() -> None:
    world = PushWorld()
    world.queue.put([event(f"m{n}") for n in range(100)])
    world.receivers.answer = always(None, 15.0)
    world.run(6 * 3600)
    world.receivers.answer = always(200)
    untried = {record.event.id for record in world.log.records.values() if record.tries < 3}
    world.run(300 + 900)
    told = {record.event.id for record in world.log.records.values() if record.state is PushState.DELIVERED}
    assert len(untried) > 50 and untried <= told
    assert world.log.circuits == {}


def test_what_an_endpoint_never_took_ends_as_a_dead_letter_within_three_days() -> None:
    world = PushWorld()
    world.queue.put([event(f"m{n}") for n in range(40)])
    world.receivers.answer = always(None, 15.0)
    world.run(3 * DAY)
    assert world.queue.held == {} and len(world.queue.dead) == 40
    assert {record.state for record in world.log.records.values()} == {PushState.DEAD}


def test_an_event_that_waited_days_for_the_function_itself_still_gets_its_try() -> None:
    world = PushWorld()
    world.queue.put([event()])
    world.clock.time += 3 * DAY
    world.run(60)
    assert state(world, "m1-result-sent") is PushState.DELIVERED


def test_one_accounts_dead_endpoint_does_not_touch_another_account_on_the_same_host() -> None:
    world = PushWorld(url_host="shared.example")
    world.account("other", url_host="shared.example", url_path="/other")
    world.receivers.answer = lambda url, _headers: OK if "/other" in url else HANGS
    world.queue.put([event(f"m{n}") for n in range(30)])
    world.run(120)
    world.queue.put([event(f"o{n}", account="other") for n in range(10)])
    world.run(5)
    told = [r for (account, _), r in world.log.records.items() if account == "other" and r.state is PushState.DELIVERED]
    assert len(told) == 10


def test_of_a_half_open_endpoint_only_one_push_is_a_probe() -> None:
    world = PushWorld()
    world.receivers.answer = always(500)
    world.queue.put([event(f"m{n}") for n in range(10)])
    world.round()
    assert len(world.receivers.got) == 10
    world.clock.time += 100  # its rest is over
    for held in world.queue.held.values():
        held.visible_at = world.clock.now()
    world.round()
    assert len(world.receivers.got) == 11


def test_no_more_than_two_batches_try_one_endpoint_at_the_same_time() -> None:
    world = PushWorld()
    now = world.clock.now()
    for _ in range(TURNS):  # as two other batches would hold them
        world.log.take_turn("acme", "http://acme.example", turns=TURNS, now=now, until=now + 30)
    world.account("other")
    world.queue.put([event(), event("o1", account="other")])
    world.run(29)
    assert world.receivers.ids() == ["o1-result-sent"]
    world.run(30)
    assert world.receivers.ids() == ["o1-result-sent", "m1-result-sent"]


def test_an_endpoints_turn_ends_with_its_last_push_however_long_the_batch_takes() -> None:
    world = PushWorld()
    world.account("hangs")
    hang, seen = threading.Event(), threading.Event()

    def answer(url: str, _headers: Mapping[str, str]) -> PushAttempt:
        if "hangs" in url:
            hang.wait(10)
        else:
            seen.set()
        return OK

    world.receivers.answer = answer
    world.queue.put([event("h1", account="hangs"), event("m1"), event("m2")])
    batch = threading.Thread(target=world.round)
    batch.start()
    assert seen.wait(10)
    deadline = time.monotonic() + 10
    while [account for account, _, _ in world.log.turns] != ["hangs"]:
        assert time.monotonic() < deadline, "the turn was not given back in time"
        time.sleep(0.01)
    hang.set()
    batch.join(10)
    assert world.log.turns == {}


def test_a_turn_that_cannot_be_given_back_spoils_nothing() -> None:
    world = PushWorld()
    world.log.end_turn = failing_call  # type: ignore[method-assign]
    world.queue.put([event()])
    world.run(10)
    assert world.receivers.ids() == ["m1-result-sent"] and world.queue.held == {}


def failing_call(*_args: object) -> None:
    raise Unavailable("throttled")


def test_an_account_that_is_gone_is_not_told_anything() -> None:
    world = PushWorld()
    world.queue.put([event(account="nobody")])
    world.run(DAY)
    assert world.receivers.got == [] and world.queue.held == {} and world.queue.dead == {}


def test_attempts_failures_and_the_age_of_the_oldest_are_counted_per_account() -> None:
    world = PushWorld()
    world.account("other")
    world.queue.put([event("m1"), event("m2"), event("o1", account="other")])
    world.receivers.answer = lambda _url, headers: BROKEN if headers["webhook-id"].startswith("m2") else OK
    world.clock.time += 7
    world.round()
    assert sorted(world.metrics.told) == [("acme", 2, 1, 7.0), ("other", 1, 0, 0.0)]


def test_the_log_says_of_each_push_what_became_of_it_and_nothing_of_what_it_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = PushWorld()
    world.queue.put([event("m1"), event("m2"), event("m3", account="nobody")])
    world.receivers.answer = lambda _url, headers: BROKEN if headers["webhook-id"].startswith("m2") else OK
    world.round()
    world.queue.put([event("m1")])
    world.round()
    lines = [vars(record) for record in caplog.records if record.message == "push taken"]
    said = [(line["message_id"], line["event"], line["tried"], str(line["state"])) for line in lines]
    assert sorted(said) == [  # a batch is told all at once, in no order
        ("m1", "m1-result-sent", False, "nothing to do"),
        ("m1", "m1-result-sent", True, "delivered"),
        ("m2", "m2-result-sent", True, "waiting"),
        ("m3", "m3-result-sent", False, "off"),
    ]
    told = event("m1")
    assert told.text and told.phone
    assert not any(secret in str(line) for line in lines for secret in (told.text, told.phone))


@settings(max_examples=60, deadline=None)
@given(
    answers=st.lists(
        st.sampled_from([200, 204, 302, 400, 404, 408, 410, 429, 500, 503, None]), min_size=1, max_size=40
    ),
    faults=st.lists(st.booleans(), max_size=30),
    messages=st.integers(1, 4),
    chance=st.floats(0, 1),
)
def test_whatever_receivers_and_services_do_every_event_ends_told_or_kept(
    answers: list[int | None], faults: list[bool], messages: int, chance: float
) -> None:
    world = PushWorld()
    world.chance = chance
    turn = cycle(answers)
    world.receivers.answer = lambda _url, _headers: PushAttempt(status=next(turn), error="no", seconds=0.1)
    world.log.faults.then(*(Unavailable("throttled") if fault else None for fault in faults))
    events = [event(f"m{n}", kind, status=status) for n in range(messages) for kind, status in SAID]
    world.queue.put(events)
    world.run(4 * DAY)
    assert world.queue.held == {}
    dead = {from_json(body).id for body, _ in world.queue.dead.values()}
    for one in events:
        record = world.log.get("acme", one.id)
        assert record is not None and record.state is not PushState.WAITING
        assert (one.id in dead) == (record.state is PushState.DEAD)
        assert record.tries <= len(RETRY_S) + 1
        assert (record.state is PushState.DELIVERED) == (record.attempts[-1].status in {200, 204})


@pytest.mark.parametrize("part", ["failed", "open"])
def test_an_attempt_counts_even_if_the_endpoints_health_cannot_be_noted(part: str) -> None:
    world = PushWorld()
    setattr(world.log, part, failing_call)
    world.receivers.answer = failing(1, replace(HANGS, seconds=60.0))
    world.queue.put([event()])
    world.run(DAY)
    assert len(world.receivers.got) == 2 and state(world, "m1-result-sent") is PushState.DELIVERED


def test_what_broke_is_taken_again_within_seconds() -> None:
    world = PushWorld()
    world.queue.put([event()])
    world.log.faults.then(Unavailable("throttled"), Unavailable("throttled"))
    world.run(10)
    assert world.receivers.ids() == ["m1-result-sent"]


def test_an_endpoint_that_fails_is_told_of_once_and_again_when_it_works() -> None:
    world = PushWorld()
    world.receivers.answer = failing(14)
    world.queue.put([event(f"m{n}") for n in range(20)])
    world.run(DAY)
    assert [subject for subject, _ in world.alerts.told] == ["push endpoint failing", "push endpoint back"]
    assert world.alerts.told[0][1] == "acme: http://acme.example answered 500"
