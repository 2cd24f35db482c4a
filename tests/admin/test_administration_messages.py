from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.lifecycle import State
from shared.message import Change, Message
from shared.usecases import administration_messages as desk
from shared.usecases.administration import Refused
from shared.wire import Cancel, Cause, Jobs
from tests.admin.conftest import Office
from tests.samples import NOW, message


@pytest.fixture
def busy(office: Office) -> Office:
    office.with_site()
    return office


def put(office: Office, state: State = State.QUEUED, **differences: object) -> Message:
    one = message(**differences)
    office.outbox.add([one])
    if state is not State.QUEUED:
        cause = Cause(kind="refused", text="CMS 38") if state is State.REFUSED else None
        office.outbox.record("acme", one.id, Change(state=state, at=NOW + 1, cause=cause))
    return office.outbox.get("acme", [one.id])[0]


def answering(office: Office, outcome: State) -> Callable[[float], None]:
    """A site that tells what became of a message while the operator waits."""

    def sleep(seconds: float) -> None:
        office.clock.time += seconds
        if outcome is not State.QUEUED:
            office.outbox.record("acme", "m1", Change(state=outcome, at=office.clock.now()))

    return sleep


@pytest.mark.parametrize("outcome", [State.CANCELLED, State.SENT, State.UNCERTAIN])
def test_the_site_has_the_last_word_on_what_is_taken_back(
    busy: Office, outcome: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(busy)
    monkeypatch.setattr(busy.clock, "sleep", answering(busy, outcome))
    assert desk.cancel(busy.desk, "acme", "m1").state is outcome
    assert busy.link.posted["c1"] == [Cancel(job_ids=("m1",))]
    assert busy.audit()[-1] == ("messages cancel", "acme", "m1")


def test_a_site_that_does_not_answer_in_time_may_still_tell_the_truth_later(busy: Office) -> None:
    put(busy)
    assert desk.cancel(busy.desk, "acme", "m1").state is State.CANCELLED
    assert [push.status for push in busy.pushes.events] == ["FAILED"]
    busy.outbox.record("acme", "m1", Change(state=State.SENT, at=NOW + 9))
    assert desk.message_of(busy.desk, "acme", "m1").state is State.SENT


def test_what_never_left_the_cloud_is_taken_back_without_asking_anybody(busy: Office) -> None:
    put(busy, posted=False)
    before = busy.clock.now()
    assert desk.cancel(busy.desk, "acme", "m1").state is State.CANCELLED
    assert busy.link.posted["c1"] == [] and busy.clock.now() == before


def test_what_has_ended_cannot_be_taken_back(busy: Office) -> None:
    put(busy, State.SENT)
    with pytest.raises(Refused, match="ended already: sent"):
        desk.cancel(busy.desk, "acme", "m1")
    with pytest.raises(Refused, match="messages find"):
        desk.cancel(busy.desk, "acme", "m2")


@pytest.mark.parametrize("state", [State.REFUSED, State.UNAVAILABLE, State.UNDELIVERED])
def test_what_failed_is_sent_again_as_a_new_message_once(busy: Office, state: State) -> None:
    put(busy, state)
    new = desk.requeue(busy.desk, "acme", "m1")
    assert new != "m1" and desk.requeue(busy.desk, "acme", "m1") == new
    found = desk.message_of(busy.desk, "acme", new)
    assert (found.to, found.text, found.state, found.port) == ("+4915112345678", "Hello", State.QUEUED, found.pool[0])
    assert found.deadline - found.accepted_at == 3600
    posted = [job.id for frame in busy.link.posted["c1"] if isinstance(frame, Jobs) for job in frame.jobs]
    assert posted == [new]
    assert desk.message_of(busy.desk, "acme", "m1").state is state
    assert busy.audit()[-1] == ("messages requeue", "acme", f"m1, was {state}")


def test_what_may_have_gone_out_is_sent_again_only_by_who_says_that_he_knows(busy: Office) -> None:
    put(busy, State.UNCERTAIN)
    with pytest.raises(Refused, match="--i-know"):
        desk.requeue(busy.desk, "acme", "m1")
    assert len(busy.outbox.rows) == 1
    assert desk.requeue(busy.desk, "acme", "m1", i_know=True) != "m1"


@pytest.mark.parametrize("state", [State.SENT, State.DELIVERED, State.QUEUED, State.SENDING])
def test_what_was_sent_or_is_on_its_way_is_not_sent_again_whatever_the_operator_knows(
    busy: Office, state: State
) -> None:
    put(busy, state)
    with pytest.raises(Refused, match=r"was sent|on its way"):
        desk.requeue(busy.desk, "acme", "m1", i_know=True)


def test_what_expired_is_safe_to_send_again_once_its_site_has_told_all_it_did(busy: Office) -> None:
    now, site = busy.clock.now(), busy.agent()
    expired = replace(message(), state=State.EXPIRED, ended_at=now - 10)
    assert desk.may_have_gone_out(replace(expired, posted=False), None, now) == ""
    assert desk.may_have_gone_out(expired, site, now)  # its word may still be under way
    assert desk.may_have_gone_out(expired, site, now + 120) == ""
    assert desk.may_have_gone_out(expired, replace(site, connection=""), now + 120)
    assert desk.may_have_gone_out(expired, replace(site, connected_at=now + 100), now + 120)
    partly = replace(message(), state=State.REFUSED, parts=3, parts_sent=1)
    assert "1 of its 3 parts" in desk.may_have_gone_out(partly, site, now)
