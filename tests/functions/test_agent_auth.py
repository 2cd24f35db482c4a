import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from functions.agent_auth.app import Unauthorized, handler
from shared import agent_token
from shared.aws import wiring
from tests.samples import agent
from tests.stack_tables import stack

TOKEN = agent_token.new("acme", "site-1")
ARN = "arn:aws:execute-api:eu-central-1:123456789012:abc/live/$connect"


@pytest.fixture(autouse=True)
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with stack(monkeypatch):
        wiring.accounts().put_agent(agent(credential=TOKEN.digest))
        yield


def event(**headers: str) -> Any:
    return {"type": "REQUEST", "methodArn": ARN, "headers": {"Host": "x", **headers}}


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_the_gateway_is_told_who_it_is_and_that_it_may_connect(name: str) -> None:
    policy = handler(event(**{name: f"Bearer {TOKEN}"}), None)
    assert policy["context"] == {"account": "acme", "agent": "site-1"}
    assert policy["principalId"] == "acme.site-1"
    assert policy["policyDocument"]["Statement"] == [
        {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": ARN}
    ]


def test_who_is_not_known_makes_the_gateway_answer_401() -> None:
    for wrong in (replace(TOKEN, secret="wrong"), replace(TOKEN, agent="site-2")):
        with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
            handler(event(Authorization=f"Bearer {wrong}"), None)
    with pytest.raises(Unauthorized):
        handler(event(), None)


def _refusals(capsys: pytest.CaptureFixture[str]) -> list[float]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line["AgentsRefused"][0] for line in lines if "AgentsRefused" in line]


def test_a_refusal_is_counted_and_a_fault_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both are errors to Lambda, and only the second is one to the alarm."""
    with pytest.raises(Unauthorized):
        handler(event(), None)
    assert _refusals(capsys) == [1.0]
    handler(event(Authorization=f"Bearer {TOKEN}"), None)
    wiring._dynamodb().delete_table(TableName="Config")
    with pytest.raises(Exception, match=r"^(?!Unauthorized$)"):
        handler(event(Authorization=f"Bearer {TOKEN}"), None)
    assert _refusals(capsys) == []
