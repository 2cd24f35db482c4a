"""The only importer of boto3 here: clients for the AWS that moto plays on this machine."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boto3 import Session
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

REGION = "us-east-1"
ACCOUNT = "123456789012"
STACK = "spanbridge"

# moto takes any key; these say in a log or an environment that no real account is meant.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "local"}


def dynamodb(endpoint: str) -> DynamoDBClient:
    return _session().client("dynamodb", endpoint_url=endpoint)


def sqs(endpoint: str) -> SQSClient:
    from botocore.config import Config

    # A poll that was cut off must not be repeated behind our back: the messages of the first answer would then wait out
    # their visibility timeout.
    return _session().client("sqs", endpoint_url=endpoint, config=Config(retries={"total_max_attempts": 1}))


def cloudformation(endpoint: str) -> CloudFormationClient:
    return _session().client("cloudformation", endpoint_url=endpoint)


def lambda_(endpoint: str) -> Any:  # no stubs for this one client, used for one call
    return _session().client("lambda", endpoint_url=endpoint)


def prepare() -> None:
    """Imports and reads what the first clients need, so that this is done while moto is still starting."""
    nowhere = "http://127.0.0.1:9"  # nothing is sent
    for client in (cloudformation, lambda_, dynamodb):
        client(nowhere)


@cache
def _session() -> Session:
    # Imported here: boto3 costs a sixth of a second, and most commands of the local cloud need none of it.
    from boto3 import Session

    return Session(
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
