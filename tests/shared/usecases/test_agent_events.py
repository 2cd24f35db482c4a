from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.lifecycle import State
from shared.message import Change
from shared.ports import Unavailable
from shared.usecases.agent_line import Connection
from shared.usecases.ending import end_messages
from shared.wire import Ack, Cause, Event, Events, ReceivedEvent, ReportEvent, ResultEvent
from tests.agent_bench import Bench
from tests.samples import NOW, message

NO = Cause(kind="refused", text="no credit", code="CMS 38")
SENT = ResultEvent(event_id="e1", job_id="m1", outcome="sent", at=NOW + 0.5, span="imei:2", imsi="26201", parts_sent=1)
REFUSED = ResultEvent(event_id="e2", job_id="m1", outcome="refused", at=NOW, span="imei:1", cause=NO)
UNCERTAIN = ResultEvent(event_id="e3", job_id="m1", outcome="uncertain", at=NOW, span="imei:2")
REPORT = ReportEvent(
    event_id="e4", job_id="m1", outcome="delivered", at=NOW + 0.9, sent_at=NOW + 0.5, span="imei:2", imsi="26201"
)
RECEIVED = ReceivedEvent(event_id="e5", span="imei:1", imsi="26201", sender="+4917", text="Hi", at=NOW)


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.outbox.add([message()])
    return bench


@pytest.fixture
def connection(bench: Bench) -> Connection:
    return bench.greeted(held=1)


def tell(bench: Bench, connection: Connection, *events: Event) -> list[str]:
    """Ids that were acknowledged."""
    return [i for f in bench.say(connection, Events(events=events)) if isinstance(f, Ack) for i in f.event_ids]


def pushed(bench: Bench) -> list[tuple[str, str, str]]:
    return [(e.type, e.message_id, e.status) for e in bench.pushes.events]


def test_a_result_is_stored_pushed_and_acknowledged(bench: Bench, connection: Connection) -> None:
    assert tell(bench, connection, SENT) == ["e1"]
    stored = bench.message()
    assert (stored.state, stored.port, stored.imsi, stored.ended_at) == (State.SENT, 2, "26201", NOW + 0.5)
    (push,) = bench.pushes.events
    assert (push.type, push.status, push.port, push.port_name) == ("SMS-Status-Result", "SENT", 2, "lte-1.2")
    assert (push.phone, push.text, push.at, push.cause) == (message().to, "Hello", NOW + 0.5, "")


def test_a_refusal_says_why(bench: Bench, connection: Connection) -> None:
    tell(bench, connection, REFUSED)
    assert bench.message().error == bench.pushes.events[0].cause == "refused: no credit (CMS 38)"


def test_a_report_before_its_result_implies_that_it_was_sent(bench: Bench, connection: Connection) -> None:
    assert tell(bench, connection, REPORT) == ["e4"]
    stored = bench.message()
    assert (stored.state, stored.ended_at, stored.delivered_at) == (State.DELIVERED, NOW + 0.5, NOW + 0.9)
    assert tell(bench, connection, SENT) == ["e1"]
    assert bench.message().state is State.DELIVERED
    assert pushed(bench) == [("SMS-Status-Report", "m1", "DELIVERD"), ("SMS-Status-Result", "m1", "SENT")]


def test_late_truth_wins_over_expiry(bench: Bench, connection: Connection) -> None:
    bench.outbox.rows[("acme", "m1")] = message(state=State.EXPIRED, ended_at=NOW + 99)
    tell(bench, connection, SENT)
    assert (bench.message().state, bench.message().ended_at) == (State.SENT, NOW + 0.5)


def test_a_truer_failure_after_expiry_is_an_event_of_its_own(bench: Bench, connection: Connection) -> None:
    change = Change(state=State.EXPIRED, at=NOW, cause=Cause(kind="expired", text="its time was up"))
    end_messages([("acme", "m1")], change, outbox=bench.outbox, pushes=bench.pushes)
    maybe = UNCERTAIN.model_copy(update={"cause": Cause(kind="uncertain", text="no answer came")})
    assert tell(bench, connection, maybe) == ["e3"]
    assert bench.message().error == "uncertain: no answer came"
    assert [(e.id, e.cause) for e in bench.pushes.events] == [
        ("m1-result-failed-expired", "expired: its time was up"),
        ("m1-result-failed-uncertain", "uncertain: no answer came"),
    ]


def test_a_report_that_fits_settles_what_was_uncertain(bench: Bench, connection: Connection) -> None:
    tell(bench, connection, UNCERTAIN, REPORT)
    assert bench.message().state is State.DELIVERED
    assert bench.message().cause is None


def test_what_a_truer_word_has_contradicted_is_acknowledged_and_not_pushed(
    bench: Bench, connection: Connection
) -> None:
    tell(bench, connection, SENT)
    assert tell(bench, connection, REFUSED) == ["e2"]
    assert pushed(bench) == [("SMS-Status-Result", "m1", "SENT")]


