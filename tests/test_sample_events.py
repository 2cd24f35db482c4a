"""events/ and env.json say what AWS says: checked with AWS's own models of its events, and with the local gateway's."""

import base64
import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser import models
from pydantic import BaseModel

from local_cloud.http_event import HttpRequest, Matched, http_event
from local_cloud.socket_event import Client, Event
from local_cloud.topology import SocketApi
from tests import sample_events
from tests.template import TEMPLATE, load, resources

_MODEL: dict[str, type[BaseModel]] = {
    "sms_api": models.APIGatewayProxyEventV2Model,
    "push": models.SqsModel,
    "sweep": models.EventBridgeModel,
    "agent_socket": models.APIGatewayWebSocketMessageEventModel,
    "agent_socket/connect": models.APIGatewayWebSocketConnectEventModel,
    "agent_socket/enrol": models.APIGatewayWebSocketConnectEventModel,
    "agent_socket/disconnect": models.APIGatewayWebSocketDisconnectEventModel,
}
_GATEWAY = Event(SocketApi(api_id="f6g7h8i9j0", stage="live", selection="", routes={}))


@pytest.mark.parametrize("name", [each for each in sample_events.names() if not each.startswith("agent_auth/")])
def test_a_sample_is_what_awss_own_model_of_the_event_takes(name: str) -> None:
    model = _MODEL.get(name) or _MODEL[name.partition("/")[0]]
    model.model_validate(sample_events.sample(name))


@pytest.mark.parametrize("name", sample_events.names("sms_api"))
def test_the_local_gateway_makes_the_same_event_of_the_same_call(name: str) -> None:
    sample = sample_events.sample(name)
    body = _bytes(sample)
    http = sample["requestContext"]["http"]
    request = HttpRequest(http["method"], http["path"], "", sample["headers"].items(), body, http["sourceIp"])
    made = http_event(request, Matched("a1b2c3d4e5", "$default", "$default"), "JKJaXmPLvHcESH1=", 1750000000)
    assert made == sample


@pytest.mark.parametrize("kind", ["connect", "disconnect", "heartbeat"])
def test_the_local_gateways_socket_events_have_the_keys_that_the_samples_have(kind: str) -> None:
    sample = sample_events.sample(f"agent_socket/{kind}")
    client = Client("KZQ7ndV6oAMCJVg=", "host", "203.0.113.9", [("Authorization", "x")], "", 1750000000, {"agent": "a"})
    made: dict[str, dict[str, Any]] = {
        "connect": _GATEWAY.connect(client, 0),
        "disconnect": _GATEWAY.disconnect(client, 1001, "Going away", 0),
        "heartbeat": _GATEWAY.message(client, "$default", "{}", 0),
    }
    assert made[kind].keys() == sample.keys()
    assert made[kind]["requestContext"].keys() == sample["requestContext"].keys()


@pytest.mark.parametrize("name", [*sample_events.names("agent_auth"), "agent_socket/connect", "agent_socket/enrol"])
def test_the_local_gateway_makes_the_same_events_of_the_same_handshake(name: str) -> None:
    sample = sample_events.sample(name)
    context = sample["requestContext"]
    domain, address, headers = context["domainName"], context["identity"]["sourceIp"], list(sample["headers"].items())
    client = Client(context["connectionId"], domain, address, headers, "", 1750000000, context.get("authorizer", {}))
    make = _GATEWAY.connect if "authorizer" in context else _GATEWAY.authorize
    made: dict[str, Any] = make(client, context["requestTimeEpoch"] / 1000)
    made["requestContext"] |= {key: context[key] for key in ("requestId", "extendedRequestId")}  # made up each time
    assert made == sample


@pytest.mark.parametrize("name", sample_events.names("agent_auth"))
def test_an_authorizers_sample_has_what_aws_shows_of_such_an_event(name: str) -> None:
    """Where it has no query: developerguide/apigateway-websocket-api-lambda-auth.html. There is no model of it."""
    sample = sample_events.sample(name)
    assert sample.keys() == {"type", "methodArn", "headers", "multiValueHeaders", "stageVariables", "requestContext"}
    connect = sample_events.sample("agent_socket/connect")
    assert sample["requestContext"].keys() == connect["requestContext"].keys() - {"authorizer"}


def test_every_function_has_samples() -> None:
    assert {name.partition("/")[0] for name in sample_events.names()} == set(sample_events.FUNCTIONS)
    assert set(sample_events.FUNCTIONS.values()) == set(resources("AWS::Serverless::Function"))


def test_env_json_sets_only_what_the_template_declares() -> None:
    """`sam local` passes nothing else on."""
    declared = load()["Globals"]["Function"]["Environment"]["Variables"]
    values = json.loads((TEMPLATE.parent / "env.json").read_text())["Parameters"]
    assert values.keys() <= declared.keys()
    # What the template computes from other resources is not known to `sam local`, so env.json has to say it.
    assert {
        name for name, value in declared.items() if isinstance(value, dict) and _is_resource(value)
    } <= values.keys()


def _is_resource(value: dict[str, Any]) -> bool:
    text = json.dumps(value)
    return any(f'"{name}"' in text or f"${{{name}}}" in text for name in load()["Resources"])


def _bytes(sample: dict[str, Any]) -> bytes:
    body = sample.get("body", "")
    return base64.b64decode(body) if sample["isBase64Encoded"] else body.encode()
