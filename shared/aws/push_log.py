"""What happened to each push, and how each endpoint is doing: implements `PushLog` on the Pushes table.

Key (account, event_id). Endpoints lie beside the pushes of their account, so that all one attempt has to know of the
past is one BatchGetItem. Rows go after 7 days (TTL).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.aws import keys
from shared.aws.clients import code_of, unavailable
from shared.ports import Clock, Unavailable
from shared.push_event import PushEvent, from_json, result_ids, to_json
from shared.push_record import Circuit, PushAttempt, PushRecord, PushState, PushView

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value

KEPT_S = 7 * 24 * 3600

_Row = Mapping[str, "Value"]


class DynamoPushLog:
    def __init__(self, client: DynamoDBClient, table: str, clock: Clock) -> None:
        self._client, self._table, self._clock = client, table, clock

    def view(self, event: PushEvent, endpoint: str) -> PushView:
        results = result_ids(event.message_id) if event.type == "SMS-Status-Report" else ()
        rows = self._rows(event.account, (event.id, keys.endpoint(endpoint), *results))
        return PushView(
            record=_record(rows[event.id]) if event.id in rows else None,
            results=tuple(_record(rows[result]) for result in results if result in rows),
            circuit=_circuit(rows.get(keys.endpoint(endpoint), {})),
        )

    def _rows(self, account: str, ids: tuple[str, ...]) -> dict[str, _Row]:
        wanted = [_key(account, event_id) for event_id in ids]
        with unavailable():
            answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": wanted, "ConsistentRead": True}})
        if answer.get("UnprocessedKeys"):
            raise Unavailable("the log of pushes is throttled")
        return {row["event_id"]["S"]: row for row in answer["Responses"].get(self._table, [])}

    def save(self, record: PushRecord) -> None:
        item: dict[str, Value] = {
            **_key(record.event.account, record.event.id),
            "event": {"S": to_json(record.event)},
            "state": {"S": record.state.value},
            "first_at": {"N": repr(record.first_at)},
            "next_at": {"N": repr(record.next_at)},
            "tries": {"N": str(record.tries)},
            "attempts": {"S": json.dumps([asdict(attempt) for attempt in record.attempts])},
            "ttl": self._ttl(),
        }
        with unavailable():
            self._client.put_item(TableName=self._table, Item=item)

    def get(self, account: str, event_id: str) -> PushRecord | None:
        row = self._rows(account, (event_id,)).get(event_id)
        return _record(row) if row else None

    def page(self, account: str, start: float, end: float) -> Iterator[PushRecord]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="account = :account AND event_id < :endpoints",
            FilterExpression="first_at BETWEEN :start AND :end",
            ExpressionAttributeValues={
                ":account": {"S": account},
                ":endpoints": {"S": keys.endpoint("")},
                ":start": {"N": repr(start)},
                ":end": {"N": repr(end)},
            },
        )
        with unavailable():
            for page in pages:
                yield from (_record(row) for row in page["Items"])

    def failed(self, account: str, endpoint: str, weight: int) -> Circuit:
        with unavailable():
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(account, keys.endpoint(endpoint)),
                UpdateExpression="ADD failures :weight SET #ttl = :ttl",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={":weight": {"N": str(weight)}, ":ttl": self._ttl()},
                ReturnValues="ALL_NEW",
            )
        return _circuit(answer["Attributes"])

    def open(self, account: str, endpoint: str, until: float) -> None:
        with unavailable():
            self._client.update_item(
                TableName=self._table,
                Key=_key(account, keys.endpoint(endpoint)),
                UpdateExpression="SET open_until = :until",
                ExpressionAttributeValues={":until": {"N": repr(until)}},
            )

    def claim_probe(self, account: str, endpoint: str, seen: Circuit, until: float) -> bool:
        try:
            with unavailable():
                self._client.update_item(
                    TableName=self._table,
                    Key=_key(account, keys.endpoint(endpoint)),
                    UpdateExpression="SET open_until = :until",
                    ConditionExpression="open_until = :seen OR attribute_not_exists(open_until)",
                    ExpressionAttributeValues={":until": {"N": repr(until)}, ":seen": {"N": repr(seen.open_until)}},
                )
        except ClientError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def close(self, account: str, endpoint: str) -> None:
        with unavailable():
            self._client.update_item(
                TableName=self._table,
                Key=_key(account, keys.endpoint(endpoint)),
                UpdateExpression="REMOVE failures, open_until",
            )

    def take_turn(self, account: str, endpoint: str, *, turns: int, now: float, until: float) -> int | None:
        for turn in range(turns):
            if self._lease(account, endpoint, f"turn_{turn}", now, until):
                return turn
        return None

    def _lease(self, account: str, endpoint: str, name: str, now: float, until: float) -> bool:
        try:
            with unavailable():
                self._client.update_item(
                    TableName=self._table,
                    Key=_key(account, keys.endpoint(endpoint)),
                    UpdateExpression=f"SET {name} = :until, #ttl = :ttl",
                    ConditionExpression=f"attribute_not_exists({name}) OR {name} < :now",
                    ExpressionAttributeNames={"#ttl": "ttl"},
                    ExpressionAttributeValues={
                        ":until": {"N": repr(until)},
                        ":now": {"N": repr(now)},
                        ":ttl": self._ttl(),
                    },
                )
        except ClientError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def end_turn(self, account: str, endpoint: str, turn: int) -> None:
        with unavailable():
            self._client.update_item(
                TableName=self._table,
                Key=_key(account, keys.endpoint(endpoint)),
                UpdateExpression=f"REMOVE turn_{turn}",
            )

    def _ttl(self) -> Value:
        return {"N": str(int(self._clock.now()) + KEPT_S)}


def _key(account: str, event_id: str) -> dict[str, Value]:
    return {"account": {"S": account}, "event_id": {"S": event_id}}


def _record(row: _Row) -> PushRecord:
    return PushRecord(
        event=from_json(row["event"]["S"]),
        state=PushState(row["state"]["S"]),
        first_at=float(row["first_at"]["N"]),
        next_at=float(row["next_at"]["N"]),
        tries=int(row["tries"]["N"]),
        attempts=tuple(PushAttempt(**attempt) for attempt in json.loads(row["attempts"]["S"])),
    )


def _circuit(row: _Row) -> Circuit:
    failures, until = row.get("failures", {"N": "0"}), row.get("open_until", {"N": "0"})
    return Circuit(failures=int(failures["N"]), open_until=float(until["N"]))
