"""The queue of pushes on (simulated) SQS."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.push_event import from_json
from tests.push_aws import PushAws, push_aws
from tests.push_world import event


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[PushAws]:
    with push_aws(monkeypatch) as one:
        yield one


def test_every_event_is_enqueued_under_its_account_however_many_there_are(aws: PushAws) -> None:
    events = [event(f"m{n}", account="acme" if n % 2 else "other") for n in range(23)]
    aws.queue().put(events)
    taken = [message for _ in range(4) for message in aws.take()]
    assert {from_json(message["Body"]).id for message in taken} == {one.id for one in events}
    for message in taken:
        assert message["Attributes"]["MessageGroupId"] == from_json(message["Body"]).account
        assert "MessageAttributes" not in message


def test_events_too_large_for_one_batch_go_in_several(aws: PushAws) -> None:
    aws.queue().put([replace(event(f"m{n}"), text="€" * 15_000) for n in range(10)])
    assert len([message for _ in range(3) for message in aws.take()]) == 10


def test_nothing_to_put_is_no_call_at_all(aws: PushAws) -> None:
    aws.queue().put([])
    assert aws.take() == []


def test_a_deferred_record_is_hidden_and_comes_back_at_its_time(aws: PushAws) -> None:
    aws.queue().put([event()])
    first = aws.take()[0]
    assert aws.queue().defer(first["ReceiptHandle"], 0.4)
    again = aws.take()[0]
    assert again["MessageId"] == first["MessageId"] and again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert aws.queue().defer(again["ReceiptHandle"], 43_000)
    assert aws.take() == []


def test_a_time_that_the_queue_refuses_is_told_apart(aws: PushAws) -> None:
    aws.queue().put([event()])
    assert not aws.queue().defer(aws.take()[0]["ReceiptHandle"], 50_000)


def test_a_record_that_is_put_back_is_marked_and_delayed(aws: PushAws) -> None:
    aws.queue().put_back(event("now"), 0)
    aws.queue().put_back(event("later"), 900)
    taken = aws.take()
    assert [from_json(message["Body"]).message_id for message in taken] == ["now"]
    assert taken[0]["MessageAttributes"]["again"]["StringValue"] == "1"
    assert taken[0]["Attributes"]["MessageGroupId"] == "acme"


def test_dead_letters_are_kept_with_their_reason_until_they_are_forgotten(aws: PushAws) -> None:
    aws.queue().bury("body 1", "acme", "answered 403")
    aws.queue().bury("no event", "", "unreadable: event")
    first = aws.take(aws.dead_url, 1)[0]
    assert first["MessageAttributes"]["reason"]["StringValue"] in {"answered 403", "unreadable: event"}
    letters = aws.queue().exhume(100)
    assert len(letters) == 1
    aws.queue().forget_dead(letters[0][0])
    assert aws.queue().exhume(100) == []
