"""Reads of more than one row: every page of a query or scan, and batches by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.aws.clients import unavailable
from shared.aws.items import Row
from shared.ports import TooBroad, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        KeysAndAttributesOutputTypeDef,
        KeysAndAttributesTypeDef,
        QueryInputTypeDef,
        QueryOutputTypeDef,
        ScanInputTypeDef,
        ScanOutputTypeDef,
    )

    Key = dict[str, AttributeValueTypeDef]

_BATCH = 100  # DynamoDB quota: keys in one BatchGetItem
_ROUNDS = 4  # of asking for what a batch left out: it does so when throttled, or past 16 MB


def query_pages(client: DynamoDBClient, request: QueryInputTypeDef) -> Iterator[QueryOutputTypeDef]:
    while True:
        with unavailable():
            answer = client.query(**request)
        yield answer
        if "LastEvaluatedKey" not in answer:
            return
        request = {**request, "ExclusiveStartKey": answer["LastEvaluatedKey"]}


def scan_pages(client: DynamoDBClient, request: ScanInputTypeDef) -> Iterator[ScanOutputTypeDef]:
    while True:
        with unavailable():
            answer = client.scan(**request)
        yield answer
        if "LastEvaluatedKey" not in answer:
            return
        request = {**request, "ExclusiveStartKey": answer["LastEvaluatedKey"]}


def query_rows(client: DynamoDBClient, request: QueryInputTypeDef) -> Iterator[Row]:
    for page in query_pages(client, request):
        yield from page["Items"]


@dataclass
class Allowance:
    """What one call may still read: rows, and units, of which DynamoDB charges half a one for 4 KB it looks at."""

    rows: int
    units: float

    def spend(self, answer: QueryOutputTypeDef) -> None:
        self.rows -= answer["ScannedCount"]
        self.units -= answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)

    @property
    def is_spent(self) -> bool:
        return self.rows < 0 or self.units < 0


class Reading:
    """A query on its way, read as far as its caller goes on. Raises TooBroad once its allowance is spent."""

    def __init__(self, client: DynamoDBClient, request: QueryInputTypeDef, allowance: Allowance) -> None:
        self._client, self._allowance = client, allowance
        self._request: QueryInputTypeDef = {**request, "ReturnConsumedCapacity": "TOTAL"}
        self._read = 0
        self._ended = False

    def rows(self, wanted: int) -> Iterator[Row]:
        """The caller wants `wanted` at first, and more if they do not fit its filter.

        What is evaluated is paid for: each call asks for what is still wanted, then for three times what was in vain.
        """
        while not self._ended:
            limit = wanted - self._read if self._read < wanted else 3 * self._read
            yield from self._next({"Limit": min(limit, self._allowance.rows + 1)})["Items"]

    def count_rest(self) -> int:
        """How many rows come behind those that were read; none of them travels."""
        count = 0
        while not self._ended:
            count += self._next({"Select": "COUNT"})["Count"]
        return count

    def _next(self, how: Mapping[str, Any]) -> QueryOutputTypeDef:
        if self._allowance.is_spent:
            raise TooBroad
        with unavailable():
            answer = self._client.query(**self._request, **how)
        self._allowance.spend(answer)
        self._read += answer["ScannedCount"]
        self._ended = "LastEvaluatedKey" not in answer
        if not self._ended:
            self._request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return answer


def get_rows(client: DynamoDBClient, table: str, wanted: Sequence[Key], *, consistent: bool) -> Iterator[Row]:
    """In no special order, missing ones left out."""
    for start in range(0, len(wanted), _BATCH):
        yield from _batch(client, table, wanted[start : start + _BATCH], consistent=consistent)


def _batch(client: DynamoDBClient, table: str, wanted: Sequence[Key], *, consistent: bool) -> Iterator[Row]:
    requests: Mapping[str, KeysAndAttributesTypeDef | KeysAndAttributesOutputTypeDef] = {
        table: {"Keys": wanted, "ConsistentRead": consistent}
    }
    for _ in range(_ROUNDS):
        with unavailable():
            answer = client.batch_get_item(RequestItems=requests)
        yield from answer["Responses"].get(table, [])
        if not answer.get("UnprocessedKeys"):
            return
        requests = answer["UnprocessedKeys"]
    raise Unavailable("BatchGetItem: rows left out again and again")
