"""The push function on simulated AWS: real wiring, real sockets, a poller that does as Lambda's event source does."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from moto import mock_aws

from functions.push.app import SqsRecord, handler
from shared.aws import wiring
from shared.aws.clients import Clients
from shared.aws.push_log import DynamoPushLog
from shared.aws.push_queue import SqsPushQueue
from shared.message import Account
from shared.push_event import PushEvent, to_json
from shared.push_record import PushRecord, PushState
from tests.fakes import FakeClock
from tests.push_world import event
from tests.receivers import OK, Receiver, receiving, status

REGION = "eu-central-1"


def forget_wiring() -> None:
    for part in vars(wiring).values():
        if hasattr(part, "cache_clear"):
            part.cache_clear()


@dataclass
class Stage:
    """The function with its queue and tables; `poll` is one round of the event source."""

    clients: Clients
    queue_url: str
    dead_url: str
    answers: list[dict[str, object]] = field(default_factory=list)

    @property
    def queue(self) -> SqsPushQueue:
        return SqsPushQueue(self.clients.sqs(), self.queue_url, self.dead_url)

    def settle(self, account: str, receiver: Receiver, **settings: str | int) -> None:
        base: dict[str, str | int] = {"enable": 1, "url_host": "127.0.0.1", "url_port": str(receiver.port)}
        wiring.accounts().put_account(Account(name=account, credential="", timezone="Europe/Berlin"))
        wiring.accounts().save_push_settings(account, base | settings)

    def poll(self) -> list[str]:
        """Hands one batch to the function and deletes what is done; the ids that stay."""
        messages = self.clients.sqs().receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        records: list[SqsRecord] = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": dict(message["Attributes"]),  # type: ignore[arg-type]
                "messageAttributes": dict(message.get("MessageAttributes", {})),
            }
            for message in messages.get("Messages", [])
        ]
        kept = [failure["itemIdentifier"] for failure in handler({"Records": records}, None)["batchItemFailures"]]
        for record in records:
            if record["messageId"] not in kept:
                self.clients.sqs().delete_message(QueueUrl=self.queue_url, ReceiptHandle=record["receiptHandle"])
        return kept

    def poll_until(self, done: Callable[[], bool], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, "it did not happen in time"
            self.poll()
            time.sleep(0.05)

    def record(self, of: PushEvent) -> PushRecord | None:
        return DynamoPushLog(self.clients.dynamodb(), "pushes", FakeClock()).get(of.account, of.id)

    def dead(self) -> int:
        attributes = self.clients.sqs().get_queue_attributes(
            QueueUrl=self.dead_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


def table(clients: Clients, name: str, sort_key: str) -> None:
    clients.dynamodb().create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("account", sort_key)],
        KeySchema=[
            {"AttributeName": "account", "KeyType": "HASH"},
            {"AttributeName": sort_key, "KeyType": "RANGE"},
        ],
    )


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    environment = {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION, "OUTBOX_TABLE": "o",
        "INBOX_TABLE": "i", "CONFIG_TABLE": "config", "PUSHES_TABLE": "pushes", "ALERTS_TOPIC_ARN": "t",
        "CONNECTIONS_URL": "https://gateway.example", "ALLOW_LOOPBACK_PUSH": "true",
        "POWERTOOLS_METRICS_NAMESPACE": "Spanbridge", "POWERTOOLS_SERVICE_NAME": "spanbridge",
    }  # fmt: skip
    with mock_aws():
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        clients = Clients(region=REGION)
        urls = [clients.sqs().create_queue(QueueName=name)["QueueUrl"] for name in ("pushes", "dead")]
        monkeypatch.setenv("PUSH_QUEUE_URL", urls[0])
        monkeypatch.setenv("PUSH_DEAD_QUEUE_URL", urls[1])
        table(clients, "pushes", "event_id")
        table(clients, "config", "sk")
        forget_wiring()
        yield Stage(clients, *urls)
        forget_wiring()


def test_an_event_goes_from_the_queue_to_the_receiver_as_configured(stage: Stage) -> None:
    with receiving() as receiver:
        stage.settle("acme", receiver, url_path="/in", signing_secret="a-secret-of-sixteen")
        stage.queue.put([event()])
        assert stage.poll() == []
    head = receiver.requests[0].decode()
    assert head.startswith(
        "GET /in?phonenumber=%2B491701234567&port=1&portname=lte-1.1&message=Hello&time=2025-06-15%20"
    )
    assert f"Host: 127.0.0.1:{receiver.port}\r\n" in head
    assert "webhook-id: m1-result-sent\r\n" in head and "webhook-signature: v1," in head
    record = stage.record(event())
    assert record is not None and record.state is PushState.DELIVERED
    assert [(attempt.status, attempt.error) for attempt in record.attempts] == [(200, "")]


def test_a_bad_record_does_not_repeat_the_good_ones_of_its_batch(stage: Stage) -> None:
    with receiving() as good, receiving(status(500)) as bad:
        stage.settle("good", good)
        stage.settle("bad", bad)
        stage.queue.put([event("g1", account="good"), event("b1", account="bad"), event("g2", account="good")])
        stage.clients.sqs().send_message(QueueUrl=stage.queue_url, MessageBody="{}")
        assert len(stage.poll()) == 1
        assert stage.poll() == []  # the failed one is hidden, the rest is gone
        assert (good.accepted, bad.accepted, stage.dead()) == (2, 1, 1)


def test_a_receiver_that_fails_once_gets_the_event_again_under_the_same_id(stage: Stage) -> None:
    answers = [status(503, "Retry-After: 1\r\n"), OK]
    with receiving(lambda connection: answers.pop(0)(connection)) as receiver:
        stage.settle("acme", receiver)
        stage.queue.put([event()])
        started = time.monotonic()
        stage.poll_until(lambda: len(receiver.requests) == 2)
        assert time.monotonic() - started > 3.5  # five seconds, less the jitter
    ids = {line for request in receiver.requests for line in request.split(b"\r\n") if line.startswith(b"webhook-id")}
    assert len(ids) == 1


def test_an_event_that_is_put_twice_is_told_once(stage: Stage) -> None:
    with receiving() as receiver:
        stage.settle("acme", receiver)
        for _ in range(2):
            stage.queue.put([event()])
            stage.poll()
        assert receiver.accepted == 1


def test_without_the_local_parameter_no_push_reaches_this_machine(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOW_LOOPBACK_PUSH", "false")
    with receiving() as receiver:
        stage.settle("acme", receiver)
        stage.queue.put([event()])
        assert len(stage.poll()) == 1
        assert receiver.accepted == 0
    record = stage.record(event())
    assert record is not None and "not a public address (loopback)" in record.attempts[0].error


def test_a_text_that_sqs_itself_would_refuse_arrives(stage: Stage) -> None:
    odd = "\uffff\ufffe\x00\x01 ok"
    with receiving() as receiver:
        stage.settle("acme", receiver)
        strange = PushEvent(**{**{name: getattr(event(), name) for name in event().__slots__}, "text": odd})
        assert to_json(strange).isascii()
        stage.queue.put([strange])
        stage.poll()
        assert b"message=%EF%BF%BF%EF%BF%BE%00%01%20ok&" in receiver.requests[0]
