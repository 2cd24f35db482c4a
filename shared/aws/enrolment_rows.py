"""Enrolment in rows AGENT# of the Config table: a code is traded once, and a double is remembered.

Rule: one conditional write each, so that of two machines with one code only one gets in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.aws import keys
from shared.aws.account_rows import key
from shared.aws.items import flag, number, text
from shared.aws.writing import update_if

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_OPEN = "code = :code AND code_until >= :at AND attribute_not_exists(code_traded_at)"


class EnrolmentRows:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client, self._table = client, table

    def trade(self, account: str, agent_id: str, *, code: str, credential: str, at: float) -> bool:
        row = update_if(
            self._client,
            {
                "TableName": self._table,
                "Key": key(account, keys.agent(agent_id)),
                "UpdateExpression": "SET credential = :credential, revoked = :no, code_traded_at = :at "
                "REMOVE doubled_at",
                "ConditionExpression": _OPEN,
                "ExpressionAttributeValues": {
                    ":code": text(code),
                    ":credential": text(credential),
                    ":no": flag(False),
                    ":at": number(at),
                },
            },
        )
        return row is not None

    def note_double(self, account: str, agent_id: str, *, at: float) -> None:
        update_if(
            self._client,
            {
                "TableName": self._table,
                "Key": key(account, keys.agent(agent_id)),
                "UpdateExpression": "SET doubled_at = :at",
                "ConditionExpression": "attribute_exists(sk)",
                "ExpressionAttributeValues": {":at": number(at)},
            },
        )
