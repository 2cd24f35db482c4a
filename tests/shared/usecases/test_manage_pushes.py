"""What an operator does with pushes: list, replay, test, drain."""

import pytest

from shared.push_record import PushAttempt, PushState
from shared.usecases.manage_pushes import Drained, NotPushed
from tests.push_world import OK, PushWorld, event

DAY = 86400.0


def with_dead(*messages: str) -> PushWorld:
    """A world in which these results were given up, an hour apart, and the receiver works again."""
    world = PushWorld()
    world.receivers.answer = lambda _url, _headers: PushAttempt(status=403, error="answered 403", seconds=0.1)
    for message in messages:
        world.queue.put([event(message)])
        world.run(3600)
    world.receivers.answer = lambda _url, _headers: OK
    world.receivers.got.clear()
    return world


def test_pushes_of_a_time_are_listed_oldest_first_with_their_attempts() -> None:
    world = with_dead("m1", "m2", "m3")
    start = world.clock.now() - 2.5 * 3600
    found = world.desk.pushes("acme", start, world.clock.now())
    assert [record.event.message_id for record in found] == ["m2", "m3"]
    assert [attempt.error for attempt in found[0].attempts] == ["answered 403"] * 3
    assert world.desk.pushes("acme", 0, world.clock.now(), [PushState.DELIVERED]) == []


def test_one_event_is_replayed_under_its_own_id_with_all_its_tries_anew() -> None:
    world = with_dead("m1")
    assert world.desk.replay("acme", "m1-result-sent")
    assert not world.desk.replay("acme", "m9-result-sent")
    world.run(DAY)
    assert world.receivers.ids() == ["m1-result-sent"]
    record = world.log.get("acme", "m1-result-sent")
    assert record is not None and record.state is PushState.DELIVERED and len(record.attempts) == 4


def test_what_was_refused_to_the_end_may_be_refused_as_often_after_its_replay() -> None:
    world = with_dead("m1")
    said = iter([403, 403, 200])
    world.receivers.answer = lambda _url, _headers: PushAttempt(status=next(said), error="no", seconds=0.1)
    assert world.desk.replay("acme", "m1-result-sent")
    world.run(DAY)
    record = world.log.get("acme", "m1-result-sent")
    assert record is not None and record.state is PushState.DELIVERED


def test_even_what_was_delivered_can_be_replayed() -> None:
    world = PushWorld()
    world.queue.put([event()])
    world.run(10)
    assert world.desk.replay("acme", "m1-result-sent")
    world.run(10)
    assert world.receivers.ids() == ["m1-result-sent"] * 2


def test_what_was_given_up_in_a_time_is_replayed() -> None:
    world = with_dead("m1", "m2", "m3")
    world.queue.put([event("told")])
    world.run(1)
    end = world.clock.now()
    assert world.desk.replay_between("acme", end - 2.5 * 3600, end) == 2
    world.run(DAY)
    assert sorted(world.receivers.ids()) == ["m2-result-sent", "m3-result-sent", "told-result-sent"]


def test_the_dead_letter_queue_is_drained_without_telling_anything_twice() -> None:
    world = with_dead(*(f"m{n}" for n in range(25)))
    assert world.desk.replay("acme", "m0-result-sent")
    world.run(60)
    world.queue.bury("no event", "", "unreadable")
    assert world.desk.drain() == Drained(replayed=24, settled=1, unreadable=1)
    world.run(DAY)
    assert sorted(world.receivers.ids()) == sorted(f"m{n}-result-sent" for n in range(25))
    assert len(world.queue.dead) == 1


def test_dead_letters_older_than_the_log_are_replayed_too() -> None:
    world = with_dead("m1")
    world.log.records.clear()
    assert world.desk.drain().replayed == 1
    world.run(DAY)
    assert world.receivers.ids() == ["m1-result-sent"]


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, "result"),
        ({"results_enable": 0}, "received"),
        ({"results_enable": 0, "inbox_enable": 0}, "report"),
    ],
)
def test_a_test_push_arrives_at_once_by_what_is_switched_on(settings: dict[str, object], kind: str) -> None:
    world = PushWorld(**settings)
    sent = world.desk.send_test("acme")
    world.run(1)
    assert [event_id.split("-")[2] for event_id in world.receivers.ids()] == [kind]
    record = world.log.get("acme", sent.id)
    assert record is not None and record.state is PushState.DELIVERED


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"enable": 0}, "enable is 0"),
        ({"url_host": ""}, "url_host is empty"),
        ({"results_enable": 0, "reports_enable": 0, "inbox_enable": 0}, "every kind of push is switched off"),
    ],
)
def test_a_test_push_that_would_go_nowhere_says_why(settings: dict[str, object], why: str) -> None:
    with pytest.raises(NotPushed, match=why):
        PushWorld(**settings).desk.send_test("acme")
