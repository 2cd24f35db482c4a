"""The tables of template.yaml in moto, in this process."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from shared.aws.clients import Clients
from tests.strict_tables import be_strict
from tests.template import table_request

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    be_strict(monkeypatch)
    with mock_aws():
        yield Clients(region="eu-central-1")


@pytest.fixture
def dynamodb(clients: Clients) -> "DynamoDBClient":
    client = clients.dynamodb()
    for table in ("Outbox", "Inbox", "Config", "Pushes"):
        client.create_table(**table_request(table))
    return client
