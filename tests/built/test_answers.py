"""Each built function gives the right answer to a sample of every kind of event."""

import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from local_cloud import sam_local
from local_cloud.seed import ACCOUNT, AGENT
from tests import sample_events
from tests.built.conftest import Functions, World

Ask = Callable[..., Any]
SPAN = "imei:490154203237518"
JOB = "01JXSAMPLE0000000000000001"


@pytest.fixture(scope="module", autouse=True)
def site(ask: Ask, world: World) -> None:
    """The site of the samples has said hello."""
    assert ask("agent_socket/hello") == {"statusCode": 200}


@pytest.fixture(autouse=True)
def fresh(world: World) -> Iterator[None]:
    world.receiver_says = 200
    world.posted.clear()
    world.pushed.clear()
    yield


def body(answer: dict[str, Any]) -> tuple[int, int, Any]:
    envelope = json.loads(answer["body"])
    assert envelope.keys() >= {"uri", "code", "msg", "data"}
    return answer["statusCode"], envelope["code"], envelope["data"]


def test_a_span_is_listed(ask: Ask) -> None:
    status, code, data = body(ask("sms_api/get_valid_spans"))
    assert (status, code) == (200, 0)
    assert [(row["port"], row["port_name"], row["status"]) for row in data] == [(1, "lte-1.1", 1)]


def test_a_message_is_accepted_posted_to_its_site_and_listed(ask: Ask, world: World) -> None:
    status, code, [row] = body(ask("sms_api/send"))
    assert (status, code, row["status"], row["phonenumber"]) == (200, 0, "SENDING", "+15550100")
    [frame] = world.posted
    assert (frame["kind"], frame["jobs"][0]["id"], frame["jobs"][0]["text"]) == (
        "jobs",
        row["id"],
        "Hello from Spanbridge",
    )
    status, code, listed = body(ask("sms_api/smsoutbox_get"))
    assert (status, code) == (200, 0)
    assert row["id"] in [each["id"] for each in listed]


def test_a_form_in_base64_is_read(ask: Ask, world: World) -> None:
    status, code, [row] = body(ask("sms_api/send_form"))
    assert (status, code, row["phonenumber"], row["parts"]) == (200, 0, "+15550100", 1)
    assert world.posted == []


def test_settings_are_shown_and_changed(ask: Ask, world: World) -> None:
    status, code, [settings] = body(ask("sms_api/get_config"))
    assert (status, code, settings["url_host"]) == (200, 0, "127.0.0.1")
    status, code, [settings] = body(ask("sms_api/set_config"))
    assert (status, code, settings["url_host"]) == (200, 0, "example.com")
    world.point_pushes_here()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("wrong_password", 401), ("unknown_path", 404), ("not_a_post", 404)],
)
def test_what_cannot_be_answered_is_refused_in_the_envelope(ask: Ask, name: str, expected: int) -> None:
    answer = ask(f"sms_api/{name}")
    status, code, data = body(answer)
    assert (status, data) == (expected, [])
    assert code != 0


def test_an_agent_is_let_in_as_who_it_is(ask: Ask) -> None:
    answer = ask("agent_auth/known_agent")
    assert answer["context"] == {"account": ACCOUNT, "agent": AGENT}
    [statement] = answer["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    assert statement["Resource"] == sample_events.sample("agent_auth/known_agent")["methodArn"]


def test_a_wrong_secret_fails_with_the_word_that_the_gateway_knows(ask: Ask) -> None:
    with pytest.raises(RuntimeError, match="Unauthorized"):
        ask("agent_auth/wrong_secret")


def test_a_site_trades_its_one_time_code_for_a_credential_once(ask: Ask, world: World) -> None:
    identity = ask("agent_auth/one_time_code")["context"]
    assert identity == {"account": ACCOUNT, "agent": "site-2", "code": sam_local.SAMPLE_CODE.digest}
    assert ask("agent_socket/enrol") == {"statusCode": 200}
    digest = sample_events.sample("agent_socket/enrol")["headers"]["Spanbridge-Credential-Digest"]
    agent = world.accounts.agent(ACCOUNT, "site-2")
    assert agent is not None and agent.credential == digest


def test_hello_is_answered_with_the_port_numbers(ask: Ask, world: World) -> None:
    assert ask("agent_socket/connect") == {"statusCode": 200}
    assert ask("agent_socket/hello") == {"statusCode": 200}
    welcome = world.posted[0]
    assert (welcome["kind"], welcome["ports"], welcome["heartbeat_s"]) == ("welcome", {SPAN: 1}, 240)


@pytest.mark.parametrize("name", ["heartbeat", "accepted"])
def test_a_frame_that_wants_no_answer_gets_none(ask: Ask, world: World, name: str) -> None:
    assert ask(f"agent_socket/{name}") == {"statusCode": 200}
    assert [frame for frame in world.posted if frame["kind"] == "refused"] == []


def test_a_span_that_went_away_is_listed_with_its_reason_and_comes_back(ask: Ask) -> None:
    ask("agent_socket/spans")
    accounts = ask("sms_api/get_valid_spans")
    ask("agent_socket/hello")  # tells all spans anew
    # A warm function remembers the account for seconds, so either is right here; the stored word is not.
    assert body(accounts)[0] == 200


@pytest.mark.parametrize(("name", "event_id"), [("result", "e-1"), ("report", "e-2"), ("received", "e-3")])
def test_events_are_acknowledged_once_they_are_stored(ask: Ask, world: World, name: str, event_id: str) -> None:
    assert ask(f"agent_socket/{name}") == {"statusCode": 200}
    assert {"v": 1, "kind": "ack", "event_ids": [event_id]} in world.posted


def test_a_received_message_is_in_the_inbox(ask: Ask) -> None:
    ask("agent_socket/received")
    status, code, data = body(ask("sms_api/smsinbox_get"))
    assert (status, code) == (200, 0)
    assert [(row["phonenumber"], row["message"], row["port"]) for row in data] == [("+15550123", "Answer", 1)]


@pytest.mark.parametrize(("name", "code"), [("unknown_kind", "unknown_kind"), ("not_json", "bad_frame")])
def test_a_frame_that_cannot_be_read_is_answered(ask: Ask, world: World, name: str, code: str) -> None:
    assert ask(f"agent_socket/{name}") == {"statusCode": 200}
    assert [frame["code"] for frame in world.posted if frame["kind"] == "refused"] == [code]


def test_a_disconnect_is_noted(ask: Ask, world: World) -> None:
    assert ask("agent_socket/disconnect") == {"statusCode": 200}
    agent = world.accounts.agent(ACCOUNT, AGENT)
    assert agent is not None and agent.connection == ""
    ask("agent_socket/hello")


def queued(world: World, name: str) -> dict[str, Any]:
    """A sample whose records really lie in the queue, and are under way."""
    sqs: Any = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1").client(
        "sqs", endpoint_url=f"http://{world.moto}"
    )
    url = f"http://{world.moto}/123456789012/PushQueue"
    while earlier := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for each in earlier:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    event = sample_events.sample(name)
    for record in event["Records"]:
        sqs.send_message(QueueUrl=url, MessageBody=record["body"], MessageGroupId=ACCOUNT)
        [taken] = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
        record |= {"messageId": taken["MessageId"], "receiptHandle": taken["ReceiptHandle"], "body": taken["Body"]}
        record["attributes"] |= taken["Attributes"]
        record["md5OfBody"] = hashlib.md5(record["body"].encode()).hexdigest()
    return event


