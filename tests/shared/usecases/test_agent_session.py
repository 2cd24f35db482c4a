import json

import pytest

from shared import routing
from shared.lifecycle import State
from shared.message import Change
from shared.ports import Page, Unavailable
from shared.presence import NOTE_EVERY_S
from shared.wire import (
    MAX_FRAME_BYTES,
    REFUSALS,
    Accepted,
    Ack,
    Events,
    Heartbeat,
    Jobs,
    Reconnect,
    Refused,
    ResultEvent,
    Spans,
    Welcome,
    encode,
)
from tests.agent_bench import Bench, greeting, job_ids
from tests.fakes import FakeOutbox
from tests.samples import NOW, agent, message, span


@pytest.fixture
def bench() -> Bench:
    return Bench()


# ---------------------------------------------------------------------------------------------------- hello


def test_a_hello_is_welcomed_with_the_ports_of_its_spans(bench: Bench) -> None:
    answers = bench.say(bench.open("c1"), greeting())
    assert answers == [Welcome(server_time=NOW, heartbeat_s=240, ports={"imei:1": 1, "imei:2": 2})]
    found = bench.accounts.agents[("acme", "site-1")]
    assert (found.connection, found.life.journal_id) == ("c1", "journal-1")
    assert [info.span for info in bench.accounts.spans("acme", "site-1")] == ["imei:1", "imei:2"]


def test_what_waited_is_handed_over_after_the_welcome(bench: Bench) -> None:
    bench.outbox.add([message("m1", posted=False), message("m2", posted=False, agent="site-2")])
    answers = bench.say(bench.open("c1"), greeting())
    assert [type(frame) for frame in answers] == [Welcome, Jobs]
    assert job_ids(answers) == ["m1"]
    assert bench.message().posted


def test_spans_that_a_fresh_process_has_not_found_yet_wait_and_nobody_is_alarmed(bench: Bench) -> None:
    bench.greeted("c1")
    connection = bench.greeted("c2", boot_id="boot-2", spans=())
    seats = routing.seats(bench.accounts.snapshot("acme"), {})
    assert [seat.standing for seat in seats] == [routing.Standing.WAITING, routing.Standing.WAITING]
    assert {seat.info.reason for seat in seats} == {"not found since its agent started"}
    bench.say(connection, Spans(at=NOW + 5, changed=(span("imei:1"),)))
    assert [info.available for info in bench.accounts.spans("acme", "site-1")] == [True, False]
    assert bench.alerts.told == []


def test_a_second_connection_of_the_same_process_is_not_handed_what_it_holds(bench: Bench) -> None:
    bench.greeted("c1")
    bench.outbox.add([message("m1")])
    bench.clock.sleep(6000)
    answers = bench.say(bench.open("c2"), greeting(held=1))
    assert [type(frame) for frame in answers] == [Welcome]
    assert bench.accounts.agents[("acme", "site-1")].connection == "c2"


def test_a_hello_on_an_older_connection_that_came_late_changes_nothing(bench: Bench) -> None:
    bench.greeted("c2", boot_id="boot-2")
    before = bench.accounts.agents[("acme", "site-1")]
    assert bench.say(bench.open("c1", since=NOW - 5), greeting(boot_id="boot-1", journal_id="other")) == []
    assert bench.accounts.agents[("acme", "site-1")] == before


def test_a_revoked_agent_is_told_and_its_connection_closed(bench: Bench) -> None:
    connection = bench.greeted("c1")
    bench.accounts.agents[("acme", "site-1")] = agent(revoked=True, connection="c1", connected_at=NOW)
    (refusal,) = bench.say(connection, Heartbeat(held=0))
    assert isinstance(refusal, Refused) and refusal.code == "revoked"
    assert bench.link.closed == ["c1"]


def test_two_machines_with_one_identity_are_noticed_and_the_one_that_comes_back_is_stopped(bench: Bench) -> None:
    first = bench.greeted("c1", boot_id="original")
    bench.greeted("c2", boot_id="clone")
    bench.clock.sleep(300)
    assert bench.say(first, Heartbeat(held=0)) == [Reconnect(after_s=0)]
    (refusal,) = bench.say(bench.open("c3"), greeting(boot_id="original"))
    assert isinstance(refusal, Refused) and refusal.code == "duplicate_identity"
    assert bench.accounts.agents[("acme", "site-1")].connection == "c2"
    assert [subject for subject, _ in bench.alerts.told] == ["two agents with one identity"]


