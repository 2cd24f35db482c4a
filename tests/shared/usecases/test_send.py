"""POST /sms/send with mode 0: what is accepted, stored and posted."""

from collections import Counter
from typing import Any

import pytest

from shared.errors import (
    BAD_DESTINATION,
    BAD_FIELD,
    MESSAGE_TOO_LONG,
    NO_SPAN,
    TOO_MANY_DESTINATIONS,
    UNAVAILABLE,
    UNKNOWN_PORT,
)
from shared.lifecycle import State
from shared.ports import Gone, Unavailable
from shared.usecases.send import POSTS_S
from tests.api_rig import Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_an_accepted_message_is_stored_posted_and_answered_as_sending(rig: Rig) -> None:
    answer = rig.send(spans=[1])
    assert (answer.http, answer.code) == (200, 0)
    (row,) = answer.data
    assert row == {
        "id": row["id"],
        "phonenumber": "+4917012345",
        "port": 1,
        "port_name": "lte-1.1",
        "status": "SENDING",
        "parts": 1,
    }
    (jobs,) = rig.posted("acme-north")
    assert (jobs.jobs[0].id, jobs.jobs[0].to, jobs.jobs[0].text) == (row["id"], "+4917012345", "hello")
    stored = rig.outbox.rows["acme", row["id"]]
    assert (stored.state, stored.posted, stored.pool, stored.agent) == (State.QUEUED, True, (1,), "north")


def test_spans_are_a_pool_of_which_each_destination_gets_one(rig: Rig) -> None:
    answer = rig.send(dest_num="111,222,333,444", spans=[1, 2])
    assert Counter(row["port"] for row in answer.data) == {1: 2, 2: 2}
    assert [row["phonenumber"] for row in answer.data] == ["111", "222", "333", "444"]
    assert len(rig.outbox.rows) == 4


def test_the_agent_gets_the_rest_of_the_pool_to_turn_to(rig: Rig) -> None:
    rig.send(spans=[2, 1])
    job = rig.posted("acme-north")[0].jobs[0]
    assert set(job.spans) == {"imei:north1", "imei:north2"}


def test_jobs_for_one_agent_go_in_one_post(rig: Rig) -> None:
    rig.send(dest_num=",".join(f"10{n}" for n in range(30)))
    assert [len(rig.posted(c)) for c in ("acme-north", "acme-south")] == [1, 1]
    assert sum(len(rig.posted(c)[0].jobs) for c in ("acme-north", "acme-south")) == 30


def test_one_bad_number_refuses_the_whole_request_with_nothing_sent(rig: Rig) -> None:
    answer = rig.send(dest_num="111,22x,333")
    assert (answer.http, answer.code) == (400, BAD_DESTINATION.code)
    assert "'22x'" in answer.msg
    assert not rig.outbox.rows
    assert not rig.posted("acme-north")


def test_an_unknown_port_is_named_and_nothing_is_sent(rig: Rig) -> None:
    answer = rig.send(spans=[1, 99])
    assert (answer.http, answer.code) == (404, UNKNOWN_PORT.code)
    assert "99" in answer.msg
    assert not rig.outbox.rows


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ю" * 70, 1),
        ("ю" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("a" * 1530, 10),
        ("ю" * 670, 10),
    ],
)
def test_parts_are_counted_as_the_agent_will_cut_them(rig: Rig, text: str, parts: int) -> None:
    assert rig.send(msg=text).data[0]["parts"] == parts


@pytest.mark.parametrize("text", ["a" * 1531, "ю" * 671, "€" * 766, "a" * 100_000])
def test_a_message_of_more_than_ten_parts_is_refused(rig: Rig, text: str) -> None:
    answer = rig.send(msg=text)
    assert (answer.http, answer.code) == (413, MESSAGE_TOO_LONG.code)
    assert not rig.outbox.rows


def test_too_many_destinations_are_refused_as_a_whole(rig: Rig) -> None:
    answer = rig.send(dest_num=",".join(f"1{n:04}" for n in range(101)))
    assert (answer.http, answer.code) == (413, TOO_MANY_DESTINATIONS.code)
    assert not rig.outbox.rows


def test_newlines_and_scripts_are_kept_as_they_came(rig: Rig) -> None:
    text = "Zeile 1\r\nZeile 2\n\tשלום 👩‍👩‍👧 \x00"
    rig.send(msg=text)
    assert [m.text for m in rig.outbox.rows.values()] == [text]


def test_valid_for_bounds_the_message_and_is_four_hours_by_default(rig: Rig) -> None:
    rig.send()
    rig.send(valid_for="60")
    assert sorted(m.deadline - rig.clock.now() for m in rig.outbox.rows.values()) == [60, 4 * 3600]


@pytest.mark.parametrize("seconds", [0, -1, 604801])
def test_a_validity_out_of_bounds_is_refused(rig: Rig, seconds: int) -> None:
    assert rig.send(valid_for=seconds).code == BAD_FIELD.code


def test_a_report_is_asked_for_unless_it_is_declined(rig: Rig) -> None:
    rig.send(spans=[1])
    rig.send(spans=[1], report="0")
    assert [frame.jobs[0].report for frame in rig.posted("acme-north")] == [True, False]


def test_a_dry_run_checks_and_counts_and_sends_nothing(rig: Rig) -> None:
    answer = rig.send(dry_run=1, msg="a" * 200, request_id="key", dest_num="111,222")
    assert answer.code == 0
    assert [set(row) for row in answer.data] == [{"phonenumber", "port", "port_name", "parts"}] * 2
    assert answer.data[0]["parts"] == 2
    assert not rig.outbox.rows
    assert rig.send(dry_run=1, spans=[99]).code == UNKNOWN_PORT.code


