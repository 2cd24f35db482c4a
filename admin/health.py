"""`admin health` and `admin audit`: how the stack is doing, and what was done to it."""

import argparse

from admin.agents import state_of
from admin.commands import Topic, add_json, at_least
from admin.moments import moment, told
from admin.shown import Facts, Shown
from admin.stack import Stack


def add(topics: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    says = "how the stack is doing"
    health = topics.add_parser("health", help=says, description=says)
    health.set_defaults(command=_health)
    add_json(health)
    listed = Topic(topics, "audit", "who did what, and when").action("list", _audit, "newest first")
    listed.add_argument("--account", default="")
    listed.add_argument("--since", default="90d", help="90m, 2h, 3d or a time in UTC (default: %(default)s)")
    listed.add_argument("--most", type=at_least(1), default=100, metavar="N")


def _health(asked: argparse.Namespace, stack: Stack) -> Shown:
    now = stack.clock.now()
    accounts, agents = stack.desk.store.census()
    states = [state_of(agent, now) for agent in agents]
    backlog = stack.desk.outbox.backlog(now)
    facts: Facts = {
        "accounts": sum(not account.deleted_at for account in accounts),
        "agents_online": states.count("online"),
        "agents_offline": states.count("offline"),
        "two_machines_in_one": sum(bool(agent.doubled_at) for agent in agents),
        "messages_waiting": backlog.count,
        "oldest_waits_s": round(now - backlog.oldest) if backlog.oldest else 0,
        "overdue": len(backlog.overdue),
        **stack.depths(),
    }
    return Shown(facts, next_step="\n".join(filter(None, (_advice(facts), "" if backlog.whole else _PART))))


_PART = "messages waiting: at least; so many wait that not all were looked at"


def _advice(facts: Facts) -> str:
    advice = {
        "agents_offline": "agents list shows which",
        "two_machines_in_one": "agents list says what to do",
        "overdue": "the sweeper should have ended these; see its log",
        "pushes_given_up": "pushes list ACCOUNT --state dead; when the receiver works again: pushes drain",
    }
    return "\n".join(f"{name.replace('_', ' ')}: {step}" for name, step in advice.items() if facts[name])


def _audit(asked: argparse.Namespace, stack: Stack) -> Shown:
    entries = stack.desk.store.entries(asked.account, moment(asked.since, stack.clock.now()), asked.most)
    return Shown(
        rows=[{"at": told(e.at), "who": e.who, "did": e.did, "account": e.account, "what": e.what} for e in entries]
    )
