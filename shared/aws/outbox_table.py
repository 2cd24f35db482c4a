"""The Outbox table: implements `OutboxStore`. Rule: every state change is one conditional write.

Key (account, id). The row's form is in outbox_rows.py, its indexes in template.yaml, its lists in outbox_lists.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from shared.aws import keys, outbox_rows
from shared.aws.clients import code_of, unavailable
from shared.aws.items import Row
from shared.aws.outbox_backlog import BacklogReader
from shared.aws.outbox_lists import OutboxLists
from shared.aws.outbox_rows import condition, message_of, row, update
from shared.aws.reading import get_rows
from shared.lifecycle import State
from shared.message import Change, Listed, Message, applies
from shared.ports import Backlog, OutboxFilter, Page, Recorded, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef, UpdateItemInputTypeDef

_REFUSED = "ConditionalCheckFailedException"
# What a message most likely is when such a change comes: one write, no read. A wrong guess costs one write more.
_LIKELY = {State.DELIVERED: State.SENT, State.UNDELIVERED: State.SENT}
# Each further try is against a state that another writer has just set, and TRANSITIONS has no circle but one.
_TRIES = 5
_DAY = 86_400
_TRANSACTION = 100  # DynamoDB quota: items in one transaction


class OutboxTable:
    """`hasty` gives the client for `look`: few calls make one, so only those pay for it."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        retention_days: int,
        hasty: Callable[[], DynamoDBClient] | None = None,
    ) -> None:
        self._client, self._table = client, table
        self._hasty = hasty or (lambda: client)
        self._retention = retention_days * _DAY
        self._lists = OutboxLists(client, table, self.get)
        self._backlog = BacklogReader(client, table)

    def add(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        if len(messages) > _TRANSACTION:
            raise ValueError(f"{len(messages)} messages do not fit into one transaction of {_TRANSACTION}")
        there = self._add_one(messages[0]) if len(messages) == 1 else self._add_all(messages)
        # A write whose answer was lost is repeated by the client and then finds what it wrote itself.
        return () if there == tuple(messages) else there

    def _add_one(self, message: Message) -> tuple[Message, ...]:
        try:
            with unavailable():
                self._client.put_item(
                    TableName=self._table,
                    Item=self._row(message),
                    ConditionExpression="attribute_not_exists(id)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            if code_of(error) != _REFUSED:
                raise
            return (message_of(_there(error)),)
        return ()

    def _add_all(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        try:
            with unavailable():
                self._client.transact_write_items(
                    TransactItems=[
                        {
                            "Put": {
                                "TableName": self._table,
                                "Item": self._row(message),
                                "ConditionExpression": "attribute_not_exists(id)",
                                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                            }
                        }
                        for message in messages
                    ]
                )
        except ClientError as error:
            if code_of(error) != "TransactionCanceledException":
                raise
            return _cancelled_by(error)
        return ()

    def _row(self, message: Message) -> dict[str, Value]:
        return row(message, ttl=message.accepted_at + self._retention)

    def get(self, account: str, ids: Sequence[str]) -> tuple[Message, ...]:
        return self._got(self._client, account, ids)

    def look(self, account: str, ids: Sequence[str]) -> tuple[Message, ...]:
        return self._got(self._hasty(), account, ids)

    def _got(self, client: DynamoDBClient, account: str, ids: Sequence[str]) -> tuple[Message, ...]:
        rows = get_rows(client, self._table, [_key(account, i) for i in ids], consistent=True)
        found = {row["id"]["S"]: message_of(row) for row in rows}
        return tuple(found[i] for i in ids if i in found)

    def record(
        self, account: str, message_id: str, change: Change, *, settle: bool = True
    ) -> tuple[Recorded, Message | None]:
        expected = _LIKELY.get(change.state, State.QUEUED)
        for _ in range(_TRIES):
            changed, found = self._change(account, message_id, expected, change, settle=settle)
            if found is None:
                return Recorded.UNKNOWN, None
            if changed:
                return Recorded.CHANGED, found
            if not applies(found, change):
                return Recorded.UNCHANGED, found
            expected = found.state
        raise Unavailable("too many writers on one message")

    def _change(
        self, account: str, message_id: str, expected: State, change: Change, *, settle: bool
    ) -> tuple[bool, Message | None]:
        """Whether it was as expected, and the message as it stands then."""
        update_ = update(expected, message_id, change, settle=settle)
        try:
            with unavailable():
                answer = self._client.update_item(
                    TableName=self._table,
                    Key=_key(account, message_id),
                    ConditionExpression=condition(expected, change),
                    UpdateExpression=update_.expression(),
                    ExpressionAttributeNames=update_.names(),
                    ExpressionAttributeValues={":expected": {"S": expected}, **update_.values()},
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            if code_of(error) != _REFUSED:
                raise
            there = _there(error)
            return False, message_of(there) if there else None
        return True, message_of(answer["Attributes"])

    def settle(self, account: str, message_id: str) -> None:
        self._if_so(
            {
                "TableName": self._table,
                "Key": _key(account, message_id),
                "UpdateExpression": "REMOVE waiting",
                "ConditionExpression": "attribute_exists(ended)",
            }
        )

    def claim_posting(self, account: str, message_id: str, agent: str) -> bool:
        return self._if_so(
            {
                "TableName": self._table,
                "Key": _key(account, message_id),
                "UpdateExpression": "REMOVE unposted",
                "ConditionExpression": "attribute_exists(unposted) AND attribute_not_exists(ended) AND #agent = :agent",
                "ExpressionAttributeNames": {"#agent": "agent"},
                "ExpressionAttributeValues": {":agent": {"S": agent}},
            }
        )

    def move(self, moved: Message, *, away_from: str) -> bool:
        update_ = outbox_rows.move(moved)
        return self._if_so(
            {
                "TableName": self._table,
                "Key": _key(moved.account, moved.id),
                "UpdateExpression": update_.expression(),
                "ConditionExpression": "attribute_exists(unposted) AND attribute_not_exists(ended) AND #agent = :from",
                "ExpressionAttributeNames": update_.names(),
                "ExpressionAttributeValues": {":from": {"S": away_from}, **update_.values()},
            }
        )

    def _if_so(self, request: UpdateItemInputTypeDef) -> bool:
        """Whether the condition held."""
        try:
            with unavailable():
                self._client.update_item(**request)
        except ClientError as error:
            if code_of(error) != _REFUSED:
                raise
            return False
        return True

    def pending(self, account: str, agent: str, cursor: str, limit: int) -> Page:
        with unavailable():
            answer = self._client.query(**self._queue(account, agent, cursor, limit))
        rows = answer["Items"]
        found = self.get(account, [row["id"]["S"] for row in rows])
        # The index may lag behind a move, and two agents must never be handed one message.
        messages = tuple(message for message in found if message.agent == agent)
        behind = rows[-1]["waiting"]["S"].partition("#")[2] if rows and "LastEvaluatedKey" in answer else ""
        return Page(messages, behind)

    def count_pending(self, account: str, agent: str, up_to: int) -> int:
        request: QueryInputTypeDef = {**self._queue(account, agent, "", up_to), "Select": "COUNT"}
        with unavailable():
            return self._client.query(**request)["Count"]

    def count_waiting(self, account: str, up_to: int) -> Mapping[int, int]:
        return self._lists.count_waiting(account, up_to)

    def backlog(self, before: float) -> Backlog:
        return self._backlog.read(before)

    def _queue(self, account: str, agent: str, cursor: str, limit: int) -> QueryInputTypeDef:
        first, last = keys.queue(agent, cursor)
        return {
            "TableName": self._table,
            "IndexName": "pending",
            "KeyConditionExpression": "account = :account AND waiting BETWEEN :first AND :last",
            "ExpressionAttributeValues": {":account": {"S": account}, ":first": {"S": first}, ":last": {"S": last}},
            "Limit": limit,
        }

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
        return self._lists.history(
            account, where, skip=skip, limit=limit, include_pending=include_pending, with_total=with_total
        )


def _key(account: str, message_id: str) -> dict[str, Value]:
    return {"account": {"S": account}, "id": {"S": message_id}}


def _there(error: ClientError) -> Row:
    """The row that made a condition fail; empty when there is none."""
    return cast("Row", error.response.get("Item", {}))


def _cancelled_by(error: ClientError) -> tuple[Message, ...]:
    """The rows that stood in the way; Unavailable when it was contention or throttling."""
    reasons = error.response.get("CancellationReasons", [])
    if any(reason.get("Code") not in {"None", "ConditionalCheckFailed"} for reason in reasons):
        raise Unavailable("TransactWriteItems: contention") from error
    return tuple(message_of(cast("Row", reason["Item"])) for reason in reasons if "Item" in reason)
