"""All that waits, of all accounts: a scan of the sparse index `pending`.

In the steady state the index is nearly empty, and then the scan costs next to nothing. An index by deadline would cost
two more writes for every message ever sent; a scan of 8 kB costs a twentieth of one such write, so it stays cheaper
until messages wait for hours on end (figures: docs/scale.md).

Rule: one look reads so many pages and no more, whatever waits; the next one goes on behind them.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from shared.aws import keys
from shared.aws.items import Row, float_of
from shared.aws.reading import scan_pages
from shared.message import AgentKey
from shared.ports import Backlog, Overdue, Unposted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import ScanInputTypeDef, ScanOutputTypeDef

# A page is 1 MB (DynamoDB quota), some 4,000 messages, and takes a function of 512 MB half a second.
PAGES = 25
# Of each kind so many are kept, far more than a run of the sweeper ends or moves; the others are found again.
MOST = 10_000


class BacklogReader:
    """Remembers where the last look ended. A fresh process begins at the start, which is as good a place as any."""

    def __init__(self, client: DynamoDBClient, table: str, *, pages: int = PAGES) -> None:
        self._client, self._pages = client, pages
        self._request: ScanInputTypeDef = {"TableName": table, "IndexName": "pending"}
        self._behind: ScanInputTypeDef | None = None

    def read(self, before: float) -> Backlog:
        seen = _Seen(before)
        start, self._behind = self._behind, None
        for page in islice(scan_pages(self._client, start or self._request), self._pages):
            seen.take(page)
            last = page.get("LastEvaluatedKey")
            self._behind = {**self._request, "ExclusiveStartKey": last} if last else None
        return seen.backlog(whole=start is None and self._behind is None)


class _Seen:
    """What a look has found so far."""

    def __init__(self, before: float) -> None:
        self._before = before
        self._count, self._oldest = 0, float("inf")
        self._overdue: list[Overdue] = []
        self._unposted: list[Unposted] = []

    def take(self, page: ScanOutputTypeDef) -> None:
        self._count += page["Count"]
        for row in page["Items"]:
            self._oldest = min(self._oldest, float_of(row, "accepted_at"))
            deadline = keys.queued_deadline(row["waiting"]["S"])
            if deadline < self._before:
                if len(self._overdue) < MOST:
                    self._overdue.append(Overdue(_agent(row), row["id"]["S"], deadline))
            elif "unposted" in row and "ended" not in row and len(self._unposted) < MOST:
                self._unposted.append(Unposted(_agent(row), row["id"]["S"]))

    def backlog(self, *, whole: bool) -> Backlog:
        oldest = self._oldest if self._count else None
        return Backlog(self._count, oldest, tuple(self._overdue), tuple(self._unposted), whole)


def _agent(row: Row) -> AgentKey:
    return row["account"]["S"], keys.queued_agent(row["waiting"]["S"])
