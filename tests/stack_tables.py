"""The tables of template.yaml in moto, and the environment that functions get: to run a handler in process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from moto import mock_aws

from shared.aws import wiring
from shared.aws.clients import Clients
from tests.strict_tables import be_strict

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLES = ("Outbox", "Inbox", "Config", "Pushes")
ENVIRONMENT = {
    **{f"{name.upper()}_TABLE": name for name in TABLES},
    "PUSH_QUEUE_URL": "https://q",
    "PUSH_DEAD_QUEUE_URL": "https://d",
    "ALERTS_TOPIC_ARN": "arn:t",
    "CONNECTIONS_URL": "https://abc123.execute-api.eu-central-1.amazonaws.com/live",
    "POWERTOOLS_SERVICE_NAME": "spanbridge",
    "POWERTOOLS_METRICS_NAMESPACE": "Spanbridge",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-central-1",
}
_KEPT = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


class _Template(yaml.SafeLoader):
    """Intrinsic functions are of no interest here."""


_Template.add_multi_constructor("!", lambda loader, suffix, node: None)


def create_tables(client: "DynamoDBClient") -> None:
    text = (Path(__file__).parent.parent / "template.yaml").read_text()
    resources: dict[str, Any] = yaml.load(text, Loader=_Template)["Resources"]
    for name in TABLES:
        properties = {key: value for key, value in resources[name]["Properties"].items() if key in _KEPT}
        client.create_table(TableName=name, **properties)


@contextmanager
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator["DynamoDBClient"]:
    """A region with our tables, and functions wired to it anew."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    be_strict(monkeypatch)
    with mock_aws():
        client = Clients().dynamodb()
        create_tables(client)
        _rewire()
        yield client
        _rewire()


def _rewire() -> None:
    for made_once in vars(wiring).values():
        if hasattr(made_once, "cache_clear"):
            made_once.cache_clear()
