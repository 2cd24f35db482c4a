"""`admin spans`: modems with their SIMs, by port number."""

import argparse

from admin.commands import Command, Topic, at_least
from admin.moments import told
from admin.shown import Facts, Shown
from admin.stack import Stack
from shared.api import SpanRow
from shared.message import Port, Snapshot
from shared.usecases import administration_spans as desk
from shared.usecases.capping import Capping
from shared.usecases.list_spans import list_spans


def add(topics: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    spans = Topic(topics, "spans", "modems with their SIMs")
    spans.action("list", _list, "all spans, of one account or of all").add_argument("account", nargs="?", default="")
    _on_port(spans, "name", _name, "what port_name says").add_argument("name")
    _on_port(spans, "disable", _disable, "takes no new messages")
    _on_port(spans, "enable", _enable, "takes messages again")
    cap = _on_port(spans, "cap", _cap, "how many parts it may send; 0 is no limit")
    cap.add_argument("--day", type=at_least(0), metavar="PARTS")
    cap.add_argument("--month", type=at_least(0), metavar="PARTS")


def _on_port(topic: Topic, name: str, command: Command, says: str) -> argparse.ArgumentParser:
    parser = topic.action(name, command, says, "account")
    parser.add_argument("port", type=int, help="its number")
    return parser


def _list(asked: argparse.Namespace, stack: Stack) -> Shown:
    names = [asked.account] if asked.account else [a.name for a in stack.desk.store.census()[0] if not a.deleted_at]
    return Shown(rows=[row for name in names for row in _rows(name, stack)])


def _rows(name: str, stack: Stack) -> list[Facts]:
    account, snapshot = stack.desk.account(name), stack.accounts.snapshot(name)
    told_rows = list_spans(account, stack.accounts, stack.desk.outbox, Capping(stack.desk.tallies, stack.clock)).rows
    spans = [SpanRow.model_validate(row.model_dump()) for row in told_rows]
    full = _with_full_sim(snapshot) if snapshot else frozenset()
    return [_row(name, span, snapshot.ports[span.port], full) for span in spans if snapshot]


def _with_full_sim(snapshot: Snapshot) -> frozenset[tuple[str, str]]:
    """Agent and identity of spans whose SIM has no room for what comes in."""
    sites = snapshot.sites.items()
    return frozenset((agent, info.span) for agent, site in sites for info in site.spans if info.sim_full)


def _row(account: str, span: SpanRow, port: Port, full: frozenset[tuple[str, str]]) -> Facts:
    return {
        "account": account,
        "port": span.port,
        "name": span.port_name,
        "site": span.site,
        "status": span.reason or "available",
        "operator": span.operator,
        "signal_dbm": span.signal_dbm,
        "waiting": span.queue,
        "sim": f"…{port.iccid[-6:]}" if port.iccid else "",
        "sim_memory": "full" if (port.agent, port.span) in full else "",
        "sim_changed": f"{told(port.sim_changed_at)}, was …{port.iccid_before[-6:]}" if port.sim_changed_at else "",
        "parts_per_day": port.parts_per_day or None,
        "parts_per_month": port.parts_per_month or None,
    }


def _name(asked: argparse.Namespace, stack: Stack) -> Shown:
    desk.name_span(stack.desk, asked.account, asked.port, asked.name)
    return Shown({"account": asked.account, "port": asked.port, "name": asked.name})


def _disable(asked: argparse.Namespace, stack: Stack) -> Shown:
    desk.switch_span(stack.desk, asked.account, asked.port, on=False)
    return Shown({"account": asked.account, "port": asked.port, "state": "disabled"})


def _enable(asked: argparse.Namespace, stack: Stack) -> Shown:
    desk.switch_span(stack.desk, asked.account, asked.port, on=True)
    return Shown({"account": asked.account, "port": asked.port, "state": "enabled"})


def _cap(asked: argparse.Namespace, stack: Stack) -> Shown:
    port = desk.cap_span(stack.desk, asked.account, asked.port, day=asked.day, month=asked.month)
    caps = {"parts_per_day": port.parts_per_day, "parts_per_month": port.parts_per_month}
    return Shown({"account": asked.account, "port": asked.port, **caps})