def test_pushes_that_were_taken_leave_the_queue(functions: Functions, world: World) -> None:
    assert functions.ask("Push", queued(world, "push/one")) == {"batchItemFailures": []}
    assert [request.query["type"] for request in world.pushed] == ["SMS-Status-Result"]
    assert world.pushed[0].headers["webhook-id"] == f"{JOB}-result-sent"


def test_a_batch_is_pushed_without_what_was_told_before(functions: Functions, world: World) -> None:
    """The first of the batch is the one of the test before."""
    functions.ask("Push", queued(world, "push/one"))
    world.pushed.clear()
    assert functions.ask("Push", queued(world, "push/batch")) == {"batchItemFailures": []}
    assert sorted(request.query["type"] for request in world.pushed) == ["SMS-Received", "SMS-Status-Report"]


def test_a_push_that_was_not_taken_stays(functions: Functions, world: World) -> None:
    world.receiver_says = 503
    event = queued(world, "push/one")
    [record] = event["Records"]
    other = json.loads(record["body"]) | {"message_id": "01JXSAMPLE0000000000000009"}
    record["body"] = json.dumps(other)
    assert functions.ask("Push", event) == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}


def test_what_is_no_event_is_buried(functions: Functions, world: World) -> None:
    assert functions.ask("Push", queued(world, "push/not_an_event")) == {"batchItemFailures": []}
    assert world.pushed == []


def test_the_sweeper_runs_and_tells_its_metrics(ask: Ask, functions: Functions) -> None:
    assert ask("sweep/every_minute") is None
    metrics = [line for line in functions.lines("Sweep") if "_aws" in line]
    [directive] = metrics[0]["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Spanbridge"
    assert directive["Dimensions"] == [["service"]]
    assert {each["Name"] for each in directive["Metrics"]} >= {"Waiting", "OldestWaitingAge", "SitesGoneOffline"}


def test_every_sample_was_asked() -> None:
    """A new sample needs a test of its own."""
    text = inspect.getsource(sys.modules[__name__])
    unasked = [
        name
        for name in sample_events.names()
        if not any(f'"{part}"' in text for part in (name, name.partition("/")[2]))
    ]
    assert unasked == []


def test_logs_are_json_with_request_and_message_ids_and_without_text_and_numbers(
    functions: Functions, ask: Ask, world: World
) -> None:
    _, _, [row] = body(ask("sms_api/send"))
    answered = [line for line in functions.lines("SmsApi") if line.get("message") == "call answered"]
    assert answered and all(line["reference"] and line["requestId"] for line in answered)
    assert answered[-1]["message_ids"] == [row["id"]]
    functions.ask("Push", queued(world, "push/one"))
    pushed = [line for line in functions.lines("Push") if line.get("message") == "push taken"]
    assert pushed and all(line["requestId"] and line["state"] for line in pushed)
    assert pushed[-1]["message_id"] == JOB
    for function in ("SmsApi", "AgentSocket", "Push", "Sweep", "AgentAuth"):
        text = functions.log(function)
        assert "Hello from Spanbridge" not in text
        assert "15550100" not in text and "15550123" not in text
        assert "demo-local" not in text and "only-a-sample-secret" not in text
