"""Getting back in step after an answer that never came. Sans-IO; time is an argument.

Rule: nobody can tell whose a late answer is, so commands wait until the modem has answered a plain AT with one OK and
then been quiet. ESC goes first: should the modem sit at a prompt, AT would become part of a message.
"""

from collections.abc import Iterator
from enum import Enum, auto

from edge_agent.modem.commands import ESC
from edge_agent.modem.errors import parse_error

AFTER_ESC = 0.3  # s; what the ESC or a late answer provokes is thrown away meanwhile
QUIET = 0.25  # s without another final result: the OK was AT's own. Modems answer AT in some 10 ms, in order


class Step(Enum):
    """What `Resync` wants after each thing it was told."""

    WAIT = auto()
    WRITE = auto()  # take `output`
    DONE = auto()
    FAILED = auto()


class _Stage(Enum):
    DISCARDING = auto()
    ASKED = auto()
    LISTENING = auto()


class Resync:
    """One attempt, of as many rounds as `waits` has entries: how long to wait for the OK in each, in seconds."""

    def __init__(self, now: float, waits: tuple[float, ...]) -> None:
        self._waits: Iterator[float] = iter(waits)
        self.output = ESC
        self.deadline = now + AFTER_ESC
        self._stage = _Stage.DISCARDING

    def line(self, line: str, now: float) -> Step:
        """Tells a line that is no URC."""
        final = line == "OK" or parse_error(line) is not None
        if self._stage is _Stage.DISCARDING or not final:
            return Step.WAIT
        if self._stage is _Stage.LISTENING or line != "OK":
            return self._again(now)
        self._stage, self.deadline = _Stage.LISTENING, now + QUIET
        return Step.WAIT

    def tick(self, now: float) -> Step:
        """To be called when `deadline` has passed."""
        if self._stage is _Stage.LISTENING:
            return Step.DONE
        if self._stage is _Stage.ASKED:
            return self._again(now)
        wait = next(self._waits, None)
        if wait is None:
            return Step.FAILED
        self.output, self.deadline, self._stage = b"AT\r", now + wait, _Stage.ASKED
        return Step.WRITE

    def _again(self, now: float) -> Step:
        self.output, self.deadline, self._stage = ESC, now + AFTER_ESC, _Stage.DISCARDING
        return Step.WRITE
