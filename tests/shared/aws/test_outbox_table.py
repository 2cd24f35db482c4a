from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.aws import keys
from shared.aws.outbox_backlog import MOST, PAGES, BacklogReader
from shared.aws.outbox_table import OutboxTable
from shared.lifecycle import State, has_ended
from shared.message import Change, Message
from shared.ports import OutboxFilter, OutboxStore, Overdue, Recorded, Unposted
from shared.wire import Cause
from tests.fakes import FakeOutbox
from tests.samples import NOW, message

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def outbox(dynamodb: "DynamoDBClient") -> OutboxTable:
    return OutboxTable(dynamodb, "Outbox", retention_days=90)


def test_a_message_comes_back_as_it_was_stored(outbox: OutboxTable) -> None:
    odd = message("a", text="line\nbreak 🙂", request="digest", answer="{}", posted=False, report=False, spans=())
    assert outbox.add([odd]) == ()
    assert outbox.get("acme", ["a", "missing"]) == (odd,)


def test_a_message_that_failed_at_once_is_listed_and_never_in_a_queue(outbox: OutboxTable) -> None:
    failed = message(state=State.UNAVAILABLE, ended_at=NOW, cause=Cause(kind="unavailable", text="no span"))
    outbox.add([failed])
    assert outbox.pending("acme", "site-1", "", 10).messages == ()
    assert outbox.history("acme", OutboxFilter(), skip=0, limit=10, include_pending=False).rows == (failed,)


def test_an_id_that_is_taken_stores_nothing_and_tells_what_stands_there(outbox: OutboxTable) -> None:
    first = message("a", request="one")
    outbox.add([first])
    assert outbox.add([message("a", request="two")]) == (first,)
    assert outbox.add([message("b"), message("a", request="two")]) == (first,)
    assert outbox.get("acme", ["a", "b"]) == (first,)


def test_many_are_stored_together(outbox: OutboxTable) -> None:
    many = [message(f"m{n:03}") for n in range(100)]
    assert outbox.add(many) == ()
    assert outbox.get("acme", [m.id for m in many]) == tuple(many)


def test_a_write_whose_answer_was_lost_is_no_conflict_with_itself(outbox: OutboxTable) -> None:
    outbox.add([message("a")])
    assert outbox.add([message("a")]) == ()


def test_a_change_is_one_write_and_tells_the_message_after_it(outbox: OutboxTable) -> None:
    outbox.add([message()])
    change = Change(state=State.SENT, at=NOW + 5, port=2, port_name="lte-1.2", imsi="26201", parts_sent=1)
    recorded, after = outbox.record("acme", "m1", change)
    assert recorded is Recorded.CHANGED
    facts = {"port": 2, "port_name": "lte-1.2", "imsi": "26201", "parts_sent": 1, "told": True}
    assert after == replace(message(), state=State.SENT, ended_at=NOW + 5, **facts)


def test_a_late_sent_never_overwrites_delivered(outbox: OutboxTable) -> None:
    outbox.add([message()])
    outbox.record("acme", "m1", Change(state=State.DELIVERED, at=NOW + 5, delivered_at=NOW + 9))
    recorded, after = outbox.record("acme", "m1", Change(state=State.SENT, at=NOW + 5))
    assert recorded is Recorded.UNCHANGED
    assert after is not None and after.state is State.DELIVERED


def test_an_agent_adds_to_an_expiry_how_much_had_gone_out(outbox: OutboxTable) -> None:
    outbox.add([message("m1", parts=3)])
    outbox.record("acme", "m1", Change(state=State.EXPIRED, at=NOW + 5))
    words = Cause(kind="expired", text="its time was up; 1 of its 3 parts went out")
    recorded, after = outbox.record("acme", "m1", Change(state=State.EXPIRED, at=NOW + 4, parts_sent=1, cause=words))
    assert recorded is Recorded.CHANGED
    assert after is not None and (after.parts_sent, after.cause) == (1, words)
    again = outbox.record("acme", "m1", Change(state=State.EXPIRED, at=NOW + 9, parts_sent=1))
    assert again == (Recorded.UNCHANGED, after)


@pytest.mark.parametrize("ended", [State.EXPIRED, State.CANCELLED])
@pytest.mark.parametrize("word", [State.EXPIRED, State.CANCELLED])
def test_a_site_confirms_once_what_the_cloud_had_ended(outbox: OutboxTable, ended: State, word: State) -> None:
    outbox.add([message()])
    _, before = outbox.record("acme", "m1", Change(state=ended, at=NOW + 5))
    assert before is not None and not before.told
    recorded, after = outbox.record("acme", "m1", Change(state=word, at=NOW + 4, parts_sent=0))
    assert recorded is Recorded.CHANGED
    assert after is not None and (after.state, after.told, after.parts_sent) == (word, True, 0)
    again = outbox.record("acme", "m1", Change(state=word, at=NOW + 9, parts_sent=0))
    assert again == (Recorded.UNCHANGED, after)


