"""Getting back in step after an answer that never came. Sans-IO; time is an argument.

Rule: nobody can tell whose a late OK is, and some modems keep what is typed while they are busy and answer all of it,
one after the other. So commands wait until a plain AT was answered with OK, and then a question that nobody else asks:
modems answer in order, so with its answer nothing older is to come. ESC goes first: should the modem sit at a prompt,
AT would become part of a message.
"""

from collections.abc import Iterator
from enum import Enum, auto
from itertools import cycle

from edge_agent.modem.commands import ESC
from edge_agent.modem.errors import parse_error

AFTER_ESC = 0.3  # s; what the ESC or a late answer provokes is thrown away meanwhile
LAST_WORD = 10.0  # s for the answer to the question, behind some ATs of 2 s each where a modem is that slow
QUIET = 0.25  # s without another final result, for modems that take up a command before the last one has ended

# No notice looks like their answers, and they need no SIM. In turn: one that came too late is not the next one's.
QUESTIONS = ("+CMEE", "+CMGF")


class Step(Enum):
    """What `Resync` wants after each thing it was told."""

    WAIT = auto()
    WRITE = auto()  # take `output`
    DONE = auto()
    FAILED = auto()


class _Stage(Enum):
    DISCARDING = auto()
    ASKED = auto()  # AT
    QUESTIONED = auto()
    ANSWERED = auto()  # the question; its OK is to come
    LISTENING = auto()


class Resync:
    """One attempt, of as many rounds as `waits` has entries: how long to wait for the OK in each, in seconds."""

    def __init__(self, now: float, waits: tuple[float, ...]) -> None:
        self._waits: Iterator[float] = iter(waits)
        self._questions = cycle(QUESTIONS)
        self._question = ""
        self.output = ESC
        self.deadline = now + AFTER_ESC
        self._stage = _Stage.DISCARDING

    def awaits(self, line: str) -> bool:
        """Whether a line that looks like a notice is the answer to the question."""
        return self._stage is _Stage.QUESTIONED and line.startswith(self._question + ":")

    def line(self, line: str, now: float) -> Step:
        """Tells a line that is no URC."""
        if self.awaits(line):
            self._stage = _Stage.ANSWERED
        elif line == "OK":
            return self._ok(now)
        elif (error := parse_error(line)) is not None and self._stage is not _Stage.DISCARDING:
            # +CMS ERROR answers a submission, so it is a late one; any other says that the question is not known.
            asked = self._stage in {_Stage.QUESTIONED, _Stage.ANSWERED} and error.kind != "CMS"
            return self._listen(now) if asked else self._again(now)
        return Step.WAIT

    def tick(self, now: float) -> Step:
        """To be called when `deadline` has passed."""
        if self._stage is _Stage.LISTENING:
            return Step.DONE
        if self._stage is not _Stage.DISCARDING:
            return self._again(now)
        wait = next(self._waits, None)
        if wait is None:
            return Step.FAILED
        return self._write(b"AT\r", _Stage.ASKED, now + wait)

    def _ok(self, now: float) -> Step:
        if self._stage is _Stage.ASKED:
            self._question = next(self._questions)
            return self._write(f"AT{self._question}?\r".encode(), _Stage.QUESTIONED, now + LAST_WORD)
        if self._stage is _Stage.ANSWERED:
            return self._listen(now)
        return self._again(now) if self._stage is _Stage.LISTENING else Step.WAIT

    def _listen(self, now: float) -> Step:
        self._stage, self.deadline = _Stage.LISTENING, now + QUIET
        return Step.WAIT

    def _again(self, now: float) -> Step:
        return self._write(ESC, _Stage.DISCARDING, now + AFTER_ESC)

    def _write(self, output: bytes, stage: _Stage, deadline: float) -> Step:
        self.output, self._stage, self.deadline = output, stage, deadline
        return Step.WRITE
