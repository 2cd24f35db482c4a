"""Reads of more than one row: every page of a query or scan, and batches by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

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


def rows_as_wanted(client: DynamoDBClient, request: QueryInputTypeDef, *, wanted: int, most: int) -> Iterator[Row]:
    """Rows of a query as the caller takes them; it wants `wanted` at first, and more if they do not fit its filter.

    What is evaluated is paid for, so each call asks for what is still wanted, then for three times what was in vain.
    Raises TooBroad once more than `most` rows were read.
    """
    read = 0
    while True:
        request = {**request, "Limit": min(wanted - read if read < wanted else 3 * read, most + 1)}
        with unavailable():
            answer = client.query(**request)
        yield from answer["Items"]
        read += answer["ScannedCount"]
        if "LastEvaluatedKey" not in answer:
            return
        if read > most:
            raise TooBroad
        request = {**request, "ExclusiveStartKey": answer["LastEvaluatedKey"]}


def count_rows(client: DynamoDBClient, request: QueryInputTypeDef, *, most: int) -> int:
    """How many rows a query has; none of them travels. Raises TooBroad as above."""
    count = 0
    for page in query_pages(client, {**request, "Select": "COUNT"}):
        count += page["Count"]
        if count > most:
            raise TooBroad
    return count


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
