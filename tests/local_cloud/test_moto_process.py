import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud import aws
from local_cloud.layout import CHECKOUT
from local_cloud.moto_process import Serialised
from local_cloud.process import start_own

_SIGNED_FOR_SQS = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/sqs/aws4_request, Signature=0"


class Service:
    """Carries out one request at a time, as long as the test holds it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.busy, self.go_on = threading.Event(), threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.asked.append(environ["PATH_INFO"])
        self.busy.set()
        assert self.go_on.wait(20)
        return [b"done"]


@pytest.fixture
def client() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    yield near, far
    near.close()
    far.close()


@pytest.mark.parametrize(("hangs_up", "asked"), [(True, ["/first"]), (False, ["/first", "/second"])])
def test_what_nobody_waits_for_any_more_is_not_carried_out(
    client: tuple[socket.socket, socket.socket], hangs_up: bool, asked: list[str]
) -> None:
    service, statuses = Service(), []
    serialised = Serialised(service)

    def ask(path: str, connection: socket.socket | None) -> threading.Thread:
        environ = {"PATH_INFO": path, "werkzeug.socket": connection}
        call = threading.Thread(target=lambda: serialised(environ, lambda status, *_: statuses.append(status)))
        call.start()
        return call

    first = ask("/first", None)
    assert service.busy.wait(20)
    second = ask("/second", client[1])
    if hangs_up:
        client[0].close()
    service.go_on.set()
    first.join(20)
    second.join(20)
    assert service.asked == asked
    assert statuses == (["503 Service Unavailable"] if hangs_up else [])


@pytest.fixture
def moto(tmp_path: Path) -> Iterator[str]:
    server = start_own("moto", "local_cloud.moto_process", [], tmp_path / "log", CHECKOUT)
    yield server.wait_ready(60)
    server.kill()


def test_a_poller_that_was_killed_takes_no_message_with_it(moto: str) -> None:
    sqs = aws.sqs(f"http://127.0.0.1:{moto}")
    queue = sqs.create_queue(QueueName="work")["QueueUrl"]
    body = json.dumps({"QueueUrl": queue, "WaitTimeSeconds": 20, "MaxNumberOfMessages": 10})
    killed = http.client.HTTPConnection("127.0.0.1", int(moto))
    headers = {"X-Amz-Target": "AmazonSQS.ReceiveMessage", "Content-Type": "application/x-amz-json-1.0"}
    killed.request("POST", "/", body, headers | {"Authorization": _SIGNED_FOR_SQS})
    sqs.get_queue_attributes(
        QueueUrl=queue
    )  # meanwhile the poll mostly begins; one that has not must take nothing either
    killed.close()
    for number in range(20):
        sqs.send_message(QueueUrl=queue, MessageBody=str(number))
        (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)["Messages"]
        assert message["Body"] == str(number)