def test_a_process_that_restarts_many_times_is_one_machine(bench: Bench) -> None:
    for n in range(5):
        bench.greeted(f"c{n}", boot_id=f"boot-{n}")
    assert bench.alerts.told == []
    assert bench.accounts.agents[("acme", "site-1")].connection == "c4"


def test_a_late_heartbeat_on_the_connection_just_replaced_starts_nothing(bench: Bench) -> None:
    old = bench.greeted("c1")
    bench.greeted("c2")
    assert bench.say(old, Heartbeat(held=0)) == []


def test_a_site_that_was_told_of_as_offline_is_told_of_when_it_is_back(bench: Bench) -> None:
    bench.greeted("c1")
    bench.accounts.missed("acme", "site-1", before=NOW + 9999)
    bench.greeted("c2")
    assert [subject for subject, _ in bench.alerts.told] == ["site back"]


def test_a_hello_that_could_not_be_stored_is_not_welcomed(bench: Bench) -> None:
    bench.accounts.faults.then(None, Unavailable("throttled"))
    assert bench.say(bench.open("c1"), greeting()) == []
    assert [type(f) for f in bench.say(bench.open("c1"), greeting())] == [Welcome]


# ---------------------------------------------------------------------------------------------------- lost journal


def test_what_may_have_been_with_a_lost_journal_ends_uncertain_and_the_rest_is_sent(bench: Bench) -> None:
    bench.greeted("c1")
    bench.outbox.add([message("maybe"), message("never-left", posted=False)])
    answers = bench.say(bench.open("c2"), greeting(boot_id="boot-2", journal_id="journal-2"))
    assert bench.message("maybe").state is State.UNCERTAIN
    assert "lost its journal" in bench.message("maybe").error
    assert job_ids(answers) == ["never-left"]
    assert [(e.message_id, e.status) for e in bench.pushes.events] == [("maybe", "FAILED")]
    assert [subject for subject, _ in bench.alerts.told] == ["journal replaced"]


def test_what_was_taken_back_unheard_is_not_confirmed_by_a_site_that_lost_its_journal(bench: Bench) -> None:
    bench.greeted("c1")
    bench.outbox.add([message("maybe")])
    bench.outbox.record("acme", "maybe", Change(state=State.CANCELLED, at=NOW))
    connection = bench.greeted("c2", boot_id="boot-2", journal_id="journal-2")
    bench.say(connection, Heartbeat(held=0))
    assert (bench.message("maybe").state, bench.message("maybe").told) == (State.CANCELLED, False)


def test_what_the_index_does_not_show_yet_is_not_sent_again_after_a_journal_was_lost() -> None:
    class Lagging(FakeOutbox):
        def pending(self, account: str, agent: str, cursor: str, limit: int) -> Page:
            page = super().pending(account, agent, cursor, limit)
            return Page(tuple(m for m in page.messages if m.accepted_at < bench.clock.now() - 1.0), page.cursor)

    bench = Bench(outbox=Lagging())
    bench.greeted("c1")
    bench.outbox.add([message("just-posted", accepted_at=bench.clock.now())])
    answers = bench.say(bench.open("c2"), greeting(boot_id="boot-2", journal_id="journal-2"))
    assert job_ids(answers) == []
    assert bench.message("just-posted").state is State.UNCERTAIN


@pytest.mark.parametrize("crash_before", ["push", "settle", "journal on record"])
def test_a_crash_while_settling_a_lost_journal_loses_no_push(bench: Bench, crash_before: str) -> None:
    bench.greeted("c1")
    bench.outbox.add([message("maybe")])
    if crash_before == "push":
        bench.pushes.faults.then(Unavailable("down"))
    elif crash_before == "settle":
        bench.outbox.faults.then(None, None, Unavailable("down"))
    else:
        bench.accounts.faults.then(None, Unavailable("down"))
    new_life = greeting(boot_id="boot-2", journal_id="journal-2")
    assert bench.say(bench.open("c2"), new_life) == []
    bench.say(bench.open("c2"), new_life)
    assert bench.message("maybe").state is State.UNCERTAIN
    assert {e.id for e in bench.pushes.events} == {"maybe-result-failed-uncertain"}
    assert bench.outbox.count_pending("acme", "site-1", 10) == 0


# ---------------------------------------------------------------------------------------------------- draining


