"""A deployed stack as the operator's commands see it: its outputs, and its tables behind the ports of the use cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from shared.aws.account_table import AccountTable
from shared.aws.clients import Clients
from shared.aws.clock import SystemClock
from shared.usecases.administration import Administration

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient


class NoStack(Exception):
    """The stack cannot be looked at; the text says why."""


def outputs(stack: str) -> dict[str, str]:
    """What template.yaml lists under Outputs. Region, credentials and endpoint are those of the AWS environment."""
    try:
        client = cast(
            "CloudFormationClient",
            Session().create_client("cloudformation", config=Config(retries={"mode": "standard"})),
        )
        (described,) = client.describe_stacks(StackName=stack)["Stacks"]
    except (BotoCoreError, ClientError, ValueError) as error:
        raise NoStack(f"cannot look at stack {stack}: {error}") from error
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def administration(stack: str) -> Administration:
    table = outputs(stack)["ConfigTable"]
    return Administration(AccountTable(Clients().dynamodb(), table, SystemClock()))
