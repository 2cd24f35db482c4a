"""The Config table: implements `AccountStore`. One partition an account; what a warm function remembers is seconds old.

This file holds accounts, settings and snapshots; presence, spans and ports have files of their own beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from shared.aws import keys
from shared.aws.account_rows import account_of, account_row, agent_of, agent_row, key, port_of
from shared.aws.agent_presence import AgentPresence
from shared.aws.clients import unavailable
from shared.aws.enrolment_rows import EnrolmentRows
from shared.aws.items import Row, text
from shared.aws.port_rows import PortRows
from shared.aws.reading import get_rows, query_rows
from shared.aws.span_rows import News, SpanRows, site_of, spans_of
from shared.aws.warm import Warm
from shared.aws.writing import put_if
from shared.message import Account, Agent, AgentKey, Life, Port, Snapshot
from shared.ports import Clock
from shared.wire import SpanInfo

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value
    from mypy_boto3_dynamodb.type_defs import PutItemInputTypeDef

# How old what a warm function remembers may be: long enough to serve a burst with one read, short enough that an
# operator's change and a site's coming and going are not noticed late.
_REMEMBER_S = 3.0
# Ports do not move; only their names change, by hand.
_REMEMBER_PORTS_S = 30.0


class AccountTable:
    def __init__(self, client: DynamoDBClient, table: str, clock: Clock) -> None:
        self._client, self._table = client, table
        self._presence = AgentPresence(client, table)
        self._spans = SpanRows(client, table, clock)
        self._ports = PortRows(client, table)
        self._enrolments = EnrolmentRows(client, table)
        self._accounts: Warm[str, Account | None] = Warm(clock, _REMEMBER_S)
        self._snapshots: Warm[str, Snapshot | None] = Warm(clock, _REMEMBER_S)
        self._pools: Warm[tuple[str, frozenset[int]], Snapshot | None] = Warm(clock, _REMEMBER_S)
        self._span_ports: Warm[tuple[str, str, str], Port | None] = Warm(clock, _REMEMBER_PORTS_S)
        self._agent_ports: Warm[AgentKey, Mapping[str, Port]] = Warm(clock, _REMEMBER_PORTS_S)

    def account(self, name: str) -> Account | None:
        return self._accounts.get(name, lambda: self._read_account(name))

    def _read_account(self, name: str) -> Account | None:
        row = self._get(name, keys.ACCOUNT)
        return account_of(row) if row else None

    def snapshot(self, name: str) -> Snapshot | None:
        return self._snapshots.get(name, lambda: self._read_snapshot(name))

    def _read_snapshot(self, name: str) -> Snapshot | None:
        """One query: ACCOUNT, AGENT#, PORT#, PUSH and SPANS# rows stand together."""
        rows = query_rows(
            self._client,
            {
                "TableName": self._table,
                "KeyConditionExpression": "account = :account",
                "ExpressionAttributeValues": {":account": text(name)},
            },
        )
        return _snapshot(name, rows)

    def snapshot_of_ports(self, name: str, numbers: Sequence[int]) -> Snapshot | None:
        pool = frozenset(numbers)
        return self._pools.get((name, pool), lambda: self._read_pool(name, sorted(pool)))

    def _read_pool(self, name: str, numbers: Sequence[int]) -> Snapshot | None:
        """Two batches: the ports, then the account with the agents and spans that these belong to."""
        ports = self._ports.numbered(name, numbers)
        sort_keys = {keys.ACCOUNT} | {of(port.agent) for port in ports for of in (keys.agent, keys.spans)}
        wanted = [key(name, sort_key) for sort_key in sorted(sort_keys)]
        found = _snapshot(name, get_rows(self._client, self._table, wanted, consistent=False))
        return found and Snapshot(found.account, found.sites, {port.number: port for port in ports})

    def put_account(self, account: Account) -> bool:
        return self._put_new(account_row(account))

    def agent(self, account: str, agent_id: str) -> Agent | None:
        row = self._get(account, keys.agent(agent_id), consistent=True)
        return agent_of(row) if row else None

    def put_agent(self, agent: Agent) -> bool:
        return self._put_new(agent_row(agent))

    def connected(
        self, account: str, agent_id: str, *, connection: str, since: float, at: float, life: Life | None = None
    ) -> bool:
        return self._presence.connected(account, agent_id, connection=connection, since=since, at=at, life=life)

    def disconnected(self, account: str, agent_id: str, *, connection: str, at: float) -> bool:
        self._snapshots.forget(account)
        self._pools.clear()
        return self._presence.disconnected(account, agent_id, connection=connection, at=at)

    def seen(self, account: str, agent_id: str, *, at: float) -> None:
        self._presence.seen(account, agent_id, at=at)

    def unheard(self, before: float) -> Sequence[AgentKey]:
        return self._presence.unheard(before)

    def count_expected(self) -> int:
        return self._presence.count_expected()

    def missed(self, account: str, agent_id: str, *, before: float) -> Agent | None:
        return self._presence.missed(account, agent_id, before=before)

    def missed_told(self, account: str, agent_id: str) -> None:
        self._presence.missed_told(account, agent_id)

    def trade_code(self, account: str, agent_id: str, *, code: str, credential: str, at: float) -> bool:
        return self._enrolments.trade(account, agent_id, code=code, credential=credential, at=at)

    def note_double(self, account: str, agent_id: str, *, at: float) -> None:
        self._enrolments.note_double(account, agent_id, at=at)

    def note_sim(self, port: Port, iccid: str, *, at: float) -> bool:
        self._agent_ports.forget((port.account, port.agent))
        return self._ports.note_sim(port, iccid, at=at)

    def spans(self, account: str, agent_id: str) -> tuple[SpanInfo, ...]:
        return spans_of(self._get(account, keys.spans(agent_id), consistent=True))

    def save_spans(self, account: str, agent_id: str, spans: Sequence[SpanInfo], *, at: float, whole: bool) -> News:
        return self._spans.save(account, agent_id, spans, at=at, whole=whole)

    def spans_due(self, before: float) -> Sequence[AgentKey]:
        return self._spans.due(before)

    def span_news(self, account: str, agent_id: str, *, at: float) -> Sequence[SpanInfo]:
        return self._spans.news(account, agent_id, at=at)

    def note_told(self, account: str, agent_id: str, news: Sequence[SpanInfo], *, at: float, done: bool) -> None:
        self._spans.note_told(account, agent_id, news, at=at, done=done)

    def put_off_spans(self, account: str, agent_id: str, *, until: float) -> None:
        self._spans.put_off(account, agent_id, until=until)

    def allot_ports(self, account: str, agent_id: str, spans: Sequence[SpanInfo]) -> Mapping[str, Port]:
        self._agent_ports.forget((account, agent_id))
        return self._agent_ports.get((account, agent_id), lambda: self._ports.allot(account, agent_id, spans))

    def ports_of(self, account: str, agent_id: str) -> Mapping[str, Port]:
        return self._agent_ports.get((account, agent_id), lambda: self._ports.of_agent(account, agent_id))

    def port_of(self, account: str, agent_id: str, span: str) -> Port | None:
        return self._span_ports.get((account, agent_id, span), lambda: self._ports.of_span(account, agent_id, span))

    def push_settings(self, account: str) -> Mapping[str, str | int]:
        """Not remembered: who reads back what was just set must see it."""
        row = self._get(account, keys.PUSH, consistent=True)
        settings: Mapping[str, str | int] = json.loads(row["settings"]["S"]) if row else {}
        return settings

    def save_push_settings(
        self, account: str, settings: Mapping[str, str | int], *, before: Mapping[str, str | int] | None = None
    ) -> bool:
        put: PutItemInputTypeDef = {
            "TableName": self._table,
            "Item": {**key(account, keys.PUSH), **_settings(settings)},
        }
        if before:
            put["ConditionExpression"] = "settings = :before"
            put["ExpressionAttributeValues"] = {":before": _settings(before)["settings"]}
        elif before is not None:
            put["ConditionExpression"] = "attribute_not_exists(sk)"
        return put_if(self._client, put)

    def _get(self, account: str, sort_key: str, *, consistent: bool = False) -> Row:
        """Empty when there is none."""
        with unavailable():
            answer = self._client.get_item(TableName=self._table, Key=key(account, sort_key), ConsistentRead=consistent)
        return answer.get("Item", {})

    def _put_new(self, row: dict[str, Value]) -> bool:
        return put_if(
            self._client,
            {"TableName": self._table, "Item": row, "ConditionExpression": "attribute_not_exists(sk)"},
        )


def _settings(values: Mapping[str, str | int]) -> dict[str, Value]:
    """The same text for the same values in the same order, which reading keeps."""
    return {"settings": text(json.dumps(dict(values)))}


def _snapshot(name: str, rows: Iterable[Row]) -> Snapshot | None:
    """None when there is no such account."""
    by_key = {row["sk"]["S"]: row for row in rows}
    if keys.ACCOUNT not in by_key:
        return None
    agents = [agent_of(row) for sort_key, row in by_key.items() if sort_key.startswith(keys.agent(""))]
    ports = [port_of(row) for sort_key, row in by_key.items() if sort_key.startswith("PORT#")]
    return Snapshot(
        account_of(by_key[keys.ACCOUNT]),
        {agent.id: site_of(agent, by_key.get(keys.spans(agent.id), {})) for agent in agents},
        {port.number: port for port in sorted(ports, key=lambda port: port.number)},
    )
