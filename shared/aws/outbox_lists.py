"""Lists of the Outbox: finds ids in the thin indexes, then reads only the page's own rows by id.

Rule: what one call may read is bounded (`TooBroad`); skipping and counting read index rows, never messages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from shared.aws import keys
from shared.aws.items import Row, float_of, int_of
from shared.aws.reading import count_rows, rows_as_wanted
from shared.message import Message
from shared.ports import OutboxFilter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

# An index row is about 120 bytes, so this is a dozen queries of 1 MB: a second of the function's 29.
MOST_ROWS = 100_000
_FIRST_LOOK = 500  # rows that a filter with stars looks at first

_Ref = tuple[float, str]  # when, message id


class OutboxLists:
    def __init__(
        self, client: DynamoDBClient, table: str, get: Callable[[str, Sequence[str]], tuple[Message, ...]]
    ) -> None:
        self._client, self._table, self._get = client, table, get

    def history(
        self, account: str, where: OutboxFilter, *, skip: int, limit: int, include_pending: bool
    ) -> tuple[Message, ...]:
        wanted = skip + limit
        refs = {i: at for at, i in islice(self._ended(account, where, wanted), wanted)}
        if include_pending:
            refs |= {i: at for at, i in self._pending(account, where) if i not in refs}
        newest_first = sorted(((at, i) for i, at in refs.items()), reverse=True)
        return self._get(account, [i for _, i in newest_first[skip:wanted]])

    def count(self, account: str, where: OutboxFilter, *, include_pending: bool) -> int:
        if "*" in where.phone:
            ended = sum(1 for _ in self._ended(account, where, MOST_ROWS))
        else:
            ended = count_rows(self._client, self._ended_request(account, where), most=MOST_ROWS)
        return ended + (sum(1 for _ in self._pending(account, where)) if include_pending else 0)

    def _ended(self, account: str, where: OutboxFilter, wanted: int) -> Iterator[_Ref]:
        """Newest first. `wanted` is how many the caller will take, so that no more is read."""
        request = self._ended_request(account, where)
        wild = "*" in where.phone
        for row in self._rows(request, max(wanted, _FIRST_LOOK) if wild else wanted):
            at, _, message_id = row["ended"]["S"].partition("#")
            if not wild or where.matches(row["to"]["S"], float(at)):
                yield float(at), message_id

    def _ended_request(self, account: str, where: OutboxFilter) -> QueryInputTypeDef:
        first, last = keys.moments(where.start, where.end)
        exact = bool(where.phone) and "*" not in where.phone
        return {
            "TableName": self._table,
            "IndexName": "phone_history" if exact else "history",
            "KeyConditionExpression": "#partition = :partition AND ended BETWEEN :first AND :last",
            "ExpressionAttributeNames": {"#partition": "phone_key" if exact else "account"},
            "ExpressionAttributeValues": {
                ":partition": {"S": keys.phone(account, where.phone) if exact else account},
                ":first": {"S": first},
                ":last": {"S": last},
            },
            "ScanIndexForward": False,
        }

    def _pending(self, account: str, where: OutboxFilter) -> Iterator[_Ref]:
        for row in self._open(account, MOST_ROWS):
            at = float_of(row, "accepted_at")
            if where.matches(row["to"]["S"], at):
                yield at, row["id"]["S"]

    def count_waiting(self, account: str, up_to: int) -> Mapping[int, int]:
        return Counter(int_of(row, "port") for row in islice(self._open(account, up_to), up_to))

    def _open(self, account: str, wanted: int) -> Iterator[Row]:
        """Rows of the pending index whose attempt has not ended."""
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "IndexName": "pending",
            "KeyConditionExpression": "account = :account",
            "FilterExpression": "attribute_not_exists(ended)",  # ended, but not settled yet: listed already
            "ExpressionAttributeValues": {":account": {"S": account}},
        }
        return self._rows(request, wanted)

    def _rows(self, request: QueryInputTypeDef, wanted: int) -> Iterator[Row]:
        return rows_as_wanted(self._client, request, wanted=wanted, most=MOST_ROWS)
