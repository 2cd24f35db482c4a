"""The cloud's side of the talk with one agent: what each frame does.

Rules: a frame may come late, twice, or on an old connection, and no order is relied on. Whatever is posted is also in a
table, so a post that fails loses nothing; a connection that turns out to be gone is cleared at once.
"""

import logging

from shared.message import Agent, Port
from shared.ports import Gone, Unavailable
from shared.presence import NOTE_EVERY_S
from shared.usecases.agent_events import EventTaker
from shared.usecases.agent_line import AgentLine, Connection, SessionPorts
from shared.usecases.capping import Capping
from shared.usecases.greeting import greet
from shared.wire import (
    NOT_THERE,
    Accepted,
    Ack,
    BadFrame,
    Events,
    FromAgent,
    Heartbeat,
    Hello,
    Reconnect,
    Refused,
    SpanInfo,
    Spans,
    UnknownEvent,
    decode_from_agent,
)

_log = logging.getLogger(__name__)

# A heartbeat on a connection that was replaced so long ago is not in flight: two processes live with one identity.
_SUPERSEDED_S = 60.0

# Events between two acknowledgements. A frame may hold over a hundred; a function that is cut short in the middle of it
# has told of those before, so that what is said again is less each time.
_RUN = 20


def receive(text: str, connection: Connection, ports: SessionPorts) -> None:
    """One frame. What cannot be done now is left for the agent to say again."""
    line = AgentLine(connection, ports)
    try:
        _dispatch(decode_from_agent(text), line)
    except BadFrame as fault:
        _answer_bad_frame(fault, len(text), line)
    except Gone:
        line.give_up()
    except Unavailable as fault:
        _log.warning("a frame was left for later", extra=line.facts() | {"fault": str(fault)})


def disconnect(connection: Connection, ports: SessionPorts) -> None:
    """The gateway says that a connection has ended; it says so late, or not at all."""
    AgentLine(connection, ports).give_up()


def _answer_bad_frame(fault: BadFrame, size: int, line: AgentLine) -> None:
    _log.warning("a frame that cannot be read", extra=line.facts() | {"fault": str(fault), "size": size})
    try:
        line.post(Refused(code=fault.code, text=str(fault)))
    except (Gone, Unavailable):
        return  # the next frame shows it


def _dispatch(frame: FromAgent, line: AgentLine) -> None:
    match frame:
        case Hello():
            greet(frame, line)
        case Heartbeat():
            _heartbeat(frame, line)
        case Spans():
            _spans(frame, line)
        case _ if line.admitted() is None:
            return  # revoked, but on an older connection, which nobody has on record to be closed
        case Accepted():
            _accepted(frame, line)
        case Events():
            _events(frame, line)


def _heartbeat(heartbeat: Heartbeat, line: AgentLine) -> None:
    agent = line.admitted()
    if agent is None or not (agent.connection == line.connection.id or _counts_again(agent, line)):
        return
    now = line.ports.clock.now()
    if now - agent.last_seen >= NOTE_EVERY_S:
        line.ports.accounts.seen(agent.account, agent.id, at=now)
    line.drain_if_not(heartbeat.held)


def _counts_again(agent: Agent, line: AgentLine) -> bool:
    """For a connection that is not the one on record."""
    if not agent.connection:
        return line.take_over(None)  # it was given up too early
    if line.ports.clock.now() - agent.connected_at > _SUPERSEDED_S:
        line.post(Reconnect(after_s=0))  # its hello will show whether it is the same process
    return False


def _accepted(accepted: Accepted, line: AgentLine) -> None:
    if accepted.refused:
        _log.warning("the agent takes no new work", extra=line.facts() | {"why": accepted.refused})
    elif accepted.cursor:
        line.drain(accepted.cursor)


def _events(events: Events, line: AgentLine) -> None:
    one, ports = line.connection, line.ports
    taker = EventTaker(
        account=one.account,
        agent=one.agent,
        accounts=ports.accounts,
        outbox=ports.outbox,
        inbox=ports.inbox,
        pushes=ports.pushes,
        capping=Capping(ports.tallies, ports.clock),
        clock=ports.clock,
    )
    unknown = [event for event in events.events if isinstance(event, UnknownEvent)]
    known = [event for event in events.events if not isinstance(event, UnknownEvent)]
    for start in range(0, len(known), _RUN):
        run = known[start : start + _RUN]
        taken = taker.take(run)
        if taken:
            line.post(Ack(event_ids=taken))
        if len(taken) < len(run):
            break  # a service is out of reach
    if unknown:
        raise BadFrame("unknown_kind", f"{len(unknown)} events not taken, of a kind or form not known here")


def _spans(spans: Spans, line: AgentLine) -> None:
    one, accounts = line.connection, line.ports.accounts
    gone = [SpanInfo(span=span, available=False, reason=NOT_THERE) for span in spans.gone]
    try:
        known = accounts.ports_of(one.account, one.agent)
        if any(info.span not in known or _is_better_known(info, known[info.span]) for info in spans.changed):
            line.welcome(accounts.allot_ports(one.account, one.agent, spans.changed))
        line.save_spans([*spans.changed, *gone], at=spans.at or line.ports.clock.now(), whole=False)
    except Unavailable:
        # This frame is not said again, but a new hello tells all spans.
        line.post(Refused(code="unavailable", text="the spans could not be stored"))
        raise


def _is_better_known(info: SpanInfo, port: Port) -> bool:
    """Its port may get the name that it should have."""
    return bool(info.technology and not port.technology) or bool(info.name and info.name != port.told_name)
