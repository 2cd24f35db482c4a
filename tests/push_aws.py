"""The Pushes table and both queues in moto, with the properties that template.yaml gives them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from shared.aws.clients import Clients
from shared.aws.push_log import DynamoPushLog
from shared.aws.push_queue import SqsPushQueue
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@dataclass
class PushAws:
    """What tests of the push need of AWS."""

    clients: Clients
    queue_url: str
    dead_url: str
    table: str
    clock: FakeClock

    def queue(self) -> SqsPushQueue:
        return SqsPushQueue(self.sqs, self.queue_url, self.dead_url)

    def log(self) -> DynamoPushLog:
        return DynamoPushLog(self.clients.dynamodb(), self.table, self.clock)

    @property
    def sqs(self) -> "SQSClient":
        return self.clients.sqs()

    def take(self, url: str = "", count: int = 10) -> "list[MessageTypeDef]":
        """As a Lambda event source does."""
        answer = self.sqs.receive_message(
            QueueUrl=url or self.queue_url,
            MaxNumberOfMessages=count,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))


@contextmanager
def push_aws(monkeypatch: pytest.MonkeyPatch, visibility: int = 360) -> Iterator[PushAws]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        clients = Clients(region="eu-central-1")
        attributes = {"VisibilityTimeout": str(visibility), "MessageRetentionPeriod": "345600"}
        urls = [clients.sqs().create_queue(QueueName=name, Attributes=attributes)["QueueUrl"] for name in ("q", "dead")]
        clients.dynamodb().create_table(
            TableName="pushes",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "account", "AttributeType": "S"},
                {"AttributeName": "event_id", "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": "account", "KeyType": "HASH"},
                {"AttributeName": "event_id", "KeyType": "RANGE"},
            ],
        )
        yield PushAws(clients, urls[0], urls[1], "pushes", FakeClock())
