"""What comes out of the AT engine: the reply to a command, and events. Values only."""

from dataclasses import dataclass
from enum import Enum, auto

from edge_agent.modem.errors import AtError


class Outcome(Enum):
    """How a command ended."""

    OK = auto()
    ERROR = auto()  # the modem said no; `Reply.error` tells how
    TIMEOUT = auto()  # no final result in time
    NO_PROMPT = auto()  # no `>` in time; ESC was written instead of the PDU
    ABANDONED = auto()  # the caller withdrew at the prompt; ESC was written instead of the PDU
    REBOOTED = auto()  # the modem started anew in the middle of it
    GONE = auto()  # the port went away, or the modem is past resynchronising


@dataclass(frozen=True, slots=True)
class Reply:
    """The end of one command. `lines` are its answer lines, in order, PDUs of stored messages among them."""

    outcome: Outcome
    lines: tuple[str, ...] = ()
    error: AtError | None = None
    payload_sent: bool = False  # the PDU, or some of it, was given to the port
    reason: str = ""  # in words, where `outcome` alone does not tell

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.OK

    @property
    def in_words(self) -> str:
        """Why it was not OK."""
        if self.error is not None:
            return f"{self.error.text} ({self.error.code})"
        return self.reason or _WORDS[self.outcome]


_WORDS = {
    Outcome.OK: "",
    Outcome.ERROR: "the modem refused",
    Outcome.TIMEOUT: "the modem did not answer in time",
    Outcome.NO_PROMPT: "the modem gave no prompt for the message",
    Outcome.ABANDONED: "withdrawn before the message was handed over",
    Outcome.REBOOTED: "the modem restarted",
    Outcome.GONE: "the modem's port is gone",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """The command in flight has ended; the next may start unless the engine resynchronises."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Urc:
    """Something the modem said by itself. `pdu` is the second line of +CMT, +CDS and +CBM."""

    text: str
    pdu: str = ""


@dataclass(frozen=True, slots=True)
class Prompted:
    """The modem waits for the PDU; it is held back until `Engine.release`."""


@dataclass(frozen=True, slots=True)
class Synced:
    """Answers can be trusted again."""


@dataclass(frozen=True, slots=True)
class Rebooted:
    """The modem started anew: all settings are gone. Comes after the `Answered` of what was in flight."""

    said: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The modem could not be resynchronised; the engine is of no more use until `resynchronise`."""

    reason: str


Event = Answered | Urc | Prompted | Synced | Rebooted | Lost
