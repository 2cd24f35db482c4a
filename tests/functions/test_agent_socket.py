import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.agent_socket.app import handler
from shared.aws import wiring
from shared.aws.clients import Clients
from shared.lifecycle import State
from shared.wire import Events, ResultEvent, encode
from tests.agent_bench import greeting
from tests.samples import NOW, account, agent, message
from tests.stack_tables import stack


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with stack(monkeypatch):
        url = Clients().sqs().create_queue(QueueName="pushes")["QueueUrl"]
        monkeypatch.setenv("PUSH_QUEUE_URL", url)
        wiring.accounts().put_account(account())
        wiring.accounts().put_agent(agent())
        yield url


def event(route: str, body: str | None = None, *, connection: str = "c1", at: float = NOW) -> Any:
    context = {
        "routeKey": route,
        "connectionId": connection,
        "connectedAt": int(at * 1000),
        "authorizer": {"principalId": "acme.site-1", "account": "acme", "agent": "site-1"},
    }
    return {"requestContext": context} | ({} if body is None else {"body": body})


def test_an_agent_comes_says_hello_tells_a_result_and_goes(queue: str) -> None:
    ports = wiring.sessions()
    ports.outbox.add([message()])
    assert handler(event("$connect"), None) == {"statusCode": 200}
    found = wiring.accounts().agent("acme", "site-1")
    assert found is not None and found.connection == ""

    assert handler(event("$default", encode(greeting())), None) == {"statusCode": 200}
    found = wiring.accounts().agent("acme", "site-1")
    assert found is not None and (found.connection, found.connected_at) == ("c1", NOW)

    told = ResultEvent(event_id="e1", job_id="m1", outcome="sent", at=NOW + 1, span="imei:1", parts_sent=1)
    handler(event("$default", encode(Events(events=(told,)))), None)
    assert ports.outbox.get("acme", ["m1"])[0].state is State.SENT
    (push,) = Clients().sqs().receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(push["Body"])["message_id"] == "m1"

    handler(event("$disconnect"), None)
    found = wiring.accounts().agent("acme", "site-1")
    assert found is not None and found.connection == ""


def test_a_frame_without_a_body_is_answered_like_any_other_that_cannot_be_read(queue: str) -> None:
    assert handler(event("$default"), None) == {"statusCode": 200}