def test_a_long_queue_is_drained_batch_by_batch_and_each_frame_fits(bench: Bench) -> None:
    many = [message(f"m{n:03}", text="ш" * 600, deadline=NOW + 3600 + n) for n in range(150)]
    bench.outbox.add(many)
    connection = bench.open("c1")
    frames = bench.say(connection, greeting())
    got: list[str] = job_ids(frames)
    while isinstance(frames[-1], Jobs) and frames[-1].cursor:
        assert len(encode(frames[-1]).encode()) <= MAX_FRAME_BYTES
        frames = bench.say(connection, Accepted(job_ids=tuple(job_ids(frames)), cursor=frames[-1].cursor))
        got += job_ids(frames)
    assert got == [m.id for m in many]


def test_an_agent_that_takes_no_work_is_not_sent_more_until_its_next_heartbeat(bench: Bench) -> None:
    connection = bench.greeted()
    bench.outbox.add([message("m1")])
    assert bench.say(connection, Accepted(job_ids=(), cursor="0001~x", refused="disk full")) == []
    assert job_ids(bench.say(connection, Heartbeat(held=0))) == ["m1"]


def test_a_heartbeat_that_holds_what_waits_is_answered_by_nothing(bench: Bench) -> None:
    connection = bench.greeted()
    bench.outbox.add([message("m1")])
    assert bench.say(connection, Heartbeat(held=1)) == []


@pytest.mark.parametrize("held", [0, 1, 3])
def test_a_heartbeat_that_holds_another_number_starts_the_drain_anew(bench: Bench, held: int) -> None:
    connection = bench.greeted()
    bench.outbox.add([message("m1"), message("m2")])
    assert job_ids(bench.say(connection, Heartbeat(held=held))) == ["m1", "m2"]


def test_what_another_site_was_given_meanwhile_is_not_posted(bench: Bench) -> None:
    connection = bench.greeted()
    bench.outbox.add([message("m1", posted=False), message("m2")])
    bench.outbox.claim_posting = lambda *_: False  # type: ignore[method-assign]
    assert job_ids(bench.say(connection, Heartbeat(held=0))) == ["m2"]


# ---------------------------------------------------------------------------------------------------- presence


def test_heartbeats_are_noted_only_now_and_then(bench: Bench) -> None:
    connection = bench.greeted()
    for _ in range(15):
        bench.clock.sleep(240)
        bench.say(connection, Heartbeat(held=0))
    assert bench.accounts.seen_writes == 15 * 240 // (NOTE_EVERY_S + 120)


def test_a_connection_given_up_too_early_counts_again(bench: Bench) -> None:
    connection = bench.greeted()
    bench.hang_up(connection)
    bench.say(connection, Heartbeat(held=0))
    assert bench.accounts.agents[("acme", "site-1")].connection == "c1"


def test_a_late_disconnect_of_the_old_connection_leaves_the_new_one(bench: Bench) -> None:
    old = bench.greeted("c1")
    bench.greeted("c2")
    bench.hang_up(old)
    assert bench.accounts.agents[("acme", "site-1")].connection == "c2"


def test_a_connection_found_gone_while_posting_is_cleared_at_once_and_messages_stay(bench: Bench) -> None:
    connection = bench.greeted()
    bench.outbox.add([message("m1")])
    bench.link.close("c1")
    bench.say(connection, Heartbeat(held=0))
    assert bench.accounts.agents[("acme", "site-1")].connection == ""
    assert bench.outbox.count_pending("acme", "site-1", 10) == 1


# ---------------------------------------------------------------------------------------------------- spans


def test_a_changed_span_is_stored(bench: Bench) -> None:
    connection = bench.greeted()
    down = span("imei:1", available=False, reason="not registered")
    assert bench.say(connection, Spans(at=NOW + 5, changed=(down,))) == []
    assert bench.accounts.spans("acme", "site-1")[0] == down


def test_a_span_that_went_away_stays_listed_as_not_there(bench: Bench) -> None:
    connection = bench.greeted()
    bench.say(connection, Spans(at=NOW + 5, changed=(), gone=("imei:2",)))
    (gone,) = [info for info in bench.accounts.spans("acme", "site-1") if info.span == "imei:2"]
    assert (gone.available, gone.reason) == (False, "no port leads to it")


def test_a_span_never_seen_before_gets_a_port_and_the_agent_is_told(bench: Bench) -> None:
    connection = bench.greeted()
    (welcome,) = bench.say(connection, Spans(at=NOW + 5, changed=(span("imei:3"),)))
    assert isinstance(welcome, Welcome) and welcome.ports["imei:3"] == 3


