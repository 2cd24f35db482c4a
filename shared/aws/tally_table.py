"""Counters that guard the door: implements `TallyStore` in the Config table, a partition each, gone by TTL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.aws import keys
from shared.aws.clients import unavailable
from shared.aws.items import Row, float_of, int_of, number
from shared.ports import Tally

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value


class TallyTable:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client, self._table = client, table

    def read(self, key: str) -> Tally:
        with unavailable():
            answer = self._client.get_item(TableName=self._table, Key=_key(key), ConsistentRead=True)
        return _tally(answer.get("Item", {}))

    def add(self, key: str, count: int, *, at: float, until: float) -> Tally:
        with unavailable():
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(key),
                UpdateExpression="ADD #count :count SET #at = :at, #ttl = :ttl",
                ExpressionAttributeNames={"#count": "count", "#at": "at", "#ttl": "ttl"},
                ExpressionAttributeValues={":count": number(count), ":at": number(at), ":ttl": number(int(until))},
                ReturnValues="ALL_NEW",
            )
        return _tally(answer["Attributes"])


def _key(key: str) -> dict[str, Value]:
    return {"account": {"S": keys.tally(key)}, "sk": {"S": keys.TALLY}}


def _tally(row: Row) -> Tally:
    return Tally(int_of(row, "count"), float_of(row, "at"))
