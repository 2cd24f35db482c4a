"""The Inbox table: implements `InboxStore`. Key (account, time # event id), so that it needs no index.

The time is the network's and part of the event, so the same event told again has the same key.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from shared import wildcards
from shared.aws import keys
from shared.aws.items import Row, float_of, int_of, number, text, text_of, thin
from shared.aws.reading import Allowance, Reading
from shared.aws.writing import put_if
from shared.message import Listed, Received
from shared.ports import Clock, OutboxFilter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

_DAY = 86_400
MOST_ROWS = 50_000  # a row is some 300 bytes and read whole
MOST_UNITS = 2_000.0  # 16 MB, for rows that are longer: a message of ten parts has 1,500 bytes
_FIRST_LOOK = 500  # rows that a filter by number looks at first


class InboxTable:
    def __init__(self, client: DynamoDBClient, table: str, clock: Clock, *, retention_days: int) -> None:
        self._client, self._table, self._clock = client, table, clock
        self._retention = retention_days * _DAY

    def add(self, received: Received) -> bool:
        return put_if(
            self._client,
            {
                "TableName": self._table,
                "Item": _row(received, ttl=self._clock.now() + self._retention),
                "ConditionExpression": "attribute_not_exists(received)",
            },
        )

    def page(
        self, account: str, where: OutboxFilter, *, skip: int, limit: int, with_total: bool = False
    ) -> Listed[Received]:
        reading = Reading(self._client, _request(self._table, account, where), Allowance(MOST_ROWS, MOST_UNITS))
        found = _found(reading, where, skip + limit)
        skipped = sum(1 for _ in islice(found, skip))
        rows = tuple(_received(row) for row in islice(found, limit))
        if not with_total:
            return Listed(rows)
        rest = sum(1 for _ in found) if where.phone else reading.count_rest()
        return Listed(rows, skipped + len(rows) + rest)


def _found(reading: Reading, where: OutboxFilter, wanted: int) -> Iterator[Row]:
    """Newest first."""
    for row in reading.rows(max(wanted, _FIRST_LOOK) if where.phone else wanted):
        if not where.phone or wildcards.matches(text_of(row, "sender"), where.phone):
            yield row


def _request(table: str, account: str, where: OutboxFilter) -> QueryInputTypeDef:
    first, last = keys.moments(where.start, where.end)
    return {
        "TableName": table,
        "KeyConditionExpression": "account = :account AND received BETWEEN :first AND :last",
        "ExpressionAttributeValues": {":account": text(account), ":first": text(first), ":last": text(last)},
        "ScanIndexForward": False,
    }


def _row(received: Received, *, ttl: float) -> dict[str, Value]:
    return thin(
        {
            "account": text(received.account),
            "received": text(keys.moment(received.at, received.id)),
            "port": number(received.port),
            "port_name": text(received.port_name),
            "imsi": text(received.imsi),
            "sender": text(received.sender),
            "text": text(received.text),
            "at": number(received.at),
            "parts": number(received.parts),
            "missing": text(",".join(map(str, received.missing))),
            "ttl": number(int(ttl)),
        }
    )


def _received(row: Row) -> Received:
    return Received(
        account=row["account"]["S"],
        id=row["received"]["S"].partition("#")[2],
        port=int_of(row, "port"),
        port_name=text_of(row, "port_name"),
        imsi=text_of(row, "imsi"),
        sender=text_of(row, "sender"),
        text=text_of(row, "text"),
        at=float_of(row, "at"),
        parts=int_of(row, "parts"),
        missing=tuple(int(part) for part in text_of(row, "missing").split(",") if part),
    )
