"""How faults of a service become `Unavailable`, `Gone`, or stay what they are."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.stub import Stubber

from shared.aws.agent_link import GatewayLink
from shared.aws.alerts import TopicAlerts
from shared.aws.clients import Clients, unavailable
from shared.ports import Gone, Unavailable
from shared.usecases.send import LOOK_S, MODE1_WAIT_S, POSTS_S
from shared.wire import Ack, decode_from_cloud
from tests.template import load


def fault(code: str, status: int = 400) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "PutItem")


@pytest.mark.parametrize(
    "error",
    [
        fault("ProvisionedThroughputExceededException"),
        fault("ThrottlingException"),
        fault("TransactionConflictException"),
        fault("InternalServerError", 500),
        fault("Anything", 503),
        ReadTimeoutError(endpoint_url="https://x"),
        ConnectTimeoutError(endpoint_url="https://x"),
    ],
)
def test_what_may_work_later_is_unavailable(error: Exception) -> None:
    with pytest.raises(Unavailable), unavailable():
        raise error


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"])
def test_what_is_our_own_fault_is_not_hidden(code: str) -> None:
    with pytest.raises(ClientError), unavailable():
        raise fault(code)


def worst(client: Any) -> float:
    """Seconds until it gives up when nobody ever answers; botocore's standard mode waits up to 1, 2, 4 … between."""
    config = client.meta.config
    attempts = config.retries["total_max_attempts"]
    return attempts * (config.connect_timeout + config.read_timeout) + sum(2.0**n for n in range(attempts - 1))


def test_a_call_ends_before_the_function_does_though_aws_stops_answering(clients: Clients, gateway: Any) -> None:
    """A password is hashed and one answer lost before the message is stored; then all looks hang, or all posts."""
    before = 1.0 + clients.dynamodb().meta.config.read_timeout + 1.0
    patience = load()["Globals"]["Function"]["Timeout"]
    assert worst(clients.hasty_dynamodb()) <= LOOK_S
    assert before + MODE1_WAIT_S + LOOK_S < patience
    assert before + POSTS_S + worst(gateway) < patience


@pytest.fixture
def gateway(clients: Clients) -> Any:
    return clients.connections("https://abc.execute-api.eu-central-1.amazonaws.com/live")


def test_a_frame_is_posted_as_the_agent_reads_it(gateway: Any) -> None:
    frame = Ack(event_ids=("e1",))
    with Stubber(gateway) as stub:
        stub.add_response(
            "post_to_connection", {}, {"ConnectionId": "c1", "Data": b'{"v":1,"kind":"ack","event_ids":["e1"]}'}
        )
        GatewayLink(gateway).post("c1", frame)
    assert decode_from_cloud('{"v":1,"kind":"ack","event_ids":["e1"]}') == frame


@pytest.mark.parametrize(
    ("code", "status", "raises"),
    [
        ("GoneException", 410, Gone),
        ("ForbiddenException", 403, ClientError),
        ("AccessDeniedException", 403, ClientError),
        ("403", 403, ClientError),
        ("LimitExceededException", 429, Unavailable),
        ("InternalServerError", 500, Unavailable),
        ("PayloadTooLargeException", 413, ClientError),
    ],
)
def test_posting_to_a_connection_that_ended_is_told_apart_from_trouble(
    gateway: Any, code: str, status: int, raises: type[Exception]
) -> None:
    with Stubber(gateway) as stub:
        stub.add_client_error("post_to_connection", code, http_status_code=status)
        with pytest.raises(raises):
            GatewayLink(gateway).post("c1", Ack(event_ids=()))


def test_closing_what_is_closed_is_no_error(gateway: Any) -> None:
    with Stubber(gateway) as stub:
        stub.add_client_error("delete_connection", "GoneException", http_status_code=410)
        GatewayLink(gateway).close("c1")


def test_a_right_to_close_that_is_missing_is_not_taken_for_a_closed_connection(gateway: Any) -> None:
    with Stubber(gateway) as stub:
        stub.add_client_error("delete_connection", "ForbiddenException", http_status_code=403)
        with pytest.raises(ClientError):
            GatewayLink(gateway).close("c1")


def test_an_alert_fits_what_the_topic_takes(clients: Clients) -> None:
    sns = clients.sns()
    with Stubber(sns) as stub:
        stub.add_response(
            "publish", {}, {"TopicArn": "arn:t", "Subject": "site M?nchen offline " + "x" * 79, "Message": "gone"}
        )
        TopicAlerts(sns, "arn:t").tell("site München offline\n" + "x" * 200, "gone")
