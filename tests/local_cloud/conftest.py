"""One running stack of the small template, shared by the tests that need processes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local_cloud import aws
from local_cloud.cloud import CloudOptions
from local_cloud.layout import CHECKOUT
from local_cloud.stack import LocalStack

TEMPLATE = CHECKOUT / "tests" / "local_cloud" / "template.yaml"


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    options = CloudOptions(template=TEMPLATE, parameters={"Greeting": "good day"})
    with LocalStack(tmp_path_factory.mktemp("probe"), options, with_site=False) as stack:
        yield stack


@pytest.fixture
def notes(probe: LocalStack) -> Callable[[str], list[dict]]:
    """What functions have noted of one kind."""
    client = aws.dynamodb(probe.deployment.endpoint)
    table = probe.deployment.functions["Probe"].environment["TABLE"]

    def find(kind: str) -> list[dict]:
        query = {"KeyConditionExpression": "pk = :k", "ExpressionAttributeValues": {":k": {"S": kind}}}
        return [json.loads(item["row"]["S"]) for item in client.query(TableName=table, **query)["Items"]]

    return find


@pytest.fixture
def eventually() -> Callable[..., object]:
    """Waits for a condition to hold; its value."""

    def wait(condition: Callable[[], object], within: float = 20.0) -> object:
        deadline = time.monotonic() + within
        while not (found := condition()):
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)
        return found

    return wait


@pytest.fixture
def mark(tmp_path: Path) -> str:
    """A file by which a function remembers across processes that it was there."""
    return str(tmp_path / "mark")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "aws(source): the local cloud behaves here as this page of AWS says")
