"""The status of one span. Rule: a change that a person would care about is told once, at once; nothing else is told."""

from dataclasses import replace
from typing import TypedDict, Unpack

from edge_agent.span import AgentSide, SpanState, SpanStatus


class Facts(TypedDict, total=False):
    """What may become known beside state and reason."""

    device: str
    imsi: str
    iccid: str
    operator: str
    technology: str
    signal_dbm: int | None
    sim_full: bool
    balance: str


class StatusKeeper:
    """Holds the newest status, and tells the agent of it when it differs."""

    def __init__(self, first: SpanStatus, agent: AgentSide) -> None:
        self.status = first
        self._agent = agent
        agent.status_changed(first)

    def tell(self, state: SpanState, reason: str = "", **facts: Unpack[Facts]) -> None:
        """`reason` is empty exactly when the span is available."""
        status = replace(self.status, state=state, reason=reason, **facts)
        changed = status != self.status  # signal does not count, see SpanStatus
        self.status = status
        if changed:
            self._agent.status_changed(status)

    def note(self, **facts: Unpack[Facts]) -> None:
        """What was learnt while the state stays as it is."""
        self.tell(self.status.state, self.status.reason, **facts)
