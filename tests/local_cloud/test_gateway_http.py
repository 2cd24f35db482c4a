"""Calls through the HTTP gateway to functions in processes of their own."""

import http.client
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from local_cloud.stack import post


def _request(probe, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(urlsplit(probe.url).netloc, timeout=40)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def test_a_call_reaches_its_function_and_its_answer_comes_back(probe):
    status, answer = post(f"{probe.url}/echo?a=1&a=2", {"n": 1})
    assert status == 200
    assert answer["event"]["routeKey"] == "POST /echo"
    assert answer["event"]["queryStringParameters"] == {"a": "1,2"}
    assert answer["event"]["body"] == '{"n": 1}'
    assert answer["context"]["arn"] == probe.deployment.functions["Probe"].arn
    assert 0 < answer["context"]["left_ms"] <= 5000


@pytest.mark.aws("lambda/latest/dg/configuration-envvars.html")
def test_a_function_has_the_environment_that_the_deployed_stack_gave_it_and_none_of_ours(probe):
    _, answer = post(f"{probe.url}/echo", {})
    environment = answer["environment"]
    assert environment["GREETING"] == "good day from spanbridge"
    assert environment["EXTRA"] == "off"
    assert environment["CONNECTIONS_URL"] == f"{probe.cloud.control_url}/live"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == probe.deployment.functions["Probe"].name
    assert not {"HOME", "PYTEST_CURRENT_TEST", "PWD"} & set(environment)


def test_outputs_are_addresses_on_this_machine(probe):
    outputs = probe.deployment.outputs
    assert outputs["ApiUrl"] == probe.url
    assert outputs["SocketUrl"].startswith("ws://127.0.0.1:")
    assert outputs["SocketUrl"].endswith("/live")


@pytest.mark.aws("apigateway/latest/developerguide/http-api-develop-routes.html")
def test_path_variables_are_told(probe):
    status, answer = _request(probe, "GET", "/items/red%20car")[::2]
    assert status == 200
    assert b'"pathParameters": {"name": "red car"}' in answer


@pytest.mark.aws("apigateway/latest/developerguide/http-api-develop-routes.html")
def test_an_unknown_path_and_a_wrong_method_are_not_found(probe):
    assert post(f"{probe.url}/nowhere", {}) == (404, {"message": "Not Found"})
    assert _request(probe, "GET", "/echo")[0] == 404


@pytest.mark.aws("apigateway/latest/developerguide/http-api-troubleshooting-lambda.html")
def test_a_function_that_raises_is_an_internal_error(probe):
    assert post(f"{probe.url}/echo", {"do": "raise"}) == (500, {"message": "Internal Server Error"})


@pytest.mark.aws("apigateway/latest/developerguide/http-api-troubleshooting-lambda.html")
def test_an_answer_out_of_shape_is_an_internal_error(probe):
    wanted = {"do": "answer", "answer": {"statusCode": "nonsense"}}
    assert post(f"{probe.url}/echo", wanted) == (500, {"message": "Internal Server Error"})


def test_status_headers_and_cookies_are_the_function_s(probe):
    answer = {"statusCode": 418, "headers": {"X-Kind": "tea"}, "cookies": ["a=1"], "body": "short"}
    body = json.dumps({"do": "answer", "answer": answer})
    status, headers, text = _request(probe, "POST", "/echo", body, {"content-type": "application/json"})
    assert (status, text) == (418, b"short")
    assert (headers["x-kind"], headers["set-cookie"]) == ("tea", "a=1")
    assert headers["content-type"].startswith("text/plain")


@pytest.mark.aws("apigateway/latest/developerguide/http-api-quotas.html")
def test_a_body_over_ten_megabytes_is_refused(probe):
    status, _, body = _request(probe, "POST", "/echo", b"x" * (10 * 1024 * 1024 + 1))
    assert (status, body) == (413, b'{"message": "Request Entity Too Large"}')


@pytest.mark.aws("lambda/latest/dg/configuration-timeout.html")
def test_a_function_that_overruns_its_timeout_is_ended_and_the_call_fails(probe, eventually):
    _, before = post(f"{probe.url}/echo", {})
    assert post(f"{probe.url}/echo", {"do": "sleep", "seconds": 60})[0] == 500
    eventually(lambda: before["pid"] not in probe.workers("http"))
    assert post(f"{probe.url}/echo", {})[0] == 200


@pytest.mark.aws("lambda/latest/dg/lambda-runtime-environment.html")
def test_a_function_that_dies_fails_its_call_and_is_replaced(probe):
    assert post(f"{probe.url}/echo", {"do": "die"})[0] == 500
    assert post(f"{probe.url}/echo", {})[0] == 200


def test_a_worker_that_is_killed_is_replaced(probe, eventually):
    (pid, *_) = eventually(lambda: probe.workers("sweep"))
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: probe.workers("sweep") not in ([], [pid]))


@pytest.mark.aws("lambda/latest/dg/lambda-concurrency.html")
def test_calls_run_side_by_side_in_processes_of_their_own(probe):
    def call(_):
        return post(f"{probe.url}/echo", {"do": "sleep", "seconds": 3})[1]["pid"]

    with ThreadPoolExecutor(3) as callers:
        assert len(set(callers.map(call, range(3)))) == 3
