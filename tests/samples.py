"""Ordinary values for tests; each test says only what matters to it."""

from dataclasses import replace
from typing import Any

from shared.message import Account, Agent, Message
from shared.wire import SpanInfo

NOW = 1_750_000_000.0


def message(message_id: str = "m1", **differences: Any) -> Message:
    usual = Message(
        account="acme",
        id=message_id,
        to="+4915112345678",
        text="Hello",
        parts=1,
        agent="site-1",
        pool=(1, 2),
        spans=("imei:1", "imei:2"),
        port=1,
        port_name="lte-1.1",
        accepted_at=NOW,
        deadline=NOW + 3600,
    )
    return replace(usual, **differences)


def account(name: str = "acme", **differences: Any) -> Account:
    return replace(Account(name=name, credential="scrypt$…"), **differences)


def agent(agent_id: str = "site-1", **differences: Any) -> Agent:
    return replace(Agent(account="acme", id=agent_id, site="Berlin", credential="0" * 64), **differences)


def span(identity: str = "imei:1", **differences: Any) -> SpanInfo:
    return SpanInfo(span=identity, available=True, technology="lte").model_copy(update=differences)
