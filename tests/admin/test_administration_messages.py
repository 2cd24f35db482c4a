from collections.abc import Callable

import pytest

from shared.errors import ApiError
from shared.lifecycle import STATUS, State, Status
from shared.message import Change, Message
from shared.usecases import administration_messages as desk
from shared.usecases.administration import Refused
from shared.usecases.administration_spans import switch_span
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
        office.outbox.record("acme", one.id, Change(state=state, at=NOW + 1, cause=cause, parts_sent=0))
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


# What is known of a message that failed, and whether its recipient may get something of it all the same. `told`: its
# site itself has said how the attempt ended; what the cloud ended by itself it has not.
KNOWN: list[tuple[State, dict[str, object], str]] = [
    (State.UNAVAILABLE, {"told": True}, ""),
    (State.UNAVAILABLE, {"told": True, "parts_sent": 1}, "1 of its 3 parts went out"),
    (State.REFUSED, {"told": True}, ""),
    (State.REFUSED, {"told": True, "parts_sent": 2}, "2 of its 3 parts went out"),
    (State.UNDELIVERED, {"told": True, "parts": 1, "parts_sent": 1}, ""),
    (State.UNDELIVERED, {"parts": 1}, ""),  # the report came, and the result never did
    (State.UNDELIVERED, {"told": True, "parts_sent": 3}, "some of its 3 parts may have arrived"),
    (State.EXPIRED, {"posted": False}, ""),
    (State.EXPIRED, {}, "has not said"),
    (State.EXPIRED, {"told": True}, ""),
    (State.EXPIRED, {"told": True, "parts_sent": 1}, "1 of its 3 parts went out"),
    (State.CANCELLED, {"posted": False}, ""),
    (State.CANCELLED, {}, "has not said"),
    (State.CANCELLED, {"told": True}, ""),
    (State.CANCELLED, {"told": True, "parts_sent": 1}, "1 of its 3 parts went out"),
    (State.UNCERTAIN, {"told": True}, "nobody knows"),
    (State.UNCERTAIN, {}, "nobody knows"),  # its site lost its journal
]


@pytest.mark.parametrize(("state", "facts", "why"), KNOWN)
def test_only_what_provably_did_not_go_out_is_sent_again_without_asking(
    busy: Office, state: State, facts: dict[str, object], why: str
) -> None:
    busy.outbox.add([message(**{"parts": 3, "state": state, "ended_at": NOW + 1, **facts})])
    busy.clock.sleep(7200)  # a site that is connected, for however long, has said nothing by that
    if why:
        with pytest.raises(Refused, match=f"{why}.*--i-know"):
            desk.requeue(busy.desk, "acme", "m1")
        assert len(busy.outbox.rows) == 1
    assert desk.requeue(busy.desk, "acme", "m1", i_know=bool(why)) != "m1"


def test_every_state_in_which_a_message_failed_is_in_the_table() -> None:
    failed = {state for state, status in STATUS.items() if status is Status.FAILED}
    assert {state for state, *_ in KNOWN} == failed


def test_the_word_of_one_of_two_machines_with_one_identity_proves_nothing(busy: Office) -> None:
    put(busy, State.EXPIRED)
    busy.accounts.note_double("acme", "site-1", at=NOW)
    with pytest.raises(Refused, match="two machines"):
        desk.requeue(busy.desk, "acme", "m1")


def test_what_was_taken_back_while_the_link_lost_frames_is_not_sent_twice(busy: Office) -> None:
    """The site has sent it, and neither the question nor its word got through; its connection stays on record."""
    put(busy)
    taken_back = desk.cancel(busy.desk, "acme", "m1")
    assert taken_back.state is State.CANCELLED and "has not said" in desk.why_unsure(busy.desk, taken_back)
    busy.clock.sleep(64)
    assert busy.agent().connection == "c1"
    with pytest.raises(Refused, match="has not said"):
        desk.requeue(busy.desk, "acme", "m1")
    busy.outbox.record("acme", "m1", Change(state=State.SENT, at=NOW + 9, parts_sent=1))  # its word, at last
    with pytest.raises(Refused, match="was sent"):
        desk.requeue(busy.desk, "acme", "m1", i_know=True)


@pytest.mark.parametrize("word", [State.CANCELLED, State.EXPIRED])
def test_what_was_taken_back_may_be_sent_again_once_its_site_has_confirmed_it(busy: Office, word: State) -> None:
    put(busy)
    desk.cancel(busy.desk, "acme", "m1")
    busy.outbox.record("acme", "m1", Change(state=word, at=NOW + 90, parts_sent=0))
    assert desk.why_unsure(busy.desk, desk.message_of(busy.desk, "acme", "m1")) == ""
    assert desk.requeue(busy.desk, "acme", "m1") != "m1"


def test_what_never_left_the_cloud_is_certain_once_it_is_taken_back(busy: Office) -> None:
    put(busy, posted=False)
    assert desk.why_unsure(busy.desk, desk.cancel(busy.desk, "acme", "m1")) == ""


def test_the_audit_log_says_when_nothing_could_be_sent_again(busy: Office) -> None:
    put(busy, State.UNAVAILABLE)
    switch_span(busy.desk, "acme", 1, on=False)
    switch_span(busy.desk, "acme", 2, on=False)
    busy.later()
    with pytest.raises(ApiError):
        desk.requeue(busy.desk, "acme", "m1")
    assert len(busy.outbox.rows) == 1
    outcome, asked = sorted(what for did, _, what in busy.audit() if did == "messages requeue")  # at the same moment
    assert asked == "m1, was unavailable" and outcome.startswith("m1, nothing was sent: ")
