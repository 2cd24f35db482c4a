"""Who is connected where, and until when each agent should be heard of: rows AGENT# of the Config table.

Rule: every write is conditional, so that late or repeated events of an older connection change nothing. The watch index
holds the agents that are expected to be heard of, by the time until which; who was told of as offline is not in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from shared.aws import keys, watch_index
from shared.aws.account_rows import agent_of, key, life_values
from shared.aws.items import flag, number, text
from shared.aws.reading import query_pages
from shared.aws.writing import update_if
from shared.message import Agent, AgentKey, Life
from shared.presence import BACK_WITHIN_S, SILENT_AFTER_S

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef, QueryOutputTypeDef


class AgentPresence:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client, self._table = client, table

    def connected(
        self, account: str, agent_id: str, *, connection: str, since: float, at: float, life: Life | None
    ) -> bool:
        values = {
            "connection": text(connection),
            "connected_at": number(since),
            **_heard(account, agent_id, at, SILENT_AFTER_S),
            **(life_values(life) if life else {}),
        }
        # `<=`: the same connection may say hello again.
        condition = "attribute_exists(sk) AND (attribute_not_exists(connected_at) OR connected_at <= :connected_at)"
        return self._set(account, agent_id, values, condition, remove="offline_told")

    def disconnected(self, account: str, agent_id: str, *, connection: str, at: float) -> bool:
        values = _heard(account, agent_id, at, BACK_WITHIN_S)
        condition = "#connection = :was"
        return self._set(account, agent_id, values, condition, {":was": text(connection)}, remove="connection")

    def seen(self, account: str, agent_id: str, *, at: float) -> None:
        self._set(account, agent_id, _heard(account, agent_id, at, SILENT_AFTER_S), "attribute_exists(sk)")

    def unheard(self, before: float) -> Sequence[AgentKey]:
        rows = watch_index.due(self._client, self._table, keys.watch_shards(), before)
        return [(row["account"]["S"], keys.agent_of(row["sk"]["S"])) for row in rows]

    def count_expected(self) -> int:
        """Reads a thin index row (some 100 bytes) an agent, so not to be called for every little thing."""
        return sum(page["Count"] for shard in keys.watch_shards() for page in self._count(shard))

    def _count(self, shard: str) -> Iterator[QueryOutputTypeDef]:
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "IndexName": "watch",
            "KeyConditionExpression": "watch = :shard",
            "ExpressionAttributeValues": {":shard": text(shard)},
            "Select": "COUNT",
        }
        return query_pages(self._client, request)

    def missed(self, account: str, agent_id: str, *, before: float) -> Agent | None:
        row = update_if(
            self._client,
            {
                "TableName": self._table,
                "Key": key(account, keys.agent(agent_id)),
                "UpdateExpression": "SET offline_told = :yes REMOVE #connection",
                "ConditionExpression": "expected_by < :before",
                "ExpressionAttributeNames": {"#connection": "connection"},
                "ExpressionAttributeValues": {":yes": flag(True), ":before": number(before)},
                "ReturnValues": "ALL_OLD",
            },
        )
        return None if row is None else agent_of(row)

    def missed_told(self, account: str, agent_id: str) -> None:
        update_if(
            self._client,
            {
                "TableName": self._table,
                "Key": key(account, keys.agent(agent_id)),
                "UpdateExpression": "REMOVE watch, expected_by",
                "ConditionExpression": "offline_told = :yes",
                "ExpressionAttributeValues": {":yes": flag(True)},
            },
        )

    def _set(
        self,
        account: str,
        agent_id: str,
        values: dict[str, Value],
        condition: str,
        more: dict[str, Value] | None = None,
        *,
        remove: str = "",
    ) -> bool:
        """All names through placeholders: `connection` is a reserved word."""
        sets = ", ".join(f"#{name} = :{name}" for name in values)
        row = update_if(
            self._client,
            {
                "TableName": self._table,
                "Key": key(account, keys.agent(agent_id)),
                "UpdateExpression": f"SET {sets}" + (f" REMOVE #{remove}" if remove else ""),
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {f"#{name}": name for name in (*values, remove) if name},
                "ExpressionAttributeValues": {**{f":{name}": value for name, value in values.items()}, **(more or {})},
            },
        )
        return row is not None


def _heard(account: str, agent_id: str, at: float, patience: float) -> dict[str, Value]:
    return {
        "last_seen": number(at),
        "watch": text(keys.watch_shard(account, agent_id)),
        "expected_by": number(at + patience),
    }
