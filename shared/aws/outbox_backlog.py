"""All that waits, of all accounts: a scan of the sparse index `pending`.

In the steady state the index is nearly empty, and then the scan costs next to nothing. An index by deadline would cost
two more writes for every message ever sent; a scan of 8 kB costs a twentieth of one such write, so it stays cheaper
until messages wait for hours on end (figures: docs/scale.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.aws import keys
from shared.aws.items import Row, float_of
from shared.aws.reading import scan_pages
from shared.message import AgentKey
from shared.ports import Backlog, Overdue, Unposted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def read_backlog(client: DynamoDBClient, table: str, before: float) -> Backlog:
    count, oldest = 0, None
    overdue: list[Overdue] = []
    unposted: list[Unposted] = []
    for page in scan_pages(client, {"TableName": table, "IndexName": "pending"}):
        count += page["Count"]
        accepted = [float_of(row, "accepted_at") for row in page["Items"]]
        oldest = min(accepted if oldest is None else [oldest, *accepted], default=None)
        for row in page["Items"]:
            deadline = keys.queued_deadline(row["waiting"]["S"])
            if deadline < before:
                overdue.append(Overdue(_agent(row), row["id"]["S"], deadline))
            elif "unposted" in row and "ended" not in row:
                unposted.append(Unposted(_agent(row), row["id"]["S"]))
    return Backlog(count, oldest, tuple(overdue), tuple(unposted))


def _agent(row: Row) -> AgentKey:
    return row["account"]["S"], keys.queued_agent(row["waiting"]["S"])
