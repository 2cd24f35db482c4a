"""Requests become events of payload format 2.0, and functions' results answers, as AWS does it."""

import base64
import json

import pytest

from local_cloud.http_event import HttpRequest, Matched, http_answer, http_event
from local_cloud.routing import Bucket, Router
from local_cloud.topology import HttpRoute, Throttle

NOW = 1583348638.39
ROUTE = Matched("api1", "$default", "POST /a", {"name": "x"})


def _event(**changes):
    request = {
        "method": "POST",
        "path": "/a",
        "query": "",
        "headers": [("Host", "h.example"), ("User-Agent", "curl/8")],
        "body": b"",
        "source_ip": "192.0.2.1",
    }
    return http_event(HttpRequest(**(request | changes)), ROUTE, "id-1", NOW)


@pytest.mark.aws("apigateway/latest/developerguide/http-api-develop-integrations-lambda.html")
def test_the_context_says_who_asked_for_what_and_when():
    assert _event()["requestContext"] == {
        "accountId": "123456789012",
        "apiId": "api1",
        "domainName": "h.example",
        "domainPrefix": "h",
        "http": {
            "method": "POST",
            "path": "/a",
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.1",
            "userAgent": "curl/8",
        },
        "requestId": "id-1",
        "routeKey": "POST /a",
        "stage": "$default",
        "time": "04/Mar/2020:19:03:58 +0000",
        "timeEpoch": 1583348638390,
    }


@pytest.mark.aws("apigateway/latest/developerguide/http-api-develop-integrations-lambda.html")
def test_what_a_request_lacks_its_event_lacks():
    event = http_event(HttpRequest("GET", "/", "", [], b"", "::1"), Matched("a", "$default", "$default"), "i", NOW)
    assert not {"body", "cookies", "queryStringParameters", "pathParameters"} & set(event)
    assert event["isBase64Encoded"] is False


@pytest.mark.aws("apigateway/latest/developerguide/http-api-develop-integrations-lambda.html")
def test_header_names_are_lower_case_and_repeated_ones_joined():
    event = _event(headers=[("X-Tag", "a"), ("x-tag", "b"), ("Cookie", "k=1; l=2")])
    assert event["headers"] == {"x-tag": "a,b"}
    assert event["cookies"] == ["k=1", "l=2"]


@pytest.mark.aws("apigateway/latest/developerguide/http-api-develop-integrations-lambda.html")
def test_repeated_query_parameters_are_joined_and_the_raw_query_kept():
    event = _event(query="p=1&p=2&q=a%20b&empty=")
    assert event["rawQueryString"] == "p=1&p=2&q=a%20b&empty="
    assert event["queryStringParameters"] == {"p": "1,2", "q": "a b", "empty": ""}


@pytest.mark.aws("https://github.com/ministackorg/ministack/pull/766")
@pytest.mark.parametrize(
    ("content_type", "is_text"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("text/plain", True),
        ("application/xml", True),
        ("application/javascript", True),
        ("application/x-www-form-urlencoded", False),
        ("application/octet-stream", False),
        ("multipart/form-data; boundary=x", False),
        (None, False),
    ],
)
def test_only_text_types_come_as_text(content_type, is_text):
    headers = [("content-type", content_type)] if content_type else []
    event = _event(headers=headers, body="grüß".encode())
    assert event["isBase64Encoded"] is not is_text
    assert event["body"] == ("grüß" if is_text else base64.b64encode("grüß".encode()).decode())


@pytest.mark.aws("apigateway/latest/developerguide/http-api-develop-integrations-lambda.html")
def test_a_full_answer_is_taken_as_it_is():
    result = {
        "statusCode": 201,
        "headers": {"X-Count": 3, "Content-Type": "text/csv"},
        "cookies": ["a=1", "b=2"],
        "body": base64.b64encode(b"\xff\x00").decode(),
        "isBase64Encoded": True,
    }
    answer = http_answer(json.dumps(result).encode())
    assert answer is not None
    assert (answer.status, answer.body) == (201, b"\xff\x00")
    assert answer.headers == [
        ("x-count", "3"),
        ("content-type", "text/csv"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
    ]


@pytest.mark.aws("apigateway/latest/developerguide/http-api-develop-integrations-lambda.html")
@pytest.mark.parametrize(
    ("result", "body"),
    [("hello", b"hello"), ({"message": "hi"}, b'{"message": "hi"}'), ([1, 2], b"[1, 2]"), (None, b"null")],
)
def test_a_bare_result_is_a_json_answer(result, body):
    answer = http_answer(json.dumps(result).encode())
    assert answer is not None
    assert (answer.status, answer.headers, answer.body) == (200, [("content-type", "application/json")], body)


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "two hundred"},
        {"statusCode": 200, "body": {"no": "text"}},
        {"statusCode": 200, "headers": ["no map"]},
        {"statusCode": 200, "body": "not base64!", "isBase64Encoded": True},
    ],
)
def test_an_answer_out_of_shape_is_no_answer(result):
    assert http_answer(json.dumps(result).encode()) is None


@pytest.mark.aws("apigateway/latest/developerguide/http-api-develop-routes.html")
def test_the_most_specific_route_wins():
    paths = [("ANY", "$default"), ("ANY", "/{proxy+}"), ("GET", "/a/{x}"), ("ANY", "/a/b"), ("GET", "/a/b")]
    router = Router([HttpRoute(method=method, path=path, function="f") for method, path in paths])

    def matched(method: str, path: str):
        found = router.match(method, path)
        return found and (found[0].key, found[1])

    assert matched("GET", "/a/b") == ("GET /a/b", {})
    assert matched("POST", "/a/b") == ("ANY /a/b", {})
    assert matched("GET", "/a/c") == ("GET /a/{x}", {"x": "c"})
    assert matched("GET", "/a/c/d") == ("ANY /{proxy+}", {"proxy": "a/c/d"})
    assert matched("GET", "/") == ("$default", {})


def test_a_route_without_variables_matches_its_letters_only():
    router = Router([HttpRoute(method="GET", path="/a.b", function="f")])
    assert router.match("GET", "/a.b")
    assert router.match("GET", "/axb") is None
    assert router.match("POST", "/a.b") is None


@pytest.mark.aws("apigateway/latest/developerguide/http-api-throttling.html")
def test_a_bucket_lets_a_burst_through_and_then_its_rate():
    bucket = Bucket.full(Throttle(rate=2, burst=3), now=100.0)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(100.4)
    assert bucket.take(100.6)
    assert [bucket.take(200.0) for _ in range(4)] == [True, True, True, False]
