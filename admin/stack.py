"""A stack as the operator's commands see it: what it is made of, behind the ports of the use cases.

A deployed one is found by its CloudFormation outputs, wherever the AWS environment points. One of `make run` says in a
file of its state folder where that is.
"""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from shared.aws.account_table import AccountTable
from shared.aws.agent_link import GatewayLink
from shared.aws.audited_table import AuditedTable
from shared.aws.clients import Clients, unavailable
from shared.aws.clock import SystemClock
from shared.aws.outbox_table import OutboxTable
from shared.aws.push_log import DynamoPushLog
from shared.aws.push_queue import SqsPushQueue
from shared.aws.tally_table import TallyTable
from shared.usecases.administration import Desk
from shared.usecases.manage_pushes import PushDesk

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

_PATIENCE = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard"})


class NoStack(Exception):
    """The stack cannot be looked at; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which stack is meant. `local` is the state folder of a `make run`."""

    stack: str
    region: str = ""
    profile: str = ""
    local: Path | None = None


class Stack:
    def __init__(self, where: Where) -> None:
        """Points this process's AWS environment at the stack: that is where botocore looks."""
        self._where = where
        os.environ.update(_environment(where))
        self._outputs, self._parameters = _described(where.stack)
        self._clients = Clients()
        self.clock = SystemClock()

    @property
    def agent_url(self) -> str:
        return self._output("AgentUrl")

    @property
    def retention_s(self) -> float:
        return 86_400.0 * int(self._parameters.get("RetentionDays", "90"))

    @cached_property
    def desk(self) -> Desk:
        return Desk(
            accounts=self.accounts,
            store=AuditedTable(self._dynamodb, self._output("ConfigTable")),
            outbox=OutboxTable(
                self._dynamodb, self._output("OutboxTable"), retention_days=int(self.retention_s / 86_400)
            ),
            link=GatewayLink(self._clients.connections(self._output("ConnectionsUrl"))),
            pushes=self.push_queue,
            tallies=TallyTable(self._dynamodb, self._output("ConfigTable")),
            clock=self.clock,
            who=self._who(),
        )

    @cached_property
    def accounts(self) -> AccountTable:
        return AccountTable(self._dynamodb, self._output("ConfigTable"), self.clock)

    @cached_property
    def push_queue(self) -> SqsPushQueue:
        return SqsPushQueue(self._sqs, self._output("PushQueueUrl"), self._output("PushDeadQueueUrl"))

    @cached_property
    def push_desk(self) -> PushDesk:
        log = DynamoPushLog(self._dynamodb, self._output("PushesTable"), self.clock)
        return PushDesk(accounts=self.accounts, log=log, queue=self.push_queue, clock=self.clock)

    def depths(self) -> Mapping[str, int]:
        """About how many records each queue holds, hidden ones included."""
        return {name: self._depth(self._output(output)) for name, output in _QUEUES.items()}

    def _depth(self, url: str) -> int:
        with unavailable():
            told = self._sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            )["Attributes"]
        return int(told["ApproximateNumberOfMessages"]) + int(told["ApproximateNumberOfMessagesNotVisible"])

    def _who(self) -> str:
        """By the credentials in use; a local stack has none that say anything."""
        if self._where.local is not None:
            return f"{getpass.getuser()} on this machine"
        client: Any = Session().create_client("sts", config=_PATIENCE)  # no stubs for this one call
        with unavailable():
            return str(client.get_caller_identity()["Arn"])

    def _output(self, name: str) -> str:
        try:
            return self._outputs[name]
        except KeyError:
            raise NoStack(f"stack {self._where.stack} has no output {name}; is it a Spanbridge stack?") from None

    @cached_property
    def _dynamodb(self) -> DynamoDBClient:
        return self._clients.dynamodb()

    @cached_property
    def _sqs(self) -> SQSClient:
        return self._clients.sqs()


_QUEUES = {"pushes_waiting": "PushQueueUrl", "pushes_given_up": "PushDeadQueueUrl"}


def _environment(where: Where) -> Mapping[str, str]:
    if where.local is None:
        told = {"AWS_PROFILE": where.profile, "AWS_REGION": where.region, "AWS_DEFAULT_REGION": where.region}
        return {name: value for name, value in told.items() if value}
    try:
        environment: dict[str, str] = json.loads((where.local / "operator.json").read_text())
    except (OSError, ValueError):
        raise NoStack(f"nothing runs in {where.local}; start it with `make run`, or name its --state-dir") from None
    return environment


def _described(stack: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Outputs and parameters."""
    try:
        client = cast("CloudFormationClient", Session().create_client("cloudformation", config=_PATIENCE))
        (described,) = client.describe_stacks(StackName=stack)["Stacks"]
    except (BotoCoreError, ClientError, ValueError) as error:
        why = str(error).removesuffix(".")
        raise NoStack(f"cannot look at stack {stack}: {why}; see --stack, --region, --profile and --local") from error
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
    return outputs, {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}
