from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from functions.sweep.app import handler
from shared.aws import wiring
from shared.aws.clients import Clients
from shared.lifecycle import State
from tests.samples import NOW, account, agent, message
from tests.stack_tables import stack

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator["SQSClient"]:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "spanbridge")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Spanbridge")
    with stack(monkeypatch):
        sqs, sns = Clients().sqs(), Clients().sns()
        monkeypatch.setenv("PUSH_QUEUE_URL", sqs.create_queue(QueueName="pushes")["QueueUrl"])
        monkeypatch.setenv("ALERTS_TOPIC_ARN", sns.create_topic(Name="alerts")["TopicArn"])
        yield sqs


def test_a_run_expires_tells_and_counts(sqs: "SQSClient", capsys: pytest.CaptureFixture[str]) -> None:
    ports = wiring.sessions()
    ports.accounts.put_account(account())
    ports.accounts.put_agent(agent())
    ports.accounts.connected("acme", "site-1", connection="c1", since=NOW, at=NOW)
    ports.outbox.add([message(accepted_at=NOW, deadline=NOW + 1)])
    event: dict[str, Any] = {}
    handler(event, None)
    assert ports.outbox.get("acme", ["m1"])[0].state is State.EXPIRED
    assert len(sqs.receive_message(QueueUrl=wiring.sessions().pushes._url)["Messages"]) == 1  # type: ignore[attr-defined]
    found = wiring.accounts().agent("acme", "site-1")
    assert found is not None and found.offline_told
    assert '"Expired":[1.0]' in capsys.readouterr().out
