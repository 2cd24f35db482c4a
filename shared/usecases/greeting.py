"""An agent says hello: who is it now, what became of what it held, what waits for it.

Order matters where a crash may fall between two steps: what was lost is settled before the new journal is put on
record, and spans and ports are stored before the connection counts, so that routing never sees a site without them.
"""

from collections.abc import Mapping, Sequence

from shared.message import Agent, Life, Port
from shared.usecases.agent_line import NOT_FOUND_YET, AgentLine
from shared.usecases.lost_journal import end_what_was_lost
from shared.wire import Hello, SpanInfo


def greet(hello: Hello, line: AgentLine) -> None:
    agent = line.admitted()
    if agent is None or agent.connected_at > line.connection.since:
        return  # a newer connection has said hello already
    if hello.boot_id == agent.life.previous_boot_id:
        _refuse_the_double(agent, line)
        return
    if agent.life.journal_id not in {"", hello.journal_id}:
        _settle_lost_journal(agent, line)
    ports = line.ports.accounts.allot_ports(agent.account, agent.id, hello.spans)
    spans = [*hello.spans, *_others(hello, ports, line, started=hello.boot_id != agent.life.boot_id)]
    line.save_spans(spans, at=0.0, whole=True)
    if not line.take_over(_life(hello, agent.life)):
        return
    if agent.offline_told:
        line.alert("site back", f"{_name(agent)} is connected again")
        line.count_spans(spans)
    line.welcome(ports)
    if hello.boot_id == agent.life.boot_id:
        line.drain_if_not(hello.held)  # the same process on a newer connection holds what it held
    else:
        line.drain("")


def _others(hello: Hello, ports: Mapping[str, Port], line: AgentLine, *, started: bool) -> Sequence[SpanInfo]:
    """Spans that have a port and are not told of. A process that has just started does not know its modems yet; what is
    sent to them meanwhile waits, and is not refused.
    """
    told = {info.span for info in hello.spans}
    if told >= ports.keys():
        return ()
    known = line.ports.accounts.spans(line.connection.account, line.connection.agent)
    lost = {"available": False, "reason": NOT_FOUND_YET, "signal_dbm": None, "next_at": None}
    others = [info for info in known if info.span not in told]
    return [info.model_copy(update=lost) if started and info.available else info for info in others]


def _refuse_the_double(agent: Agent, line: AgentLine) -> None:
    """A process never comes back after another one: two live with one identity, by a cloned disk or a copied file."""
    line.ports.accounts.note_double(agent.account, agent.id, at=line.ports.clock.now())
    line.alert("two agents with one identity", f"{_name(agent)}: one of two machines was stopped, enrol it anew")
    line.refuse("duplicate_identity", "another agent with this credential has taken over, enrol this one anew")


def _settle_lost_journal(agent: Agent, line: AgentLine) -> None:
    ports = line.ports
    ended = end_what_was_lost(agent, outbox=ports.outbox, pushes=ports.pushes, clock=ports.clock)
    line.alert("journal replaced", f"{_name(agent)} came back with another journal, {ended} messages ended uncertain")


def _life(hello: Hello, before: Life) -> Life:
    same = hello.boot_id == before.boot_id
    return Life(
        boot_id=hello.boot_id,
        previous_boot_id=before.previous_boot_id if same else before.boot_id,
        journal_id=hello.journal_id,
        version=hello.agent_version,
    )


def _name(agent: Agent) -> str:
    return f"{agent.account}/{agent.id} ({agent.site})"