def test_a_span_whose_technology_became_known_may_get_a_better_name(bench: Bench) -> None:
    connection = bench.greeted(spans=(span("imei:1", technology=""),))
    assert [type(f) for f in bench.say(connection, Spans(at=NOW, changed=(span("imei:1"),)))] == [Welcome]


def test_spans_that_could_not_be_stored_make_the_agent_say_hello_again(bench: Bench) -> None:
    connection = bench.greeted()
    bench.accounts.faults.then(Unavailable("throttled"))
    (refusal,) = bench.say(connection, Spans(at=NOW + 5, changed=(span("imei:1"),)))
    assert isinstance(refusal, Refused) and refusal.code == "unavailable"


# ---------------------------------------------------------------------------------------------------- bad frames


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_frame"),
        ("not json", "bad_frame"),
        ("[1]", "bad_frame"),
        ('{"v":1}', "unknown_kind"),
        ('{"v":1,"kind":"dance"}', "unknown_kind"),
        ('{"v":1,"kind":"heartbeat"}', "bad_frame"),
        (json.dumps({"v": 1, "kind": "heartbeat", "held": "x" * 40_000}), "bad_frame"),
    ],
)
def test_a_frame_that_cannot_be_read_is_answered_and_harms_nothing(bench: Bench, text: str, code: str) -> None:
    connection = bench.greeted()
    (refusal,) = bench.say(connection, text)
    assert isinstance(refusal, Refused) and refusal.code == code
    assert "xxx" not in refusal.text
    assert bench.say(connection, Heartbeat(held=0)) == []


# ---------------------------------------------------------------------------------------- events of a newer agent


@pytest.mark.parametrize(
    "newer",
    [
        {"kind": "location", "event_id": "e-new", "where": "a kind of tomorrow"},
        {"kind": "result", "event_id": "e-new", "job_id": "m1", "outcome": "teleported", "at": NOW},
        {"kind": "report"},
    ],
)
def test_an_event_that_only_a_newer_agent_knows_keeps_no_other_from_being_taken(bench: Bench, newer: object) -> None:
    connection = bench.greeted()
    bench.outbox.add([message("m1"), message("m2")])
    known = [{"kind": "result", "event_id": f"e-{i}", "job_id": i, "outcome": "sent", "at": NOW} for i in ("m1", "m2")]
    frame = json.dumps({"v": 1, "kind": "events", "events": [known[0], newer, known[1]]})
    ack, refused = bench.say(connection, frame)
    assert ack == Ack(event_ids=("e-m1", "e-m2"))
    assert isinstance(refused, Refused) and (refused.code, REFUSALS[refused.code]) == ("unknown_kind", "ignore")
    assert [bench.message(i).state for i in ("m1", "m2")] == [State.SENT, State.SENT]


def test_a_frame_of_many_events_is_acknowledged_as_it_goes(bench: Bench) -> None:
    """A function that is cut short must not begin with the same first event for ever."""
    connection = bench.greeted()
    bench.outbox.add([message(f"m{i}") for i in range(50)])
    told = tuple(ResultEvent(event_id=f"e-{i}", job_id=f"m{i}", outcome="sent", at=NOW) for i in range(50))
    bench.outbox.faults.then(*[None] * 45, Unavailable("throttled"))
    acks = bench.say(connection, Events(events=told))
    assert [len(ack.event_ids) for ack in acks if isinstance(ack, Ack)] == [20, 20, 5]
    (ack,) = bench.say(connection, Events(events=told[45:]))
    assert ack == Ack(event_ids=tuple(f"e-{i}" for i in range(45, 50)))


def test_events_that_are_no_events_at_all_make_a_bad_frame(bench: Bench) -> None:
    (refused,) = bench.say(bench.greeted(), '{"v":1,"kind":"events","events":[7]}')
    assert isinstance(refused, Refused) and refused.code == "bad_frame"


# ---------------------------------------------------------------------------------------------- spans of a site


def test_how_many_spans_a_site_has_is_measured_when_it_changes_and_when_it_comes_back(bench: Bench) -> None:
    connection = bench.greeted()
    bench.say(connection, Spans(changed=(span("imei:2", available=False, reason="SIM PIN required"),)))
    bench.say(connection, Heartbeat(held=0))
    bench.greeted("c2")  # the same process, but both spans again
    bench.greeted("c3")
    assert bench.metrics.available == [("site-1", 2), ("site-1", 1), ("site-1", 2)]
    bench.clock.sleep(2000)
    bench.accounts.missed("acme", "site-1", before=bench.clock.now())
    bench.greeted("c4")
    assert bench.metrics.available[3:] == [("site-1", 2)]