def test_mode_0_waits_for_sites_that_are_offline(rig: Rig) -> None:
    rig.take_offline("acme", "south")
    answer = rig.send(spans=[3])
    assert answer.code == 0
    (message,) = rig.outbox.rows.values()
    assert (message.agent, message.posted, message.state) == ("south", False, State.QUEUED)


def test_mode_0_needs_a_span_that_could_ever_take_it(rig: Rig) -> None:
    rig.accounts.ports.clear()
    answer = rig.send()
    assert (answer.http, answer.code) == (503, NO_SPAN.code)
    assert not rig.outbox.rows


def test_spans_that_are_down_are_skipped(rig: Rig) -> None:
    rig.change_span("acme", "north", 1, available=False, reason="SIM PIN required")
    rig.take_offline("acme", "south")
    assert {row["port"] for row in rig.send(dest_num="111,222,333").data} == {2}


def test_an_agent_that_came_back_on_another_connection_is_found_there(rig: Rig) -> None:
    """The snapshot is seconds old: what it says of a connection may be past."""
    stale = rig.accounts.snapshot_of_ports("acme", [3])
    rig.link.open("newer")
    rig.accounts.connected("acme", "south", connection="newer", since=rig.clock.now(), at=rig.clock.now())
    rig.link.close("acme-south")
    rig.accounts.snapshot_of_ports = lambda *_: stale  # type: ignore[method-assign]
    assert rig.send(spans=[3]).code == 0
    assert len(rig.posted("newer")) == 1


def test_an_agent_that_connects_while_a_message_is_stored_for_it_gets_it_at_once(rig: Rig) -> None:
    rig.take_offline("acme", "south")
    stale = rig.accounts.snapshot_of_ports("acme", [3])
    rig.accounts.connected("acme", "south", connection="acme-south", since=rig.clock.now(), at=rig.clock.now())
    rig.accounts.snapshot_of_ports = lambda *_: stale  # type: ignore[method-assign]
    rig.send(spans=[3])
    assert len(rig.posted("acme-south")) == 1
    assert all(message.posted for message in rig.outbox.rows.values())


def test_a_connection_found_gone_leaves_the_message_pending_and_the_agent_offline(rig: Rig) -> None:
    rig.link.close("acme-south")
    assert rig.send(spans=[3]).code == 0
    assert rig.outbox.count_pending("acme", "south", 10) == 1
    assert rig.accounts.agents["acme", "south"].connection == ""


@pytest.mark.parametrize("fault", [Unavailable("throttled"), Gone("x"), RuntimeError("a bug")])
def test_after_acceptance_nothing_makes_the_call_fail(rig: Rig, fault: Exception) -> None:
    rig.link.faults.then(fault)
    answer = rig.send(spans=[3])
    assert (answer.http, answer.code, answer.data[0]["status"]) == (200, 0, "SENDING")
    assert rig.outbox.count_pending("acme", "south", 10) == 1


@pytest.mark.parametrize("away", [[], ["south"]])
def test_posts_that_hang_are_not_begun_without_end_and_what_was_not_posted_is_drained(
    rig: Rig, away: list[str]
) -> None:
    """Two sites, and a hundred long messages, which is several posts a site."""
    stale, started, begun = rig.accounts.snapshot("acme"), rig.clock.time, list[str]()
    for agent in away:  # it hung up and came back on another connection just now
        rig.link.open("newer")
        rig.accounts.connected("acme", agent, connection="newer", since=started, at=started)
        rig.link.close(f"acme-{agent}")
    rig.accounts.snapshot = lambda _: stale  # type: ignore[method-assign, assignment]

    def hang(connection: str, _: Any) -> None:
        rig.clock.sleep(POSTS_S / 2)
        begun.append(connection)

    rig.link.post = hang  # type: ignore[method-assign]
    answer = rig.send(dest_num=",".join(f"1{n:03}" for n in range(100)), msg="a" * 1500)
    assert (answer.code, len(answer.data), len(begun)) == (0, 100, 2)
    assert rig.clock.time - started == POSTS_S
    assert sum(rig.outbox.count_pending("acme", agent, 100) for agent in ("north", "south")) == 100


def test_a_crash_between_storing_and_posting_leaves_a_message_that_still_goes_out(rig: Rig) -> None:
    def die(*_: Any) -> None:
        raise KeyboardInterrupt  # as good as a power cut: nothing after it runs

    rig.link.post = die  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        rig.send(spans=[3])
    page = rig.outbox.pending("acme", "south", "", 10)
    assert [message.to for message in page.messages] == ["+4917012345"]


def test_what_could_not_be_stored_is_not_accepted(rig: Rig) -> None:
    rig.outbox.faults.then(*[Unavailable("throttled")] * 4)
    answer = rig.send()
    assert (answer.http, answer.code) == (503, UNAVAILABLE.code)
    assert answer.headers["retry-after"] == "2"
    assert not rig.outbox.rows
    assert not rig.posted("acme-north") + rig.posted("acme-south")


def test_contention_while_storing_passes(rig: Rig) -> None:
    rig.outbox.faults.then(Unavailable("contention"), Unavailable("contention"))
    assert rig.send().code == 0
    assert len(rig.outbox.rows) == 1


def test_a_warm_send_makes_one_put_and_one_post_and_no_other_write(rig: Rig) -> None:
    rig.send()
    before = rig.outbox.writes, rig.tallies.reads + rig.tallies.writes, rig.accounts.seen_writes
    posts = sum(len(frames) for frames in rig.link.posted.values())
    rig.send()
    assert rig.outbox.writes == before[0] + 1
    assert (rig.tallies.reads + rig.tallies.writes, rig.accounts.seen_writes) == before[1:]
    assert sum(len(frames) for frames in rig.link.posted.values()) == posts + 1
