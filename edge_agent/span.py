"""What the modem side and the rest of the agent say to each other: values and two Protocols, no I/O.

The modem side (edge_agent/modem/supervisor.py) keeps each span alive and, while it is ready, runs the agent's worker on
it. The worker (edge_agent/agent.py) takes jobs from the journal and submits them part by part. Rule: a `Submission` is
never an exception; it says with certainty what is known, because "at most once on the air" hangs on it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from edge_agent.modem.pdu import SubmitPdu


class SpanState(StrEnum):
    """Where a span is in its life; the reason in words goes beside it."""

    ABSENT = "absent"
    PROBING = "probing"
    SIM_PIN = "sim_pin"
    REGISTERING = "registering"
    READY = "ready"
    SENDING = "sending"
    RECOVERING = "recovering"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanStatus:
    """What is known of one span now. Compare without `signal_dbm` to tell whether a person would care."""

    span: str  # identity: "imei:<15 digits>", or "cfg:<name>" where the modem tells no IMEI
    state: SpanState
    reason: str = ""  # why it is not available, in words; empty when it is
    name: str = ""
    technology: str = ""
    device: str = ""
    imei: str = ""
    imsi: str = ""
    iccid: str = ""
    operator: str = ""
    signal_dbm: int | None = field(default=None, compare=False)
    sim_full: bool = False
    next_at: float | None = None  # epoch s
    balance: str = ""

    @property
    def available(self) -> bool:
        """Whether a message given to this span now would go out soon."""
        return self.state in {SpanState.READY, SpanState.SENDING} and not self.reason


@dataclass(frozen=True, slots=True)
class Taken:
    """The modem took the part: `+CMGS: <mr>`. `mr` is None when the modem tells no usable TP-MR."""

    mr: int | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Modem or network said no, so this part is not on the air. `elsewhere`: another span may well succeed."""

    code: str  # "CMS 38", "CME 14", "ERROR"
    text: str
    elsewhere: bool


@dataclass(frozen=True, slots=True)
class NotSubmitted:
    """Not one byte of the PDU was written: free to be tried again, on this span or another."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The PDU (or some of it) was written and no answer came: it may be on the air."""

    reason: str


Submission = Taken | Refusal | NotSubmitted | Unknown


class Cut(asyncio.CancelledError):
    """The submission was cancelled, and this is known of the part all the same."""

    def __init__(self, known: Submission) -> None:
        super().__init__()
        self.known = known


class ReadyModem(Protocol):
    """A span that is registered and ready, lent to the worker."""

    @property
    def span(self) -> str: ...

    @property
    def imsi(self) -> str: ...

    async def submit(self, pdu: SubmitPdu, mark: Callable[[], Awaitable[None]], *, more: bool = False) -> Submission:
        """Hands one TPDU over. `mark` is started with AT+CMGS and awaited before the first byte of the PDU.

        `more` tells that further parts follow at once (AT+CMMS). Never raises but CancelledError, as Cut where it is
        known what became of the part; when cancelled otherwise after `mark`, the caller treats it as Unknown. When
        `mark` raises, the prompt is left with ESC and NotSubmitted is returned.
        """
        ...


class AgentSide(Protocol):
    """What the agent gives to the modem side."""

    async def work(self, modem: ReadyModem) -> None:
        """Runs while the span is ready; ends by cancellation, or by returning when it wants the span checked."""
        ...

    def status_report(self, span: str, imsi: str, pdu: str) -> Awaitable[None]:
        """A raw SMS-STATUS-REPORT in hex, direct or from store. May be a duplicate, nothing of ours, or no report at
        all, and is then kept as `delivered` keeps it.

        It is taken at once. What is returned is awaited before the modem side acknowledges (CNMA) or deletes (CMGD) it:
        then it is on disk.
        """
        ...

    async def delivered(self, span: str, imsi: str, pdu: str) -> None:
        """A raw SMS-DELIVER in hex. After it returns, with this on disk, the modem side acknowledges or deletes it."""
        ...

    def status_changed(self, status: SpanStatus) -> None: ...