def test_a_report_does_not_move_the_end_of_the_attempt(outbox: OutboxTable) -> None:
    outbox.add([message()])
    outbox.record("acme", "m1", Change(state=State.SENT, at=NOW + 5))
    outbox.record("acme", "m1", Change(state=State.DELIVERED, at=NOW + 7, delivered_at=NOW + 9))
    (after,) = outbox.get("acme", ["m1"])
    assert (after.ended_at, after.delivered_at) == (NOW + 5, NOW + 9)


def test_what_is_not_there_is_unknown(outbox: OutboxTable) -> None:
    assert outbox.record("acme", "never", Change(state=State.SENT, at=NOW)) == (Recorded.UNKNOWN, None)


def test_a_queue_is_drained_by_deadline_and_goes_on_behind_its_cursor(outbox: OutboxTable) -> None:
    outbox.add([message(f"m{n}", deadline=NOW + 100 - n) for n in range(5)])
    outbox.add([message("other", agent="site-10")])
    first = outbox.pending("acme", "site-1", "", 2)
    second = outbox.pending("acme", "site-1", first.cursor, 2)
    third = outbox.pending("acme", "site-1", second.cursor, 2)
    assert [m.id for page in (first, second, third) for m in page.messages] == ["m4", "m3", "m2", "m1", "m0"]
    assert first.cursor == first.messages[-1].place
    assert third.cursor == ""
    assert outbox.count_pending("acme", "site-1", 10) == 5
    assert outbox.count_pending("acme", "site-1", 3) == 3


def test_what_has_ended_leaves_the_queue(outbox: OutboxTable) -> None:
    outbox.add([message()])
    outbox.record("acme", "m1", Change(state=State.REFUSED, at=NOW))
    assert outbox.count_pending("acme", "site-1", 10) == 0


def test_what_was_not_settled_stays_queued_until_it_is(outbox: OutboxTable) -> None:
    outbox.add([message()])
    outbox.record("acme", "m1", Change(state=State.EXPIRED, at=NOW), settle=False)
    assert outbox.count_pending("acme", "site-1", 10) == 1
    outbox.settle("acme", "m1")
    outbox.settle("acme", "m1")
    assert outbox.count_pending("acme", "site-1", 10) == 0


def test_settling_never_takes_an_open_message_out_of_its_queue(outbox: OutboxTable) -> None:
    outbox.add([message()])
    outbox.settle("acme", "m1")
    assert outbox.count_pending("acme", "site-1", 10) == 1


def test_only_one_may_post_a_message_for_the_first_time(outbox: OutboxTable) -> None:
    outbox.add([message(posted=False)])
    assert not outbox.claim_posting("acme", "m1", "another")
    assert outbox.claim_posting("acme", "m1", "site-1")
    assert not outbox.claim_posting("acme", "m1", "site-1")
    assert outbox.get("acme", ["m1"])[0].posted


def test_what_has_ended_may_not_be_posted(outbox: OutboxTable) -> None:
    outbox.add([message(posted=False)])
    outbox.record("acme", "m1", Change(state=State.EXPIRED, at=NOW), settle=False)
    assert not outbox.claim_posting("acme", "m1", "site-1")


def test_the_backlog_is_of_all_accounts(outbox: OutboxTable) -> None:
    assert outbox.backlog(NOW).oldest is None
    outbox.add([message("late", deadline=NOW - 1, accepted_at=NOW - 50)])
    outbox.add([message("early", account="other", agent="x", accepted_at=NOW - 20)])
    backlog = outbox.backlog(NOW)
    assert (backlog.count, backlog.oldest) == (2, NOW - 50)
    assert backlog.overdue == (Overdue(("acme", "site-1"), "late", NOW - 1),)


