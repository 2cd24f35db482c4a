"""Conditional writes: a condition that does not hold is an answer, not an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.aws.clients import code_of, unavailable
from shared.aws.items import Row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import PutItemInputTypeDef, UpdateItemInputTypeDef

REFUSED = "ConditionalCheckFailedException"


def put_if(client: DynamoDBClient, request: PutItemInputTypeDef) -> bool:
    """Whether the condition held."""
    try:
        with unavailable():
            client.put_item(**request)
    except ClientError as error:
        if code_of(error) != REFUSED:
            raise
        return False
    return True


def update_if(client: DynamoDBClient, request: UpdateItemInputTypeDef) -> Row | None:
    """What the request asked to be returned (empty if nothing); None when the condition did not hold."""
    try:
        with unavailable():
            return client.update_item(**request).get("Attributes", {})
    except ClientError as error:
        if code_of(error) != REFUSED:
            raise
        return None
