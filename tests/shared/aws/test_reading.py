"""How much one call may read, whatever it asks for: over tables without end, metered as DynamoDB does."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from shared.aws import inbox_table, outbox_lists
from shared.aws.inbox_table import InboxTable
from shared.aws.outbox_lists import OutboxLists
from shared.aws.reading import Allowance, Reading
from shared.message import Listed
from shared.ports import OutboxFilter, TooBroad
from tests.fakes import FakeClock

_PAGE_BYTES = 1024 * 1024  # DynamoDB quota: what one query looks at


class Endless:
    """A client of DynamoDB whose queries find rows of `size` bytes for ever, or `rows` of them."""

    def __init__(self, size: int, rows: float = math.inf) -> None:
        self.size, self.all = size, rows
        self.units, self.rows, self.queries = 0.0, 0, 0

    def query(self, **request: Any) -> dict[str, Any]:
        start = request.get("ExclusiveStartKey", {"n": 0})["n"]
        end = min(start + min(request.get("Limit", math.inf), _PAGE_BYTES // self.size), self.all)
        units = math.ceil((end - start) * self.size / 4096) / 2
        self.units, self.rows, self.queries = self.units + units, self.rows + end - start, self.queries + 1
        answer = {"Count": end - start, "ScannedCount": end - start, "ConsumedCapacity": {"CapacityUnits": units}}
        if request.get("Select") != "COUNT":
            answer["Items"] = [self.row(number) for number in range(start, end)]
        return answer | ({"LastEvaluatedKey": {"n": end}} if end < self.all else {})

    def row(self, number: int) -> dict[str, Any]:
        one, key = {"S": "1"}, {"S": f"{number:010d}.000#{number}"}
        names = {"account": one, "id": {"S": str(number)}, "to": one, "sender": one}
        return {**names, "ended": key, "received": key, "accepted_at": {"N": str(number)}}


def outbox(client: Any, where: OutboxFilter, **more: Any) -> Listed[Any]:
    return OutboxLists(client, "Outbox", lambda _, ids: ()).history("acme", where, skip=0, limit=10, **more)


def inbox(client: Any, where: OutboxFilter, *, include_pending: bool, **more: Any) -> Listed[Any]:
    return InboxTable(client, "Inbox", FakeClock(), retention_days=90).page("acme", where, skip=0, limit=10, **more)


@pytest.mark.parametrize("size", [110, 300, 1_500, 4_000])
@pytest.mark.parametrize("with_total", [False, True])
@pytest.mark.parametrize("include_pending", [False, True])
@pytest.mark.parametrize(("listed", "bounds"), [(outbox, outbox_lists), (inbox, inbox_table)])
def test_the_most_hostile_call_reads_so_much_and_no_more(
    size: int, with_total: bool, include_pending: bool, listed: Callable[..., object], bounds: Any
) -> None:
    client = Endless(size)
    with pytest.raises(TooBroad):
        listed(client, OutboxFilter(phone="*x*"), with_total=with_total, include_pending=include_pending)
    assert client.rows <= bounds.MOST_ROWS + 1
    assert client.units <= bounds.MOST_UNITS + 128  # of the query that passed it
    assert client.queries <= 25


@pytest.mark.parametrize("phone", ["", "*1*", "*x*"])
def test_each_index_is_read_once_for_the_page_what_waits_and_the_total(phone: str) -> None:
    client, found = Endless(110, 50_000), 0 if "x" in phone else 50_000
    assert outbox(client, OutboxFilter(phone=phone), include_pending=False, with_total=True).total == found
    assert client.rows == 50_000
    client = Endless(110, 50_000)
    assert outbox(client, OutboxFilter(phone=phone), include_pending=True, with_total=True).total == 2 * found
    assert client.rows == 100_000
    client = Endless(300, 50_000)
    assert inbox(client, OutboxFilter(phone=phone), include_pending=False, with_total=True).total == found
    assert client.rows == 50_000


def test_counting_goes_on_behind_the_rows_that_were_taken() -> None:
    reading = Reading(Endless(110, 25_000), {"TableName": "x"}, Allowance(100_000, 2000))  # type: ignore[arg-type]
    rows = reading.rows(10)
    assert [next(rows)["id"]["S"] for _ in range(10)] == [str(n) for n in range(10)]
    assert reading.count_rest() == 24_990
    assert list(rows) == []
