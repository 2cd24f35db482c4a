from typing import TYPE_CHECKING

import pytest

from shared.aws.inbox_table import InboxTable
from shared.message import Listed, Received
from shared.ports import OutboxFilter
from tests.fakes import FakeClock
from tests.samples import NOW

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def inbox(dynamodb: "DynamoDBClient") -> InboxTable:
    return InboxTable(dynamodb, "Inbox", FakeClock(NOW), retention_days=90)


def received(event_id: str = "e1", *, at: float = NOW, sender: str = "+4917", text: str = "Hi") -> Received:
    return Received(
        account="acme", id=event_id, port=1, port_name="lte-1.1", imsi="26201", sender=sender, text=text, at=at, parts=2
    )


def test_the_same_event_is_kept_once(inbox: InboxTable) -> None:
    assert inbox.add(received())
    assert not inbox.add(received())
    assert inbox.page("acme", OutboxFilter(), skip=0, limit=10).rows == (received(),)


def test_an_empty_text_and_missing_parts_come_back(inbox: InboxTable) -> None:
    odd = Received(account="acme", id="e", port=0, port_name="", imsi="", sender="x", text="", at=NOW, missing=(2, 3))
    inbox.add(odd)
    assert inbox.page("acme", OutboxFilter(), skip=0, limit=1).rows == (odd,)


def test_newest_first_and_paged(inbox: InboxTable) -> None:
    for n in range(5):
        inbox.add(received(f"e{n}", at=NOW + n))
    page = inbox.page("acme", OutboxFilter(), skip=1, limit=2, with_total=True)
    assert [r.id for r in page.rows] == ["e3", "e2"]
    assert page.total == 5
    assert inbox.page("acme", OutboxFilter(), skip=1, limit=2).total is None
    assert inbox.page("other", OutboxFilter(), skip=0, limit=2, with_total=True) == Listed((), 0)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (OutboxFilter(phone="+4917"), ["c", "a"]),
        (OutboxFilter(phone="*17"), ["c", "a"]),
        (OutboxFilter(phone="+49*"), ["c", "b", "a"]),
        (OutboxFilter(start=NOW + 10), ["c", "b"]),
        (OutboxFilter(end=NOW + 10), ["b", "a"]),
        (OutboxFilter(start=NOW + 10, end=NOW + 10), ["b"]),
    ],
)
def test_filters_by_sender_and_time(inbox: InboxTable, where: OutboxFilter, found: list[str]) -> None:
    for n, (i, sender) in enumerate([("a", "+4917"), ("b", "+4918"), ("c", "+4917")]):
        inbox.add(received(i, at=NOW + 10 * n, sender=sender))
    listed = inbox.page("acme", where, skip=0, limit=10, with_total=True)
    assert [r.id for r in listed.rows] == found
    for skip, limit in ((0, 1), (1, 1), (0, 2), (5, 2)):
        page = inbox.page("acme", where, skip=skip, limit=limit, with_total=True)
        assert page == Listed(listed.rows[skip : skip + limit], len(found))


def test_how_long_it_is_kept_counts_from_now_whatever_the_networks_clock_says(
    inbox: InboxTable, dynamodb: "DynamoDBClient"
) -> None:
    inbox.add(received(at=1000.0))
    (row,) = dynamodb.scan(TableName="Inbox")["Items"]
    assert float(row["ttl"]["N"]) == NOW + 90 * 86_400
