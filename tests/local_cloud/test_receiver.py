"""The receiver keeps every push and answers as it was told to."""

import json
import threading
from http.client import HTTPConnection

import pytest

from local_cloud.receiver import Mode, Receiver, describe


@pytest.fixture
def receiver(tmp_path):
    server = Receiver(0, tmp_path / "received.jsonl", quiet=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _ask(receiver, method, target, body=None):
    connection = HTTPConnection("127.0.0.1", receiver.server_port, timeout=10)
    connection.request(method, target, body, {"webhook-id": "m1"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers


def _kept(tmp_path):
    return [json.loads(line) for line in (tmp_path / "received.jsonl").read_text().splitlines()]


def test_a_push_is_kept_with_its_parameters_and_headers(receiver, tmp_path):
    assert _ask(receiver, "GET", "/push?status=SENT&from=%2B1555")[0] == 200
    (push,) = _kept(tmp_path)
    assert push["parameters"] == {"status": "SENT", "from": "+1555"}
    assert push["headers"]["webhook-id"] == "m1"
    assert (push["method"], push["path"], push["answered"]) == ("GET", "/push", 200)


def test_a_posted_push_is_read_from_its_body(receiver, tmp_path):
    assert _ask(receiver, "POST", "/push", json.dumps({"status": "FAILED"}))[0] == 200
    assert _kept(tmp_path)[0]["parameters"] == {"status": "FAILED"}


def test_it_fails_as_often_as_it_was_told_and_then_works_again(receiver, tmp_path):
    mode = json.dumps({"status": 503, "headers": {"Retry-After": "7"}, "times": 2})
    assert _ask(receiver, "POST", "/_mode", mode)[0] == 200
    answers = [_ask(receiver, "GET", "/push") for _ in range(3)]
    assert [status for status, _ in answers] == [503, 503, 200]
    assert answers[0][1]["Retry-After"] == "7"
    assert [push["answered"] for push in _kept(tmp_path)] == [503, 503, 200]


def test_the_line_for_a_person_shows_neither_text_nor_number():
    parameters = {"type": "SMS-Status-Report", "status": "DELIVERD", "phonenumber": "+12025550123", "message": "secret"}
    line = describe({"parameters": parameters}, Mode())
    assert "DELIVERD" in line
    assert "…123" in line
    assert "+12025550" not in line
    assert "secret" not in line
