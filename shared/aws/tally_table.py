"""Counters that guard the door: implements `TallyStore` in the Config table, a partition each, gone by TTL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from shared.ports import Tally, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value

_SORT = "TALLY"


class DynamoTallies:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client, self._table = client, table

    def read(self, key: str) -> Tally:
        try:
            answer = self._client.get_item(TableName=self._table, Key=_key(key), ConsistentRead=True)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("the tallies") from error
        return _tally(answer.get("Item", {}))

    def add(self, key: str, count: int, *, at: float, until: float) -> Tally:
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(key),
                UpdateExpression="ADD #count :count SET #at = :at, #ttl = :ttl",
                ExpressionAttributeNames={"#count": "count", "#at": "at", "#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":count": {"N": str(count)},
                    ":at": {"N": repr(at)},
                    ":ttl": {"N": str(int(until))},
                },
                ReturnValues="ALL_NEW",
            )
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("the tallies") from error
        return _tally(answer["Attributes"])


def _key(key: str) -> dict[str, Value]:
    # No account can be named so: "~" is not of the characters that a name may have.
    return {"account": {"S": f"~tally#{key}"}, "sk": {"S": _SORT}}


def _tally(row: dict[str, Value]) -> Tally:
    return Tally(int(row["count"]["N"]), float(row["at"]["N"])) if row else Tally()
