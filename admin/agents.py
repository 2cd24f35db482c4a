"""`admin agents`: sites."""

import argparse

from admin.commands import Topic
from admin.moments import told
from admin.shown import Facts, Shown
from admin.stack import Stack
from shared.agent_token import AgentToken
from shared.enrolment import VALID_S
from shared.message import Agent
from shared.usecases import administration_agents as desk


def add(topics: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    agents = Topic(topics, "agents", "sites")
    invite = agents.action("add", _add, "a new site; prints its one-time code", "account", "agent:its name in commands")
    invite.add_argument("--site", default="", help="where it stands, for people (default: the agent's name)")
    agents.action("list", _list, "all sites, of one account or of all").add_argument("account", nargs="?", default="")
    agents.action("rotate", _rotate, "a new one-time code; using it ends the credential of before", "account", "agent")
    agents.action("revoke", _revoke, "shuts a site out: its connection is closed now", "account", "agent")


def _add(asked: argparse.Namespace, stack: Stack) -> Shown:
    code = desk.add_agent(stack.desk, asked.account, asked.agent, site=asked.site or asked.agent)
    return _invitation(code, stack)


def _rotate(asked: argparse.Namespace, stack: Stack) -> Shown:
    return _invitation(desk.rotate_agent(stack.desk, asked.account, asked.agent), stack, replaces=True)


def _invitation(code: AgentToken, stack: Stack, *, replaces: bool = False) -> Shown:
    """`replaces` a credential that the site most likely has."""
    facts: Facts = {
        "account": code.account,
        "agent": code.agent,
        "url": stack.agent_url,
        "code": str(code),
        "valid_until": told(stack.clock.now() + VALID_S),
    }
    command = f"python -m edge_agent enroll --url {stack.agent_url} --code {code}{' --force' if replaces else ''}"
    return Shown(facts, next_step=f"The code is good once. At the site:\n  {command}")


def _list(asked: argparse.Namespace, stack: Stack) -> Shown:
    if asked.account:
        stack.desk.account(asked.account)
    _, agents = stack.desk.store.census()
    wanted = [agent for agent in agents if asked.account in {"", agent.account}]
    doubles = [f"{agent.account}/{agent.id}" for agent in wanted if agent.doubled_at]
    return Shown(rows=[_row(agent, stack.clock.now()) for agent in wanted], next_step=_about(doubles))


def _row(agent: Agent, now: float) -> Facts:
    return {
        "account": agent.account,
        "agent": agent.id,
        "site": agent.site,
        "state": state_of(agent, now),
        "last_seen": told(agent.last_seen),
        "version": agent.life.version,
        "two_machines_since": told(agent.doubled_at),
    }


def state_of(agent: Agent, now: float) -> str:
    if agent.revoked:
        code = f", code open until {told(agent.enrolment.until)}" if agent.enrolment.is_open(now) else ""
        return f"revoked{code}"
    if agent.connection:
        return "online"
    if agent.credential:
        return "offline"
    return "invited" if agent.enrolment.until >= now else "invitation expired"


def _about(doubles: list[str]) -> str:
    if not doubles:
        return ""
    return (
        f"Two machines bear one identity: {', '.join(doubles)}. Most likely a disk was copied. Stop the copy, then\n"
        "agents rotate, and enroll the one that is to stay; a second site is a new agent (agents add)."
    )


def _revoke(asked: argparse.Namespace, stack: Stack) -> Shown:
    closed = desk.revoke_agent(stack.desk, asked.account, asked.agent)
    facts: Facts = {
        "account": asked.account,
        "agent": asked.agent,
        "state": "revoked",
        "connection": "closed" if closed else "there was none",
    }
    return Shown(facts, next_step="To let it in again: agents rotate.")
