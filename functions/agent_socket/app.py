"""WebSocket $connect, $disconnect and $default: the gateway says who it is, usecases/agent_session.py what to do.

A connection that was opened with a code instead of a credential is for trading it and nothing else: usecases/enrol.py.
"""

from typing import NotRequired, TypedDict

import shared.aws.cold_start as cold_start  # before all others: it is about their imports
from shared.aws import wiring
from shared.enrolment import DIGEST_HEADER
from shared.usecases.agent_line import Connection
from shared.usecases.agent_session import disconnect, receive
from shared.usecases.enrol import trade

cold_start.at_cold_start(wiring.sessions)


class _Context(TypedDict):
    routeKey: str
    connectionId: str
    connectedAt: int  # ms
    authorizer: dict[str, str]


class Event(TypedDict):
    requestContext: _Context
    headers: NotRequired[dict[str, str]]  # of $connect only
    body: NotRequired[str]


def handler(event: Event, _context: object) -> dict[str, int]:
    """Of an agent nothing is stored at $connect: it could not be answered yet, and hello follows."""
    if "code" in event["requestContext"]["authorizer"]:
        return {"statusCode": _enrol(event)}
    match event["requestContext"]["routeKey"]:
        case "$default":
            receive(event.get("body", ""), _connection(event["requestContext"]), wiring.sessions())
        case "$disconnect":
            disconnect(_connection(event["requestContext"]), wiring.sessions())
    return {"statusCode": 200}


def _enrol(event: Event) -> int:
    context = event["requestContext"]
    if context["routeKey"] != "$connect":
        return 200  # whatever it says, it is no agent
    digest = next((value for name, value in event["headers"].items() if name.lower() == DIGEST_HEADER.lower()), "")
    who = context["authorizer"]
    return trade(who["account"], who["agent"], who["code"], digest, wiring.sessions())


def _connection(context: _Context) -> Connection:
    who = context["authorizer"]
    return Connection(
        account=who["account"], agent=who["agent"], id=context["connectionId"], since=context["connectedAt"] / 1000
    )
