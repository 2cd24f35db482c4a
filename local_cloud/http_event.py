"""HTTP request ↔ Lambda event, payload format 2.0, as API Gateway's HTTP APIs write and read it. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from pydantic import JsonValue

from local_cloud.aws import ACCOUNT
from local_cloud.intrinsics import JsonObject

# The documentation does not list what counts as text; this split was observed on AWS: these bodies come as they are,
# all others (form-encoded ones and those without a content type too) in base64.
_TEXT_TYPES = frozenset({"application/json", "application/xml", "application/javascript"})


@dataclass(frozen=True)
class HttpRequest:
    method: str
    path: str  # decoded, with the stage's prefix where the stage has a name
    query: str  # as it came
    headers: Iterable[tuple[str, str]]
    body: bytes
    source_ip: str
    protocol: str = "HTTP/1.1"


@dataclass(frozen=True)
class Matched:
    """The route that a request was matched to."""

    api_id: str
    stage: str
    route_key: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def http_event(request: HttpRequest, route: Matched, request_id: str, now: float) -> JsonObject:
    headers, cookies = _headers(request.headers)
    event: JsonObject = {
        "version": "2.0",
        "routeKey": route.route_key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": dict(headers),
        "requestContext": _context(request, route, headers, request_id, now),
        "isBase64Encoded": False,
    }
    # What a request does not have, the event does not have.
    if cookies:
        event["cookies"] = list(cookies)
    if request.query:
        event["queryStringParameters"] = dict(_joined(parse_qsl(request.query, keep_blank_values=True)))
    if route.parameters:
        event["pathParameters"] = dict(route.parameters)
    if request.body:
        event["isBase64Encoded"], event["body"] = _body(request.body, headers.get("content-type", ""))
    return event


def _headers(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], list[str]]:
    """Names in lower case, repeated ones joined by commas, cookies apart."""
    lowered = [(name.lower(), value) for name, value in pairs]
    cookies = [each.strip() for name, value in lowered if name == "cookie" for each in value.split(";")]
    return _joined(pair for pair in lowered if pair[0] != "cookie"), cookies


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _context(
    request: HttpRequest, route: Matched, headers: Mapping[str, str], request_id: str, now: float
) -> dict[str, JsonValue]:
    domain = headers.get("host", "")
    return {
        "accountId": ACCOUNT,
        "apiId": route.api_id,
        "domainName": domain,
        "domainPrefix": domain.split(".")[0],
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": request_id,
        "routeKey": route.route_key,
        "stage": route.stage,
        "time": clf_time(now),
        "timeEpoch": int(now * 1000),
    }


def clf_time(now: float) -> str:
    """`12/Mar/2020:19:03:58 +0000`, the Common Log Format's time, which both kinds of API use."""
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now))


def _body(body: bytes, content_type: str) -> tuple[bool, str]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in _TEXT_TYPES:
        return False, body.decode("utf-8", errors="replace")
    return True, base64.b64encode(body).decode()


def http_answer(payload: bytes) -> HttpAnswer | None:
    """What the client gets for what a function returned; None if that is no valid answer."""
    result: JsonValue = json.loads(payload)
    if not isinstance(result, dict) or "statusCode" not in result:
        text = result if isinstance(result, str) else payload.decode()
        return HttpAnswer(200, [("content-type", "application/json")], text.encode())
    try:
        return _explicit_answer(result)
    except (TypeError, ValueError):
        return None


def _explicit_answer(result: JsonObject) -> HttpAnswer:
    status, body = result["statusCode"], result.get("body") or ""
    if not isinstance(status, int | str) or not isinstance(body, str):
        raise TypeError("statusCode is a number and body a text")
    headers = result.get("headers") or {}
    cookies = result.get("cookies") or []
    if not isinstance(headers, dict) or not isinstance(cookies, list):
        raise TypeError("headers is a map and cookies a list")
    pairs = [(name.lower(), _text(value)) for name, value in headers.items()]
    if not any(name == "content-type" for name, _ in pairs):
        pairs.append(("content-type", "text/plain;charset=utf-8"))
    pairs += [("set-cookie", str(cookie)) for cookie in cookies]
    raw = base64.b64decode(body, validate=True) if result.get("isBase64Encoded") else body.encode()
    return HttpAnswer(int(status), pairs, raw)


def _text(value: JsonValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
