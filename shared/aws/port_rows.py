"""Port numbers: allotted once for each (agent, span identity), never moved, never used again.

Two rows each: PORT#n in the account's partition, which sending reads, and a slot in a partition of its own, whose key
(agent, span) makes a second number impossible. Numbers come from a counter, so that agents that enrol at the same time
do not contend; a crash between the counter and the rows leaves a gap, never a doubled number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.aws import keys
from shared.aws.account_rows import key, port_of, port_row
from shared.aws.clients import code_of, unavailable
from shared.aws.items import int_of, number, text
from shared.aws.reading import get_rows, query_rows
from shared.aws.writing import update_if
from shared.message import Port
from shared.ports import Unavailable
from shared.wire import SpanInfo

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TRIES = 5
_UNKNOWN = "gsm"  # stands in a name while the modem has not told its technology
_RUN = 40  # spans in one transaction: two rows each, of the 100 that DynamoDB takes


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
        return {port.span: port for port in self.numbered(account, [int_of(row, "number") for row in rows])}

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

    def allot(self, account: str, agent_id: str, spans: Sequence[SpanInfo]) -> Mapping[str, Port]:
        for _ in range(_TRIES):
            ports = self.of_agent(account, agent_id)
            new = [info for info in spans if info.span not in ports][:_RUN]
            if not new:
                return self._renamed(ports, spans)
            self._add(account, agent_id, new, len(ports))
        raise Unavailable("too many writers on one agent's ports")

    def _add(self, account: str, agent_id: str, new: Sequence[SpanInfo], there: int) -> None:
        """All of them or none; none when another took one of them first."""
        first = self._count(account, "ports", len(new))
        board = self._board(account, agent_id)
        ports = [
            Port(
                account=account,
                number=first + i,
                agent=agent_id,
                span=info.span,
                name=info.name or f"{info.technology or _UNKNOWN}-{board}.{there + i + 1}",
                told_name=info.name,
                technology=info.technology,
            )
            for i, info in enumerate(new)
        ]
        try:
            with unavailable():
                self._client.transact_write_items(
                    TransactItems=[
                        {
                            "Put": {
                                "TableName": self._table,
                                "Item": item,
                                "ConditionExpression": "attribute_not_exists(sk)",
                            }
                        }
                        for port in ports
                        for item in (
                            port_row(port),
                            {**key(keys.slots(account), keys.slot(agent_id, port.span)), "number": number(port.number)},
                        )
                    ]
                )
        except ClientError as error:
            if code_of(error) != "TransactionCanceledException":
                raise

    def _board(self, account: str, agent_id: str) -> int:
        """The agent's own number within its account, for port names like lte-1.3; given at its first port."""
        row = key(keys.slots(account), keys.board(agent_id))
        with unavailable():
            known = self._client.get_item(TableName=self._table, Key=row, ConsistentRead=True).get("Item")
            if known:
                return int_of(known, "number")
            new = self._count(account, "boards", 1)
            answer = self._client.update_item(
                TableName=self._table,
                Key=row,
                UpdateExpression="SET #number = if_not_exists(#number, :new)",
                ExpressionAttributeNames={"#number": "number"},
                ExpressionAttributeValues={":new": number(new)},
                ReturnValues="ALL_NEW",
            )
        return int_of(answer["Attributes"], "number")

    def _count(self, account: str, counter: str, by: int) -> int:
        """The first of `by` numbers that nobody else gets."""
        with unavailable():
            answer = self._client.update_item(
                TableName=self._table,
                Key=key(keys.slots(account), keys.counter(counter)),
                UpdateExpression="ADD #number :by",
                ExpressionAttributeNames={"#number": "number"},
                ExpressionAttributeValues={":by": number(by)},
                ReturnValues="ALL_NEW",
            )
        return int_of(answer["Attributes"], "number") - by + 1

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