def test_a_look_at_a_long_backlog_is_bounded_and_the_next_one_goes_on_behind_it() -> None:
    pages = 2 * PAGES + 1
    index = LongIndex(pages=pages, rows=400)
    reader = BacklogReader(cast("DynamoDBClient", index), "Outbox")
    looks = [reader.read(NOW) for _ in range(3)]
    assert [look.count // 400 for look in looks] == [PAGES, PAGES, 1]
    assert [look.whole for look in looks] == [False, False, False]
    assert index.read == list(range(pages))
    assert [look.oldest for look in looks] == [NOW, NOW + PAGES, NOW + 2 * PAGES]
    assert max(len(look.overdue) + len(look.unposted) for look in looks) <= 2 * MOST
    reader.read(NOW)
    assert index.read[pages:] == list(range(PAGES))


def test_of_a_million_waiting_messages_no_more_is_kept_than_a_run_can_use() -> None:
    look = BacklogReader(cast("DynamoDBClient", LongIndex(pages=250, rows=4000)), "Outbox").read(NOW + 10)
    assert (look.count, len(look.overdue), len(look.unposted)) == (PAGES * 4000, MOST, MOST)


class LongIndex:
    """Pages of waiting messages: of each, half are overdue at NOW + 10, and the others never left the cloud."""

    def __init__(self, *, pages: int, rows: int) -> None:
        self._pages = pages
        self._rows = [message(f"m{n}", deadline=NOW + (5 if n % 2 else 50)) for n in range(rows)]
        self.read: list[int] = []

    def scan(self, ExclusiveStartKey: dict[str, int] | None = None, **_: object) -> dict[str, object]:  # noqa: N803
        page = ExclusiveStartKey["page"] if ExclusiveStartKey else 0
        self.read.append(page)
        more = {"LastEvaluatedKey": {"page": page + 1}} if page + 1 < self._pages else {}
        accepted, unposted = {"N": str(NOW + page)}, {"BOOL": True}
        rows = [
            {
                "account": {"S": waits.account},
                "id": {"S": waits.id},
                "waiting": {"S": keys.waiting(waits)},
                "accepted_at": accepted,
                "unposted": unposted,
            }
            for waits in self._rows
        ]
        return {"Items": rows, "Count": len(rows), **more}


def test_what_never_left_is_told_apart_from_what_did(outbox: OutboxTable) -> None:
    outbox.add([message("never", posted=False), message("left"), message("late", posted=False, deadline=NOW - 1)])
    outbox.add([message("ended", posted=False)])
    outbox.record("acme", "ended", Change(state=State.CANCELLED, at=NOW), settle=False)
    assert outbox.backlog(NOW).unposted == (Unposted(("acme", "site-1"), "never"),)
    outbox.claim_posting("acme", "never", "site-1")
    assert outbox.backlog(NOW).unposted == ()


def elsewhere(one: Message, agent: str = "site-2") -> Message:
    return replace(one, agent=agent, pool=(9,), spans=("imei:9",), port=9, port_name="lte-2.1")


def test_a_message_that_never_left_moves_to_another_site_with_all_that_belongs_to_it(outbox: OutboxTable) -> None:
    stays = message(posted=False, wanted=(1, 2, 9), request="digest", answer="{}")
    outbox.add([stays])
    assert outbox.move(elsewhere(stays), away_from="site-1")
    assert outbox.get("acme", ["m1"]) == (elsewhere(stays),)
    assert outbox.count_pending("acme", "site-1", 10) == 0
    assert [m.id for m in outbox.pending("acme", "site-2", "", 10).messages] == ["m1"]
    assert not outbox.claim_posting("acme", "m1", "site-1")
    assert outbox.claim_posting("acme", "m1", "site-2")


def test_what_may_have_left_or_has_ended_or_was_moved_already_does_not_move(outbox: OutboxTable) -> None:
    outbox.add([message("left"), message("ended", posted=False), message("moved", posted=False)])
    outbox.record("acme", "ended", Change(state=State.CANCELLED, at=NOW), settle=False)
    assert outbox.move(elsewhere(message("moved")), away_from="site-1")
    for i in ("left", "ended", "moved", "missing"):
        assert not outbox.move(elsewhere(message(i), "site-3"), away_from="site-1")
    assert [m.agent for m in outbox.get("acme", ["left", "ended", "moved"])] == ["site-1", "site-1", "site-2"]


def test_an_index_that_lags_behind_a_move_hands_the_message_to_nobody_else(
    outbox: OutboxTable, dynamodb: "DynamoDBClient"
) -> None:
    outbox.add([message("m1"), message("m2")])
    dynamodb.update_item(  # the row has moved, its key in the index has not yet
        TableName="Outbox",
        Key={"account": {"S": "acme"}, "id": {"S": "m1"}},
        UpdateExpression="SET #agent = :agent",
        ExpressionAttributeNames={"#agent": "agent"},
        ExpressionAttributeValues={":agent": {"S": "site-2"}},
    )
    assert [m.id for m in outbox.pending("acme", "site-1", "", 10).messages] == ["m2"]


_MOVES = st.lists(
    st.tuples(st.sampled_from(["claim", "move", "end"]), st.sampled_from("xy"), st.sampled_from("xy")), max_size=8
)


_STATES = st.sampled_from([s for s in State if s not in {State.QUEUED, State.SENDING}])


@st.composite
def _changes(draw: st.DrawFn) -> Change:
    state = draw(_STATES)
    at = NOW + draw(st.integers(1, 5))
    return Change(
        state=state,
        at=at,
        port=draw(st.sampled_from([None, 2])),
        imsi=draw(st.sampled_from(["", "26201"])),
        delivered_at=at + 1 if state is State.DELIVERED else None,
        cause=draw(st.sampled_from([None, Cause(kind="refused", text="no", code="CMS 38")])),
    )


_NUMBERS = count()  # an account of its own for every example: moto's tables outlive them
_STEPS = st.lists(st.tuples(st.sampled_from("abc"), _changes(), st.booleans()), max_size=12)
_SLOW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_SLOW
@given(steps=_STEPS)
def test_the_table_and_its_stand_in_keep_the_same_rules(outbox: OutboxTable, steps: list) -> None:
    account = f"acme-{next(_NUMBERS)}"
    fake = FakeOutbox()
    stores: tuple[OutboxStore, ...] = (outbox, fake)
    for store in stores:
        store.add([message(i, account=account, to=f"+49{i}") for i in "ab"])
    for i, change, settle in steps:
        assert outbox.record(account, i, change, settle=settle) == fake.record(account, i, change, settle=settle)
    for ask in (
        lambda s: s.get(account, ["a", "b", "c"]),
        lambda s: s.pending(account, "site-1", "", 10),
        lambda s: s.count_pending(account, "site-1", 10),
        lambda s: s.history(account, OutboxFilter(), skip=0, limit=10, include_pending=False),
        lambda s: s.history(account, OutboxFilter(), skip=0, limit=10, include_pending=True, with_total=True),
    ):
        assert ask(outbox) == ask(fake)


@_SLOW
@given(steps=_MOVES)
def test_however_claims_and_moves_interleave_one_agent_gets_the_message(outbox: OutboxTable, steps: list) -> None:
    account = f"acme-{next(_NUMBERS)}"
    fake = FakeOutbox()
    stores: tuple[OutboxStore, ...] = (outbox, fake)
    first = message("a", account=account, agent="x", posted=False)
    handed: list[str] = []
    for store in stores:
        store.add([first])
    for what, agent, other in steps:
        if what == "claim":
            done = [store.claim_posting(account, "a", agent) for store in stores]
            handed += [agent] if all(done) else []
        elif what == "move":
            done = [store.move(elsewhere(first, other), away_from=agent) for store in stores]
            assert not (any(done) and handed)
        else:
            change = Change(state=State.EXPIRED, at=NOW)
            done = [store.record(account, "a", change)[0] is Recorded.CHANGED for store in stores]
        assert done[0] == done[1]
        assert outbox.get(account, ["a"]) == fake.get(account, ["a"])
        mine = tuple(one for one in outbox.backlog(NOW).unposted if one.agent[0] == account)
        assert mine == fake.backlog(NOW).unposted
    assert len(handed) <= 1


@st.composite
def _rows(draw: st.DrawFn) -> list[Message]:
    rows = []
    for n in range(draw(st.integers(0, 12))):
        state = draw(st.sampled_from([State.QUEUED, State.SENT, State.EXPIRED]))
        ended = NOW + draw(st.integers(0, 20)) if has_ended(state) else None
        to = draw(st.sampled_from(["+4911", "+4912", "4912", "99"]))
        rows.append(message(f"m{n:02}", state=state, ended_at=ended, to=to, accepted_at=NOW + draw(st.integers(0, 20))))
    return rows


@_SLOW
@given(
    rows=_rows(),
    phone=st.sampled_from(["", "+4912", "*12", "+49*", "nobody", "*"]),
    start=st.sampled_from([None, NOW + 5]),
    end=st.sampled_from([None, NOW + 12]),
    skip=st.integers(0, 4),
    pending=st.booleans(),
)
def test_lists_are_what_filtering_everything_would_give(
    outbox: OutboxTable,
    rows: list[Message],
    phone: str,
    start: float,
    end: float,
    skip: int,
    pending: bool,
) -> None:
    account = f"acme-{next(_NUMBERS)}"
    fake = FakeOutbox()
    for row in rows:
        mine = replace(row, account=account)
        outbox.add([mine])
        fake.add([mine])
    where = OutboxFilter(phone=phone, start=start, end=end)
    for limit in (1, 3, 100):
        asked = {"skip": skip, "limit": limit, "include_pending": pending}
        assert outbox.history(account, where, **asked) == fake.history(account, where, **asked)
        counted = outbox.history(account, where, **asked, with_total=True)
        assert counted == fake.history(account, where, **asked, with_total=True)
