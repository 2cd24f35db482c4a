"""The cloud session, sans-IO: frames in, frames out, time as an argument."""

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent import session
from edge_agent.held import EventRow
from edge_agent.session import Acknowledged, CancelJobs, Leave, Note, Output, Renew, Send, Session, TakeJobs, Welcomed
from shared import wire
from shared.wire import (
    Accepted,
    Ack,
    Cancel,
    Events,
    Heartbeat,
    Hello,
    Job,
    Jobs,
    Reconnect,
    Refused,
    ResultEvent,
    Signal,
    SpanInfo,
    Spans,
    Welcome,
)


class Facts:
    def __init__(self, events: Iterable[str] = ()) -> None:
        self.rows: dict[str, EventRow] = {}
        self.add(*events)

    def add(self, *names: str, size: int = 0) -> None:
        for name in names:
            cause = wire.Cause(kind="refused", text="x" * size) if size else None
            event = ResultEvent(event_id=name, job_id=name, outcome="sent", at=1.0, cause=cause)
            self.rows[name] = EventRow(name, event.model_dump_json())

    def hello(self) -> Hello:
        return Hello(agent_version="1", boot_id="b", journal_id="j", spans=(), held=3)

    def held(self) -> int:
        return 3

    def signals(self) -> tuple[Signal, ...]:
        return (Signal(span="imei:1", signal_dbm=-70),)

    def events(self) -> Iterable[EventRow]:
        return list(self.rows.values())


def welcome(heartbeat_s: float = 100.0) -> str:
    return wire.encode(Welcome(server_time=5.0, heartbeat_s=heartbeat_s, ports={"imei:1": 7}))


def frames(outputs: Iterable[Output]) -> list[wire.FromAgent]:
    return [wire.decode_from_agent(output.text) for output in outputs if isinstance(output, Send)]


def told(outputs: Iterable[Output]) -> list[list[str]]:
    return [[event.event_id for event in frame.events] for frame in frames(outputs) if isinstance(frame, Events)]


def open_session(facts: Facts, now: float = 0.0) -> tuple[Session, list[Output]]:
    opened = Session(facts)
    opened.start(now)
    return opened, opened.receive(welcome(), now)


def acknowledge(opened: Session, facts: Facts, names: Iterable[str], now: float) -> list[Output]:
    outputs = opened.receive(wire.encode(Ack(event_ids=tuple(names))), now)
    for output in outputs:
        if isinstance(output, Acknowledged):
            for name in output.event_ids:
                facts.rows.pop(name, None)
    return [*outputs, *opened.flush(now)]


def test_it_begins_with_hello_and_is_open_once_it_is_welcome() -> None:
    opened = Session(Facts())
    assert frames(opened.start(0.0)) == [Facts().hello()]
    assert opened.receive(welcome(), 1.0) == [Welcomed(5.0, {"imei:1": 7})]
    assert opened.welcomed


def test_an_unanswered_hello_is_said_again_and_then_the_connection_is_given_up() -> None:
    opened = Session(Facts())
    opened.start(0.0)
    said, now = 1, 0.0
    while True:
        now = opened.next_tick()
        outputs = opened.tick(now)
        if any(isinstance(output, Leave) for output in outputs):
            break
        said += len(frames(outputs))
    assert (said, now) == (session.HELLOS, session.HELLOS * session.WELCOME_S)


def test_nothing_is_told_before_the_welcome() -> None:
    opened = Session(Facts(["a"]))
    opened.start(0.0)
    assert opened.flush(1.0) == []
    assert opened.changed([SpanInfo(span="imei:1", available=True)], 50.0) == []


def test_what_was_not_acknowledged_is_told_after_the_welcome() -> None:
    _, outputs = open_session(Facts(["a", "b"]))
    assert told(outputs) == [["a", "b"]]


