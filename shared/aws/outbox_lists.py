"""Lists of the Outbox: finds ids in the thin indexes, then reads only the page's own rows by id.

Rule: what one call may read is bounded (`TooBroad`), whatever it asks for together, and each index is read once;
skipping and counting read index rows, never messages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from shared import wildcards
from shared.aws import keys
from shared.aws.items import float_of, int_of
from shared.aws.reading import Allowance, Reading
from shared.message import Listed, Message
from shared.ports import OutboxFilter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

# An index row is about 110 bytes, so this is a dozen queries of 1 MB: some ten of the function's 29 s.
MOST_ROWS = 100_000
MOST_UNITS = 2_000.0  # 16 MB, for rows that are longer
_FIRST_LOOK = 500  # rows that a filter with stars looks at first

_Ref = tuple[float, str]  # when, message id


class OutboxLists:
    def __init__(
        self, client: DynamoDBClient, table: str, get: Callable[[str, Sequence[str]], tuple[Message, ...]]
    ) -> None:
        self._client, self._table, self._get = client, table, get

    def history(
        self,
        account: str,
        where: OutboxFilter,
        *,
        skip: int,
        limit: int,
        include_pending: bool,
        with_total: bool = False,
    ) -> Listed[Message]:
        wanted, allowance = skip + limit, Allowance(MOST_ROWS, MOST_UNITS)
        ended = Reading(self._client, self._ended_request(account, where), allowance)
        found = _refs(ended, where, wanted)
        refs = {i: at for at, i in islice(found, wanted)}
        total = len(refs)
        if with_total:
            total += sum(1 for _ in found) if "*" in where.phone else ended.count_rest()
        if include_pending:
            pending = list(self._pending(account, where, allowance))
            refs |= {i: at for at, i in pending if i not in refs}
            total += len(pending)
        newest_first = sorted(((at, i) for i, at in refs.items()), reverse=True)
        rows = self._get(account, [i for _, i in newest_first[skip:wanted]])
        return Listed(rows, total if with_total else None)

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

    def _pending(self, account: str, where: OutboxFilter, allowance: Allowance) -> Iterator[_Ref]:
        for row in self._open(account, allowance).rows(MOST_ROWS):
            at = float_of(row, "accepted_at")
            if where.matches(row["to"]["S"], at):
                yield at, row["id"]["S"]

    def count_waiting(self, account: str, up_to: int) -> Mapping[int, int]:
        waiting = self._open(account, Allowance(MOST_ROWS, MOST_UNITS))
        return Counter(int_of(row, "port") for row in islice(waiting.rows(up_to), up_to))

    def _open(self, account: str, allowance: Allowance) -> Reading:
        """Rows of the pending index whose attempt has not ended."""
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "IndexName": "pending",
            "KeyConditionExpression": "account = :account",
            "FilterExpression": "attribute_not_exists(ended)",  # ended, but not settled yet: listed already
            "ExpressionAttributeValues": {":account": {"S": account}},
        }
        return Reading(self._client, request, allowance)


def _refs(ended: Reading, where: OutboxFilter, wanted: int) -> Iterator[_Ref]:
    """Newest first. `wanted` is how many the caller will take at first, so that no more is read."""
    wild = "*" in where.phone
    for row in ended.rows(max(wanted, _FIRST_LOOK) if wild else wanted):
        at, _, message_id = row["ended"]["S"].partition("#")
        if not wild or wildcards.matches(row["to"]["S"], where.phone):
            yield float(at), message_id
