"""What the agent holds in memory of the journal: plain values without I/O."""

from dataclasses import dataclass, field
from enum import IntEnum


class JournalBroken(Exception):
    """The journal's file cannot be used at all; the text says why."""


class JournalDamaged(JournalBroken):
    """What is in the file is not what was written."""


class JournalUnavailable(Exception):
    """The journal cannot take anything new now (disk full, read-only, damaged); the text says why."""


class JobState(IntEnum):
    """Stored in jobs.state: never renumber."""

    OPEN = 0
    SENT = 1
    UNCERTAIN = 2
    ENDED = 3  # refused, unavailable, expired or cancelled: nothing can change it any more
    REPORTED = 4


class PartState(IntEnum):
    """Stored in parts.state: never renumber."""

    MARKED = 0  # about to be handed over, or just being
    TAKEN = 1
    UNKNOWN = 2  # handed over, and no answer came
    DELIVERED = 3
    FAILED = 4

    @property
    def final(self) -> bool:
        """Whether the network's last word on it is known."""
        return self is PartState.DELIVERED or self is PartState.FAILED

    @property
    def with_network(self) -> bool:
        """Whether it is certain that the modem took it."""
        return self is PartState.TAKEN or self.final


@dataclass(slots=True, eq=False)
class HeldPart:
    """One part that was handed to a modem, or is just being. `at`: the mark's time, then that of the answer."""

    number: int  # from 0
    total: int
    span: str
    imsi: str
    at: float  # epoch s
    state: PartState = PartState.MARKED
    mr: int | None = None


@dataclass(slots=True, eq=False)
class HeldJob:
    """One job from its acceptance until nothing can be learned of it any more."""

    id: str
    to: str
    text: str
    spans: tuple[str, ...]
    deadline: float  # epoch s
    report: bool
    ref: int  # joins its parts at the receiver (3GPP TS 23.040 §9.2.3.24.1), the same after a restart
    state: JobState = JobState.OPEN
    parts: list[HeldPart] = field(default_factory=list)
    tried: tuple[str, ...] = ()  # spans that would not take it since it last waited
    home: str = ""  # the span in whose queue it waits; dispatch.py's own

    @property
    def taken(self) -> int:
        """How many parts the modem is known to have taken."""
        return len([part for part in self.parts if part.state.with_network])

    @property
    def total(self) -> int:
        return self.parts[0].total if self.parts else 1

    @property
    def local(self) -> bool:
        """Whether it came from this site's own command line, so that the cloud knows nothing of it."""
        return self.id.startswith(LOCAL_PREFIX)


LOCAL_PREFIX = "local."


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as it will be told: its stable id, and its JSON as shared/wire.py defines it."""

    id: str
    body: str


@dataclass(frozen=True, slots=True)
class ReceivedPart:
    """A raw SMS-DELIVER that is kept because its message is not whole yet."""

    digest: str
    span: str
    imsi: str
    pdu: str
    at: float


@dataclass(frozen=True, slots=True)
class EarlyReport:
    """A raw SMS-STATUS-REPORT that came before the answer to the part that it may speak of."""

    sim: str
    pdu: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """All that a journal holds at start."""

    journal_id: str
    jobs: tuple[HeldJob, ...]  # those that something can still be learned of
    events: tuple[EventRow, ...]  # not acknowledged, in order
    received: tuple[ReceivedPart, ...]
    early_reports: tuple[EarlyReport, ...]
    last_seen: float  # epoch s: it is not earlier than this
