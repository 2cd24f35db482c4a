"""Counters that guard the door and the caps: implements `TallyStore` in the Config table, a partition each.

A write whose answer was lost is repeated by the client and counted twice: a tally may be fuller than the truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from shared.aws import keys
from shared.aws.clients import code_of, unavailable
from shared.aws.items import Row, float_of, int_of, number
from shared.aws.reading import get_rows
from shared.aws.writing import REFUSED
from shared.ports import Tally

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value
    from mypy_boto3_dynamodb.type_defs import UpdateItemInputTypeDef


class TallyTable:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client, self._table = client, table

    def read(self, *wanted: str) -> Tally:
        rows = get_rows(self._client, self._table, [_key(key) for key in wanted], consistent=True)
        found = [_tally(row) for row in rows]
        return Tally(sum(one.count for one in found), max((one.at for one in found), default=0.0))

    def read_all(self, wanted: Sequence[str]) -> Mapping[str, Tally]:
        by_partition = {keys.tally(key): key for key in wanted}
        rows = get_rows(self._client, self._table, [_key(key) for key in wanted], consistent=False)
        return {by_partition[row["account"]["S"]]: _tally(row) for row in rows}

    def take(self, key: str, count: int, *, most: int, at: float, until: float) -> Tally | None:
        or_the_first = " OR attribute_not_exists(#count)" if count <= most else ""
        request = self._adding(key, count, at, until, {":room": number(most - count)})
        request["ConditionExpression"] = "#count <= :room" + or_the_first
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        try:
            with unavailable():
                self._client.update_item(**request)
        except ClientError as error:
            if code_of(error) != REFUSED:
                raise
            return _tally(cast("Row", error.response.get("Item", {})))
        return None

    def add(self, key: str, count: int, *, at: float, until: float) -> Tally:
        request = self._adding(key, count, at, until, {})
        request["ReturnValues"] = "ALL_NEW"
        with unavailable():
            answer = self._client.update_item(**request)
        return _tally(answer["Attributes"])

    def _adding(self, key: str, count: int, at: float, until: float, more: dict[str, Value]) -> UpdateItemInputTypeDef:
        return {
            "TableName": self._table,
            "Key": _key(key),
            "UpdateExpression": "ADD #count :count SET #at = :at, #ttl = :ttl",
            "ExpressionAttributeNames": {"#count": "count", "#at": "at", "#ttl": "ttl"},
            "ExpressionAttributeValues": {
                ":count": number(count),
                ":at": number(at),
                ":ttl": number(int(until)),
                **more,
            },
        }


def _key(key: str) -> dict[str, Value]:
    return {"account": {"S": keys.tally(key)}, "sk": {"S": keys.TALLY}}


def _tally(row: Row) -> Tally:
    return Tally(int_of(row, "count"), float_of(row, "at"))
