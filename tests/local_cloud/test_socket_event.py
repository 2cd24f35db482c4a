"""What an authorizer's answer means, and how connections and messages look to functions."""

import pytest

from local_cloud.socket_event import Client, Event, missing_identity, verdict
from local_cloud.topology import SocketApi

ARN = "arn:aws:execute-api:us-east-1:123456789012:abc/live/$connect"
API = SocketApi(api_id="abc", stage="live", selection="$request.body.kind", routes={})


def _client(**changes):
    facts = {
        "connection_id": "id=",
        "domain": "h",
        "source_ip": "192.0.2.1",
        "headers": [("Authorization", "a"), ("X-Tag", "1"), ("X-Tag", "2")],
        "query": "q=1&q=2",
        "connected_at": 1000.0,
    }
    return Client(**(facts | changes))


def _policy(*statements):
    return {"principalId": "p", "policyDocument": {"Statement": list(statements)}}


def _statement(effect, resource=ARN, action="execute-api:Invoke"):
    return {"Effect": effect, "Resource": resource, "Action": action}


@pytest.mark.aws("IAM/latest/UserGuide/reference_policies_evaluation-logic.html")
@pytest.mark.parametrize(
    ("answer", "allowed"),
    [
        (_policy(_statement("Allow")), True),
        (_policy(_statement("Allow", "*")), True),
        (_policy(_statement("Allow", "arn:aws:execute-api:us-east-1:*:abc/live/*")), True),
        (_policy(_statement("Allow", ["arn:other", ARN], ["execute-api:*"])), True),
        (_policy(_statement("Allow"), _statement("Deny")), False),
        (_policy(_statement("Deny")), False),
        (_policy(_statement("Allow", "arn:aws:execute-api:us-east-1:123456789012:other/*")), False),
        (_policy(_statement("Allow", action="s3:GetObject")), False),
        (_policy(), False),
        ({}, False),
        (None, False),
    ],
)
def test_a_policy_is_read_as_iam_reads_it(answer, allowed):
    assert (verdict(answer, ARN) is not None) is allowed


@pytest.mark.aws("apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html")
def test_the_context_is_carried_as_texts_beside_the_principal():
    answer = _policy(_statement("Allow")) | {"context": {"text": "x", "number": 3, "flag": True}}
    carried = verdict(answer, ARN)
    assert carried == {"text": "x", "number": "3", "flag": "true", "principalId": "p", "integrationLatency": 1}


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html")
@pytest.mark.parametrize(
    ("sources", "missing"),
    [
        ([], False),
        (["route.request.header.authorization"], False),
        (["route.request.header.Other"], True),
        (["route.request.querystring.q"], False),
        (["route.request.querystring.other"], True),
        (["route.request.header.Authorization", "route.request.querystring.other"], True),
    ],
)
def test_every_identity_source_has_to_be_there(sources, missing):
    assert missing_identity(sources, _client()) is missing


def test_an_empty_header_is_no_identity():
    assert missing_identity(["route.request.header.Authorization"], _client(headers=[("Authorization", "")]))


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html")
def test_an_authorizer_is_asked_with_the_method_arn_and_all_that_the_client_sent():
    event = Event(API).authorize(_client(), 2000.0)
    assert (event["type"], event["methodArn"]) == ("REQUEST", ARN)
    assert event["headers"] == {"Authorization": "a", "X-Tag": "2"}
    assert event["multiValueHeaders"] == {"Authorization": ["a"], "X-Tag": ["1", "2"]}
    assert event["queryStringParameters"] == {"q": "2"}
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"]}


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html")
def test_a_message_bears_the_connection_and_the_authorizer_s_context():
    client = _client(authorizer={"principalId": "p"})
    event = Event(API).message(client, "$default", "{}", 2000.0)
    context = event["requestContext"]
    assert (event["body"], event["isBase64Encoded"]) == ("{}", False)
    assert context["connectionId"] == "id="
    assert (context["connectedAt"], context["requestTimeEpoch"]) == (1000000, 2000000)
    assert (context["eventType"], context["routeKey"]) == ("MESSAGE", "$default")
    assert context["authorizer"] == {"principalId": "p"}


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html")
def test_a_disconnect_tells_why():
    event = Event(API).disconnect(_client(), 1001, "Going away", 2000.0)
    context = event["requestContext"]
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (1001, "Going away")
    assert context["eventType"] == "DISCONNECT"
    assert "Authorization" not in event["headers"]