def test_jobs_are_answered_with_accepted_and_the_cursor_once_they_are_stored() -> None:
    opened, _ = open_session(Facts())
    jobs = (Job(id="1", to="+1", text="t", spans=("imei:1",), deadline=9.0),)
    assert opened.receive(wire.encode(Jobs(jobs=jobs, cursor="next")), 1.0) == [TakeJobs(jobs, "next")]
    assert frames([opened.accepted(["1"], "next")]) == [Accepted(job_ids=("1",), cursor="next")]
    assert frames([opened.accepted([], "", "disk full")]) == [Accepted(job_ids=(), refused="disk full")]


def test_cancel_and_reconnect_are_passed_on() -> None:
    opened, _ = open_session(Facts())
    assert opened.receive(wire.encode(Cancel(job_ids=("1",))), 1.0) == [CancelJobs(("1",))]
    assert opened.receive(wire.encode(Reconnect(after_s=3)), 1.0) == [Renew(3)]


def test_a_refusal_says_whether_to_retry_to_get_help_or_to_stop() -> None:
    for code, then in wire.REFUSALS.items():
        opened, _ = open_session(Facts())
        (output,) = opened.receive(wire.encode(Refused(code=code, text="words")), 1.0)
        if then == "ignore":
            assert isinstance(output, Note)
        else:
            assert output == Leave(then, f"{code}: words")
    (output,) = open_session(Facts())[0].receive(wire.encode(Refused(code="of a newer cloud", text="w")), 1.0)
    assert isinstance(output, Leave)
    assert output.then == "retry"


def test_frames_that_cannot_be_read_are_noted_and_nothing_more() -> None:
    opened, _ = open_session(Facts())
    for text in (
        "",
        "nonsense",
        "[]",
        '{"kind":"of a newer cloud"}',
        '{"kind":"jobs","jobs":[{"id":1}]}',
        "x" * 200_000,
    ):
        (output,) = opened.receive(text, 1.0)
        assert isinstance(output, Note)
        assert len(output.text) < 300
    assert opened.receive(welcome(), 1.0) == [Welcomed(5.0, {"imei:1": 7})]


def test_the_heart_beats_as_the_cloud_asked_and_in_any_case_under_five_minutes() -> None:
    opened, _ = open_session(Facts())
    assert opened.next_tick() == 100.0
    assert opened.tick(99.0) == []
    assert frames(opened.tick(100.0)) == [Heartbeat(held=3, signals=Facts().signals())]
    assert opened.next_tick() == 200.0
    opened.receive(welcome(heartbeat_s=3600), 100.0)
    assert opened.next_tick() < 100.0 + 300.0


def test_events_wait_while_the_window_is_full_and_go_on_with_an_acknowledgement() -> None:
    facts = Facts()
    opened, _ = open_session(facts)
    for number in range(session.WINDOW):
        facts.add(f"{number}")
        assert told(opened.flush(1.0)) == [[f"{number}"]]
    facts.add("x", "y")
    assert told(opened.flush(1.0)) == []
    assert told(acknowledge(opened, facts, ["2"], 2.0)) == [["x", "y"]]


def test_unacknowledged_events_are_said_again_ever_more_slowly() -> None:
    facts = Facts(["a"])
    opened, _ = open_session(facts)
    said, now = [], 0.0
    for _ in range(7):
        now = min(flight.due for flight in opened._flights)
        assert told(opened.tick(now)) == [["a"]]
        said.append(now)
    gaps = [later - earlier for earlier, later in pairwise(said)]
    assert gaps[0] == 2 * session.ACK_S
    assert gaps[-1] == session.LONGEST_ACK_S
    acknowledge(opened, facts, ["a"], now)
    facts.add("b")
    opened.flush(now)
    assert opened.next_tick() <= now + session.ACK_S


def test_a_frame_that_is_being_worked_on_is_not_said_again() -> None:
    facts = Facts(["a", "b", "c"])
    opened, _ = open_session(facts)
    acknowledge(opened, facts, ["a"], 0.8 * session.ACK_S)
    assert told(opened.tick(1.5 * session.ACK_S)) == []
    acknowledge(opened, facts, ["b"], 1.6 * session.ACK_S)
    assert told(opened.tick(2.5 * session.ACK_S)) == []
    assert told(opened.tick(2.6 * session.ACK_S)) == [["c"]]