def test_an_unknown_message_is_acknowledged(bench: Bench, connection: Connection) -> None:
    assert tell(bench, connection, SENT.model_copy(update={"job_id": "gone"})) == ["e1"]
    assert bench.pushes.events == []


def test_a_message_of_another_account_is_out_of_reach(bench: Bench, connection: Connection) -> None:
    bench.outbox.add([message("m9", account="other")])
    tell(bench, connection, SENT.model_copy(update={"job_id": "m9"}))
    assert bench.outbox.rows[("other", "m9")].state is State.QUEUED


def test_a_received_message_is_kept_once_and_pushed_again_when_told_again(bench: Bench, connection: Connection) -> None:
    assert tell(bench, connection, RECEIVED, RECEIVED) == ["e5", "e5"]
    (kept,) = bench.inbox.rows.values()
    assert (kept.port, kept.port_name, kept.sender, kept.text) == (1, "lte-1.1", "+4917", "Hi")
    assert {e.id for e in bench.pushes.events} == {"e5-received"}


def test_a_span_without_a_port_is_told_all_the_same(bench: Bench, connection: Connection) -> None:
    assert tell(bench, connection, RECEIVED.model_copy(update={"span": "imei:unknown"})) == ["e5"]
    assert bench.pushes.events[0].port == 0


def test_a_clock_that_is_ahead_puts_nothing_into_the_future(bench: Bench, connection: Connection) -> None:
    tell(bench, connection, SENT.model_copy(update={"at": NOW + 1e6}))
    assert bench.message().ended_at == bench.clock.now()


def test_nothing_is_acknowledged_whose_push_is_not_in_the_queue(bench: Bench, connection: Connection) -> None:
    bench.pushes.faults.then(Unavailable("throttled"))
    assert tell(bench, connection, SENT) == []
    assert bench.message().state is State.SENT
    assert tell(bench, connection, SENT) == ["e1"]
    assert pushed(bench) == [("SMS-Status-Result", "m1", "SENT")]


def test_what_was_stored_before_a_fault_is_acknowledged_and_the_rest_comes_again(
    bench: Bench, connection: Connection
) -> None:
    bench.outbox.add([message("m2")])
    bench.outbox.faults.then(None, Unavailable("throttled"))
    second = SENT.model_copy(update={"event_id": "e9", "job_id": "m2"})
    assert tell(bench, connection, SENT, second) == ["e1"]
    assert tell(bench, connection, second) == ["e9"]


def test_an_acknowledgement_that_cannot_be_posted_means_only_a_repeat(bench: Bench, connection: Connection) -> None:
    bench.link.close("c1")
    tell(bench, connection, SENT)
    again = bench.greeted("c2")
    assert tell(bench, again, SENT) == ["e1"]
    assert {e.id for e in bench.pushes.events} == {"m1-result-sent"}


# What one message may go through in truth: each a set of events that one agent can tell of it.
_HISTORIES: list[tuple[Event, ...]] = [
    (SENT,),
    (SENT, REPORT),
    (UNCERTAIN, REPORT),
    (UNCERTAIN, SENT, REPORT),
    (REFUSED,),
    (SENT, REPORT.model_copy(update={"outcome": "undelivered", "cause": Cause(kind="undelivered", text="absent")})),
]


def _end(order: tuple[Event, ...], *, expired_first: bool, crashes: tuple[int, ...] = ()) -> tuple[object, ...]:
    """The end state, and the ids of all pushes, after the agent has told until everything was acknowledged."""
    bench = Bench()
    start = message(state=State.EXPIRED, ended_at=NOW) if expired_first else message()
    bench.outbox.add([start])
    connection = bench.greeted(held=1)
    for n, event in enumerate(order):
        if n in crashes:
            bench.pushes.faults.then(Unavailable("crash between store and enqueue"))
        if not tell(bench, connection, event):
            assert tell(bench, connection, event)
    stored = bench.message()
    return stored.state, stored.port, stored.ended_at, frozenset(e.id for e in bench.pushes.events)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), history=st.sampled_from(_HISTORIES), expired=st.booleans())
def test_any_order_and_repetition_of_events_ends_the_same(
    data: st.DataObject, history: tuple[Event, ...], expired: bool
) -> None:
    repeats = data.draw(st.lists(st.sampled_from(history), max_size=4))
    order = tuple(data.draw(st.permutations([*history, *repeats])))
    crashes = tuple(data.draw(st.sets(st.integers(0, len(order) - 1))))
    assert _end(order, expired_first=expired, crashes=crashes) == _end(history, expired_first=False)


def test_every_order_of_the_longest_history_was_tried() -> None:
    assert len({_end(order, expired_first=False) for order in permutations((UNCERTAIN, SENT, REPORT))}) == 1
