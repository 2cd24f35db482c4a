"""WebSocket $connect authorizer: credential → identity, which the gateway carries on every later frame."""

from typing import TypedDict

import shared.aws.cold_start as cold_start  # before all others: it is about their imports
from shared.aws import wiring
from shared.aws.telemetry import refused
from shared.usecases.connect_agent import admit

cold_start.at_cold_start(wiring.accounts)


class Event(TypedDict):
    methodArn: str
    headers: dict[str, str]


class Policy(TypedDict):
    principalId: str
    policyDocument: dict[str, object]
    context: dict[str, str]


class Unauthorized(Exception):
    """The gateway answers 401 when an authorizer fails with this very word."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def handler(event: Event, _context: object) -> Policy:
    identity = admit(_authorization(event["headers"]), wiring.accounts())
    if identity is None:
        refused()
        raise Unauthorized
    allow = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}
    return {
        "principalId": f"{identity['account']}.{identity['agent']}",
        "policyDocument": {"Version": "2012-10-17", "Statement": [allow]},
        "context": identity,
    }


def _authorization(headers: dict[str, str]) -> str:
    """The gateway passes header names as the client spelled them."""
    return next((value for name, value in headers.items() if name.lower() == "authorization"), "")
