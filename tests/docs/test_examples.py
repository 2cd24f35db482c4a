"""The examples of docs/examples, each run against the API over HTTP."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from shared.lifecycle import State
from shared.usecases.operations import OPERATIONS
from tests.api_rig import PASSWORD, Rig, wsgi

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PROGRAMS = {".sh": ["sh"], ".py": [sys.executable, "-W", "error"], ".php": ["php", "-n", "-d", "error_reporting=-1"]}
NEEDED = {".sh": "curl", ".py": sys.executable, ".php": "php"}
TEXT = 'Grüße & <Küsse> aus 東京 \'n "co" +1 👋'
ARGUMENTS = {"send": ["+4917012345,+4917012346", TEXT], "set_config": ["push.example.com"]}
PATHS = {
    "send": "/sms/send",
    "get_valid_spans": "/sms/get_valid_spans",
    "outbox": "/smsoutbox/get",
    "inbox": "/smsinbox/get",
    "get_config": "/smsoutbox/get_config",
    "set_config": "/smsoutbox/set_config",
}
every_example = pytest.mark.parametrize("name", sorted(PATHS))
every_language = pytest.mark.parametrize("language", sorted(PROGRAMS))


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None: ...


class Served:
    """A rig behind a port, and examples called with it."""

    def __init__(self, url: str, rig: Rig) -> None:
        self.url, self.rig = url, rig

    def run(self, name: str, language: str, *arguments: str, password: str = PASSWORD) -> tuple[int, dict[str, Any]]:
        """Exit code and what was printed."""
        if shutil.which(NEEDED[language]) is None:
            pytest.skip(f"{NEEDED[language]} is not installed")
        environment = {**os.environ, "SPANBRIDGE_URL": self.url, "SPANBRIDGE_USER": "acme"}
        environment |= {"SPANBRIDGE_PASSWORD": password, "no_proxy": "*"}
        command = [*PROGRAMS[language], str(EXAMPLES / f"{name}{language}"), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, json.loads(done.stdout)


@pytest.fixture
def served() -> Iterator[Served]:
    rig = Rig()
    with make_server("127.0.0.1", 0, wsgi(lambda: rig), handler_class=_Quiet) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Served(f"http://127.0.0.1:{server.server_port}", rig)
        server.shutdown()
        thread.join()


def test_there_is_an_example_for_every_call_in_every_language() -> None:
    assert set(PATHS.values()) == set(OPERATIONS)
    expected = {f"{name}{language}" for name in PATHS for language in PROGRAMS}
    assert {path.name for path in EXAMPLES.iterdir()} - {"README.md", "__pycache__"} == expected


@every_language
@every_example
def test_an_example_does_what_it_says(served: Served, name: str, language: str) -> None:
    code, answer = served.run(name, language, *ARGUMENTS.get(name, []))
    assert (code, answer["uri"], answer["code"]) == (0, PATHS[name], 0)


@every_language
@every_example
def test_an_example_fails_when_the_call_does(served: Served, name: str, language: str) -> None:
    code, answer = served.run(name, language, *ARGUMENTS.get(name, []), password="wrong")
    assert code != 0
    assert answer["code"] == 1100


@every_language
def test_a_text_arrives_as_it_was_typed_and_once_however_often_it_is_sent(served: Served, language: str) -> None:
    answers = [served.run("send", language, *ARGUMENTS["send"], "one-key") for _ in range(2)]
    assert answers[0] == answers[1]
    assert [message.text for message in served.rig.outbox.rows.values()] == [TEXT, TEXT]


@every_language
def test_the_outbox_example_finds_todays_messages(served: Served, language: str) -> None:
    _, answer = served.run("send", ".py", *ARGUMENTS["send"])
    served.rig.clock.time = 4_000_000_000.0  # whenever the test runs, its messages are not of yesterday
    for row in answer["data"]:
        served.rig.end("acme", row["id"], State.SENT)
    _, found = served.run("outbox", language)
    assert {row["message"] for row in found["data"]} == {TEXT}
    assert len(found["data"]) == 2
