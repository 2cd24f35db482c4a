"""Port numbers: allotted once for each (agent, span identity), never moved, never used again.

Two rows each: PORT#n in the account's partition, which sending reads, and a slot in a partition of its own, whose key
(agent, span) makes a second number impossible. They are put together with the counters that gave the number and the
name, on the condition that those have not moved: of two that allot at once one begins again, and no number is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.aws import keys
from shared.aws.account_rows import key, port_of, port_row
from shared.aws.clients import code_of, unavailable
from shared.aws.items import Row, int_of, number, text
from shared.aws.reading import get_rows, query_rows
from shared.aws.writing import update_if
from shared.message import Port
from shared.ports import Unavailable
from shared.wire import SpanInfo

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import PutTypeDef, TransactWriteItemTypeDef

_TRIES = 10  # one of those that contend succeeds in each round
_UNKNOWN = "gsm"  # stands in a name while the modem has not told its technology
_SPREAD = 10  # so many times its own ports are read with an agent's rather than each of its own by itself
_RUN = 40  # spans in one transaction: two rows each and three counters, of the 100 that DynamoDB takes


class PortRows:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client, self._table = client, table

    def of_agent(self, account: str, agent_id: str) -> dict[str, Port]:
        rows = query_rows(
            self._client,
            {
                "TableName": self._table,
                "KeyConditionExpression": "account = :slots AND begins_with(sk, :agent)",
                "ExpressionAttributeValues": {
                    ":slots": text(keys.slots(account)),
                    ":agent": text(keys.slot(agent_id, "")),
                },
                "ConsistentRead": True,
            },
        )
        ports = self._near(account, [int_of(row, "number") for row in rows])
        return {port.span: port for port in ports if port.agent == agent_id}

    def of_span(self, account: str, agent_id: str, span: str) -> Port | None:
        """Two rows instead of all that the agent has."""
        with unavailable():
            answer = self._client.get_item(
                TableName=self._table, Key=key(keys.slots(account), keys.slot(agent_id, span)), ConsistentRead=True
            )
        slot = answer.get("Item")
        return next(iter(self.numbered(account, [int_of(slot, "number")])), None) if slot else None

    def numbered(self, account: str, numbers: Sequence[int]) -> Sequence[Port]:
        wanted = [key(account, keys.port(n)) for n in sorted(set(numbers))]
        ports = [port_of(row) for row in get_rows(self._client, self._table, wanted, consistent=True)]
        return sorted(ports, key=lambda port: port.number)

    def _near(self, account: str, numbers: Sequence[int]) -> Sequence[Port]:
        """These ports, and others that stand between them.

        An agent's ports were mostly allotted together. One Query reads them for the price of their bytes, some 25 of
        them for a unit, where a batch pays a unit for each.
        """
        if not numbers or max(numbers) - min(numbers) >= _SPREAD * len(numbers):
            return self.numbered(account, numbers)
        rows = query_rows(
            self._client,
            {
                "TableName": self._table,
                "KeyConditionExpression": "account = :account AND sk BETWEEN :first AND :last",
                "ExpressionAttributeValues": {
                    ":account": text(account),
                    ":first": text(keys.port(min(numbers))),
                    ":last": text(keys.port(max(numbers))),
                },
                "ConsistentRead": True,
            },
        )
        return [port_of(row) for row in rows]

    def allot(self, account: str, agent_id: str, spans: Sequence[SpanInfo]) -> Mapping[str, Port]:
        for _ in range(_TRIES):
            ports = self.of_agent(account, agent_id)
            new = [info for info in spans if info.span not in ports][:_RUN]
            if not new:
                return self._renamed(ports, spans)
            self._add(account, agent_id, new)
        raise Unavailable("too many writers on one agent's ports")

    def _add(self, account: str, agent_id: str, new: Sequence[SpanInfo]) -> None:
        """All of them or none; none when another allotted meanwhile."""
        ports_before, boards_before, board_before, spans_before = self._counts(account, agent_id)
        board = board_before or boards_before + 1
        ports = [
            Port(
                account=account,
                number=ports_before + place,
                agent=agent_id,
                span=info.span,
                name=info.name or f"{info.technology or _UNKNOWN}-{board}.{spans_before + place}",
                told_name=info.name,
                technology=info.technology,
            )
            for place, info in enumerate(new, 1)
        ]
        partition = keys.slots(account)
        told = {"number": number(board), "spans": number(spans_before + len(new))}
        count = {"number": number(ports_before + len(new))}
        writes = [
            self._put({**key(partition, keys.counter("ports")), **count}, was=ports_before),
            self._put({**key(partition, keys.board(agent_id)), **told}, was=board_before),
        ]
        if not board_before:
            count = {"number": number(board)}
            writes.append(self._put({**key(partition, keys.counter("boards")), **count}, was=boards_before))
        for port in ports:
            slot = {**key(partition, keys.slot(agent_id, port.span)), "number": number(port.number)}
            writes += [self._put(port_row(port)), self._put(slot)]
        try:
            with unavailable():
                self._client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if code_of(error) != "TransactionCanceledException":
                raise

    def _counts(self, account: str, agent_id: str) -> tuple[int, int, int, int]:
        """Ports and boards of the account; the agent's own board, 0 if it has none yet, and how many spans are on it.

        The board is the agent's number within its account, for port names like lte-1.3.
        """
        partition = keys.slots(account)
        counters = (keys.counter("ports"), keys.counter("boards"), keys.board(agent_id))
        wanted = [key(partition, sort_key) for sort_key in counters]
        rows = {row["sk"]["S"]: row for row in get_rows(self._client, self._table, wanted, consistent=True)}
        ports, boards, board = (int_of(rows[name], "number") if name in rows else 0 for name in counters)
        return ports, boards, board, int_of(rows[counters[2]], "spans") if board else 0

    def _put(self, row: Row, *, was: int = 0) -> TransactWriteItemTypeDef:
        """On the condition that the row's number is still what it was; 0 is that of a row that is not there."""
        put: PutTypeDef = {"TableName": self._table, "Item": row, "ConditionExpression": "attribute_not_exists(sk)"}
        if was:
            put["ConditionExpression"] = "#number = :was"
            put["ExpressionAttributeNames"] = {"#number": "number"}
            put["ExpressionAttributeValues"] = {":was": number(was)}
        return {"Put": put}

    def _renamed(self, ports: dict[str, Port], spans: Sequence[SpanInfo]) -> Mapping[str, Port]:
        after = {info.span: renamed(ports[info.span], info) for info in spans}
        for span, port in after.items():
            if port != ports[span]:
                self._rename(ports[span], port)
        return {**ports, **after}

    def note_sim(self, port: Port, iccid: str, *, at: float) -> bool:
        """The first SIM of a port is no change of it."""
        seen = "attribute_not_exists(iccid)" if not port.iccid else "iccid = :before"
        before = {":before": text(port.iccid), ":at": number(at)} if port.iccid else {}
        row = update_if(
            self._client,
            {
                "TableName": self._table,
                "Key": key(port.account, keys.port(port.number)),
                "UpdateExpression": "SET iccid = :now"
                + (", iccid_before = :before, sim_changed_at = :at" if before else ""),
                "ConditionExpression": f"attribute_exists(sk) AND {seen}",
                "ExpressionAttributeValues": {":now": text(iccid), **before},
            },
        )
        return row is not None

    def _rename(self, before: Port, after: Port) -> None:
        """Gives way to a name that the operator gave meanwhile."""
        update_if(
            self._client,
            {
                "TableName": self._table,
                "Key": key(after.account, keys.port(after.number)),
                "UpdateExpression": "SET #name = :name, told_name = :told, technology = :technology",
                "ConditionExpression": "#name = :before",
                "ExpressionAttributeNames": {"#name": "name"},
                "ExpressionAttributeValues": {
                    ":name": text(after.name),
                    ":told": text(after.told_name),
                    ":technology": text(after.technology),
                    ":before": text(before.name),
                },
            },
        )


def renamed(port: Port, info: SpanInfo) -> Port:
    """With what became known since it was named. The operator's name stays until the configuration says another."""
    name = port.name
    if info.name and info.name != port.told_name:
        name = info.name
    elif info.technology and not port.technology and name.startswith(f"{_UNKNOWN}-"):
        name = info.technology + name.removeprefix(_UNKNOWN)
    told_name, technology = info.name or port.told_name, port.technology or info.technology
    return replace(port, name=name, told_name=told_name, technology=technology)
