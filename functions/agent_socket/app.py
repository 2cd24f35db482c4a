"""WebSocket $connect, $disconnect and $default: the gateway says who it is, usecases/agent_session.py what to do."""

from typing import NotRequired, TypedDict

import shared.aws.cold_start as cold_start  # before all others: it is about their imports
from shared.aws import wiring
from shared.usecases.agent_line import Connection
from shared.usecases.agent_session import disconnect, receive

cold_start.at_cold_start(wiring.sessions)


class _Context(TypedDict):
    routeKey: str
    connectionId: str
    connectedAt: int  # ms
    authorizer: dict[str, str]


class Event(TypedDict):
    requestContext: _Context
    body: NotRequired[str]


def handler(event: Event, _context: object) -> dict[str, int]:
    """Nothing is stored at $connect: it could not be answered yet, and hello follows."""
    match event["requestContext"]["routeKey"]:
        case "$default":
            receive(event.get("body", ""), _connection(event["requestContext"]), wiring.sessions())
        case "$disconnect":
            disconnect(_connection(event["requestContext"]), wiring.sessions())
    return {"statusCode": 200}


def _connection(context: _Context) -> Connection:
    who = context["authorizer"]
    return Connection(
        account=who["account"], agent=who["agent"], id=context["connectionId"], since=context["connectedAt"] / 1000
    )
