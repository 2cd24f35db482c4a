"""WebSocket connections and messages as Lambda events, and what an authorizer answers. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
"""

from __future__ import annotations

import base64
import fnmatch
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from pydantic import JsonValue

from local_cloud.aws import ACCOUNT, REGION
from local_cloud.http_event import clf_time
from local_cloud.intrinsics import JsonObject
from local_cloud.topology import SocketApi, as_list, as_object

Pairs = Sequence[tuple[str, str]]


@dataclass
class Client:
    """Who is at the other end, as long as the connection lives."""

    connection_id: str
    domain: str
    source_ip: str
    headers: Pairs
    query: str
    connected_at: float
    authorizer: JsonObject = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """Turns what happens on a connection into events of one API."""

    api: SocketApi

    def authorize(self, client: Client, now: float) -> JsonObject:
        arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.api.api_id}/{self.api.stage}/$connect"
        return {"type": "REQUEST", "methodArn": arn, "stageVariables": {}, **self._asked(client, now)}

    def connect(self, client: Client, now: float) -> JsonObject:
        return {**self._asked(client, now), "isBase64Encoded": False}

    def _asked(self, client: Client, now: float) -> JsonObject:
        """What the handshake said, for the authorizer and then for `$connect`."""
        event = {**_headers(client.headers), "requestContext": self._context(client, "$connect", "CONNECT", now)}
        if client.query:
            pairs = parse_qsl(client.query, keep_blank_values=True)
            event["queryStringParameters"] = dict(pairs)
            event["multiValueQueryStringParameters"] = _gathered(pairs)
        return event

    def message(self, client: Client, route: str, body: str | bytes, now: float) -> JsonObject:
        context = self._context(client, route, "MESSAGE", now) | {"messageId": _connection_like_id()}
        binary = isinstance(body, bytes)
        text = base64.b64encode(body).decode() if isinstance(body, bytes) else body
        return {"requestContext": context, "body": text, "isBase64Encoded": binary}

    def disconnect(self, client: Client, code: int, reason: str, now: float) -> JsonObject:
        context = self._context(client, "$disconnect", "DISCONNECT", now)
        context |= {"disconnectStatusCode": code, "disconnectReason": reason}
        # Only these headers are left by then; what the client sent at first is not repeated.
        headers = _headers([("Host", client.domain), ("x-api-key", ""), ("X-Forwarded-For", ""), ("x-restapi", "")])
        return {**headers, "requestContext": context, "isBase64Encoded": False}

    def _context(self, client: Client, route: str, kind: str, now: float) -> JsonObject:
        request_id = _connection_like_id()
        context: JsonObject = {
            "routeKey": route,
            "eventType": kind,
            "messageDirection": "IN",
            "connectionId": client.connection_id,
            "connectedAt": int(client.connected_at * 1000),
            "requestId": request_id,
            "extendedRequestId": request_id,
            "requestTime": clf_time(now),
            "requestTimeEpoch": int(now * 1000),
            "apiId": self.api.api_id,
            "stage": self.api.stage,
            "domainName": client.domain,
            "identity": _identity(client),
        }
        return context | ({"authorizer": dict(client.authorizer)} if client.authorizer else {})


def _identity(client: Client) -> JsonObject:
    agents = [value for name, value in client.headers if name.lower() == "user-agent"]
    return {"sourceIp": client.source_ip, **({"userAgent": agents[-1]} if agents else {})}


def _headers(pairs: Pairs) -> JsonObject:
    return {"headers": dict(pairs), "multiValueHeaders": _gathered(pairs)}


def _gathered(pairs: Pairs) -> JsonObject:
    gathered: dict[str, list[JsonValue]] = {}
    for name, value in pairs:
        gathered.setdefault(name, []).append(value)
    return dict(gathered)


def new_connection_id() -> str:
    return _connection_like_id()


def _connection_like_id() -> str:
    """Fifteen characters and a `=`, which a URL must escape: as AWS's ids are."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes[:11]).decode()


def missing_identity(sources: Sequence[str], client: Client) -> bool:
    """Whether an identity source that the authorizer asks for is not there: refused without asking the function."""
    headers = {name.lower() for name, value in client.headers if value}
    query = {name for name, value in parse_qsl(client.query) if value}
    for source in sources:
        place, _, name = source.removeprefix("route.request.").partition(".")
        if (place == "header" and name.lower() not in headers) or (place == "querystring" and name not in query):
            return True
    return False


def verdict(answer: JsonValue, method_arn: str) -> JsonObject | None:
    """An authorizer's answer → what later events carry in `requestContext.authorizer`, or None where it denies.

    Values of the context become texts, as the gateway makes them.
    """
    policy = as_object(answer)
    if not _allows(as_object(policy.get("policyDocument")), method_arn):
        return None
    context = {name: _text(value) for name, value in as_object(policy.get("context")).items()}
    return {**context, "principalId": policy.get("principalId", ""), "integrationLatency": 1}


def _text(value: JsonValue) -> JsonValue:
    return value if isinstance(value, str) or value is None else json.dumps(value)


def _allows(policy: JsonObject, arn: str) -> bool:
    """IAM's rule: something allows it and nothing denies it."""
    effects = {
        str(each.get("Effect")) for each in map(as_object, as_list(policy.get("Statement"))) if _covers(each, arn)
    }
    return "Allow" in effects and "Deny" not in effects


def _covers(statement: JsonObject, arn: str) -> bool:
    resources = statement.get("Resource")
    actions = statement.get("Action")
    return _matches(resources, arn) and _matches(actions, "execute-api:Invoke")


def _matches(patterns: JsonValue, text: str) -> bool:
    listed = patterns if isinstance(patterns, list) else [patterns]
    return any(fnmatch.fnmatchcase(text, str(pattern)) for pattern in listed)
