"""The operator's writes to the Config table: implements `AuditedStore`.

Rule: each is a transaction of the change, conditional on every value that it replaces, and its audit row.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared import credentials
from shared.audit import Entry
from shared.aws import keys
from shared.aws.account_rows import account_of, account_row, agent_of, agent_row, key, port_row
from shared.aws.clients import code_of, unavailable
from shared.aws.items import Row, flag, number, text, text_of, thin
from shared.aws.reading import query_pages, query_rows, scan_pages
from shared.message import Account, Agent, Port
from shared.ports import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef as Write

_DEFAULTS: tuple[Value, ...] = ({"N": "0"}, {"N": "0.0"}, {"BOOL": False})
_BATCH = 25  # DynamoDB quota: writes in one BatchWriteItem


class AuditedTable:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client, self._table = client, table

    def census(self) -> tuple[Sequence[Account], Sequence[Agent]]:
        accounts: list[Account] = []
        agents: list[Agent] = []
        for page in scan_pages(self._client, {"TableName": self._table}):
            for row in page["Items"]:
                if row["sk"]["S"] == keys.ACCOUNT:
                    accounts.append(account_of(row))
                elif row["sk"]["S"].startswith(keys.agent("")):
                    agents.append(agent_of(row))
        return sorted(accounts, key=lambda a: a.name), sorted(agents, key=lambda a: (a.account, a.id))

    def add_account(self, account: Account, entry: Entry) -> bool:
        return self._write([self._new(account_row(account))], entry)

    def add_agent(self, agent: Agent, entry: Entry) -> bool:
        return self._write([self._invited(agent.account), self._new(agent_row(agent))], entry)

    def _invited(self, account: str) -> Write:
        return {
            "Update": {
                "TableName": self._table,
                "Key": key(account, keys.ACCOUNT),
                "UpdateExpression": "ADD invited :one",
                "ConditionExpression": "attribute_exists(sk) AND attribute_not_exists(deleted_at)",
                "ExpressionAttributeValues": {":one": number(1)},
            }
        }

    def change_account(self, before: Account, after: Account, entry: Entry) -> bool:
        return self._change(account_row(before), account_row(after), entry)

    def change_agent(self, before: Agent, after: Agent, entry: Entry) -> bool:
        change = _update(self._table, agent_row(before), agent_row(after))
        invites = after.enrolment.code not in {"", before.enrolment.code}
        return self._write([*([self._invited(after.account)] if invites else []), change], entry)

    def change_port(self, before: Port, after: Port, entry: Entry) -> bool:
        return self._change(port_row(before), port_row(after), entry)

    def agents_of(self, account: str) -> Sequence[Agent]:
        rows = query_rows(
            self._client,
            {
                "TableName": self._table,
                "KeyConditionExpression": "account = :account AND begins_with(sk, :agents)",
                "ExpressionAttributeValues": {":account": text(account), ":agents": text(keys.agent(""))},
                "ConsistentRead": True,
            },
        )
        return [agent_of(row) for row in rows]

    def delete_account(self, account: Account, entry: Entry, *, until: float) -> bool:
        stone: dict[str, Value] = {
            **key(account.name, keys.ACCOUNT),
            "credential": text(credentials.NOBODY),
            "timezone": text("UTC"),
            "suspended": flag(True),
            "deleted_at": number(entry.at),
            "ttl": number(int(until)),
        }
        if not self._write([_replace(self._table, account_row(account), stone)], entry):
            return False
        self._empty(account.name, keep=keys.ACCOUNT)
        self._empty(keys.slots(account.name), keep="")
        return True

    def _empty(self, partition: str, *, keep: str) -> None:
        rows = query_rows(
            self._client,
            {
                "TableName": self._table,
                "KeyConditionExpression": "account = :partition",
                "ExpressionAttributeValues": {":partition": text(partition)},
            },
        )
        gone = iter([row["sk"]["S"] for row in rows if row["sk"]["S"] != keep])
        while run := list(islice(gone, _BATCH)):
            with unavailable():
                answer = self._client.batch_write_item(
                    RequestItems={self._table: [{"DeleteRequest": {"Key": key(partition, sk)}} for sk in run]}
                )
            if answer.get("UnprocessedItems"):
                raise Unavailable("BatchWriteItem: rows left over; delete the account again")

    def note(self, entry: Entry) -> None:
        with unavailable():
            self._client.put_item(TableName=self._table, Item=_entry_row(entry))

    def entries(self, account: str, since: float, most: int) -> Sequence[Entry]:
        return tuple(islice((e for e in self._entries(since) if account in {"", e.account}), most))

    def _entries(self, since: float) -> Iterator[Entry]:
        pages = query_pages(
            self._client,
            {
                "TableName": self._table,
                "KeyConditionExpression": "account = :audit AND sk >= :since",
                "ExpressionAttributeValues": {":audit": text(keys.AUDIT), ":since": text(keys.audit(since, ""))},
                "ScanIndexForward": False,
            },
        )
        return (_entry_of(row) for page in pages for row in page["Items"])

    def _new(self, row: dict[str, Value]) -> Write:
        return {"Put": {"TableName": self._table, "Item": row, "ConditionExpression": "attribute_not_exists(sk)"}}

    def _change(self, before: dict[str, Value], after: dict[str, Value], entry: Entry) -> bool:
        return self._write([_update(self._table, before, after)], entry)

    def _write(self, writes: Sequence[Write], entry: Entry) -> bool:
        audit: Write = {"Put": {"TableName": self._table, "Item": _entry_row(entry)}}
        try:
            with unavailable():
                self._client.transact_write_items(TransactItems=[*writes, audit])
        except ClientError as error:
            if code_of(error) != "TransactionCanceledException":
                raise
            if "ConditionalCheckFailed" in _reasons(error):
                return False
            raise Unavailable("TransactWriteItems: contention") from error
        return True


def _update(table: str, before: dict[str, Value], after: dict[str, Value]) -> Write:
    """What differs, on the condition that it still is as it was. All names go through placeholders."""
    sets = {name: value for name, value in after.items() if before.get(name) != value}
    removes = [name for name in before if name not in after]
    changes = ", ".join(f"#{name} = :new_{name}" for name in sets)
    parts = [f"SET {changes}"] if changes else []
    parts += [f"REMOVE {_names(removes)}"] if removes else []
    touched = [*sets, *removes]
    return {
        "Update": {
            "TableName": table,
            "Key": {name: after[name] for name in ("account", "sk")},
            "UpdateExpression": " ".join(parts),
            "ConditionExpression": " AND ".join(["attribute_exists(sk)", *(_as_it_was(n, before) for n in touched)]),
            "ExpressionAttributeNames": {f"#{name}": name for name in touched},
            "ExpressionAttributeValues": {
                **{f":new_{name}": value for name, value in sets.items()},
                **{f":old_{name}": before[name] for name in touched if name in before},
            },
        }
    }


def _replace(table: str, before: dict[str, Value], after: dict[str, Value]) -> Write:
    """The whole row, on the condition that all of it still is as it was."""
    names = [name for name in before if name not in {"account", "sk"}]
    return {
        "Put": {
            "TableName": table,
            "Item": after,
            "ConditionExpression": " AND ".join(["attribute_exists(sk)", *(_as_it_was(n, before) for n in names)]),
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": {f":old_{name}": before[name] for name in names},
        }
    }


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"#{name}" for name in names)


def _as_it_was(name: str, before: dict[str, Value]) -> str:
    if name not in before:
        return f"attribute_not_exists(#{name})"
    if before[name] in _DEFAULTS:  # rows of older versions lack it
        return f"(#{name} = :old_{name} OR attribute_not_exists(#{name}))"
    return f"#{name} = :old_{name}"


def _reasons(error: ClientError) -> list[str | None]:
    return [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]


def _entry_row(entry: Entry) -> dict[str, Value]:
    sort_key = keys.audit(entry.at, secrets.token_hex(4))
    facts = {"who": entry.who, "did": entry.did, "of": entry.account, "what": entry.what}
    return thin({**key(keys.AUDIT, sort_key), **{name: text(value) for name, value in facts.items()}})


def _entry_of(row: Row) -> Entry:
    return Entry(
        at=keys.audit_at(row["sk"]["S"]),
        who=text_of(row, "who"),
        did=text_of(row, "did"),
        account=text_of(row, "of"),
        what=text_of(row, "what"),
    )