def test_an_acknowledgement_of_the_unknown_or_a_repeated_one_does_no_harm() -> None:
    facts = Facts(["a"])
    opened, _ = open_session(facts)
    for names in (["strange"], ["a"], ["a"]):
        acknowledge(opened, facts, names, 1.0)
    assert told(opened.tick(50.0)) == []


def test_a_retired_session_starts_nothing_but_still_listens() -> None:
    facts = Facts()
    opened, _ = open_session(facts)
    opened.retired = True
    facts.add("a")
    assert opened.flush(1.0) == []
    assert opened.tick(150.0) == []
    jobs = (Job(id="1", to="+1", text="t", spans=(), deadline=9.0),)
    assert opened.receive(wire.encode(Jobs(jobs=jobs)), 1.0) == [TakeJobs(jobs, "")]


def test_many_changed_spans_are_cut_into_frames() -> None:
    opened, _ = open_session(Facts())
    infos = [SpanInfo(span=f"imei:{number}", available=False, reason="r" * 200) for number in range(300)]
    outputs = opened.changed(infos, 50.0, gone=["imei:x"])
    assert all(len(output.text.encode()) <= wire.MAX_FRAME_BYTES for output in outputs if isinstance(output, Send))
    sent = [frame for frame in frames(outputs) if isinstance(frame, Spans)]
    assert [info.span for frame in sent for info in frame.changed] == [info.span for info in infos]
    assert sent[-1].gone == ("imei:x",)


@settings(max_examples=200, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 20_000), max_size=60),
    moves=st.lists(
        st.tuples(st.sampled_from(["ack", "lose", "again", "tick", "new"]), st.integers(0, 99)), max_size=60
    ),
)
def test_whatever_the_cloud_does_every_event_is_told_until_acknowledged_in_frames_that_fit(
    sizes: list[int], moves: list[tuple[str, int]]
) -> None:
    facts = Facts()
    for number, size in enumerate(sizes):
        facts.add(f"e{number}", size=size)
    opened, outputs = open_session(facts)
    under_way = told(outputs)
    now, fresh = 0.0, 0

    def heard(new: list[Output]) -> None:
        for output in new:
            if isinstance(output, Send):
                frame = wire.decode_from_agent(output.text)
                alone = isinstance(frame, Events) and len(frame.events) == 1
                assert alone or len(output.text.encode()) <= wire.MAX_FRAME_BYTES
        under_way.extend(told(new))

    for move, number in moves:
        now += number / 10
        names = under_way[number % len(under_way)] if under_way else []
        match move:
            case "ack":
                heard(acknowledge(opened, facts, names, now))
            case "lose" if under_way:
                under_way.pop(number % len(under_way))
            case "again":
                heard(acknowledge(opened, facts, names[:1], now))
            case "new":
                fresh += 1
                facts.add(f"n{fresh}", size=number * 100)
                heard(opened.flush(now))
            case _:
                heard(opened.tick(now))
        assert len(opened._flights) <= session.WINDOW
    for _ in range(300):  # the link is good from here on
        if not facts.rows:
            break
        now = max(now, opened.next_tick())
        heard(opened.tick(now))
        while under_way:
            heard(acknowledge(opened, facts, under_way.pop(), now))
    assert not facts.rows


def test_what_the_gateway_itself_complains_of_is_told_in_its_words() -> None:
    opened, _ = open_session(Facts())
    said = '{"message": "Internal server error", "connectionId":"Zm9v=", "requestId":"Zm9v"}'
    assert opened.receive(said, 1.0) == [
        Note("the cloud could not take a frame, which is said again: Internal server error")
    ]


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_text_whatsoever_upsets_a_session(text: str) -> None:
    opened, _ = open_session(Facts())
    outputs = opened.receive(text, 1.0)
    assert all(isinstance(output, Note) for output in outputs)
