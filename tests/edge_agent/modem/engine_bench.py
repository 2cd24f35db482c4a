"""The engine on a bench: a clock that a test turns, what the engine wrote, and what it told."""

from collections.abc import Iterable
from typing import TypeVar

from edge_agent.modem.commands import Command
from edge_agent.modem.engine import Engine, Phase
from edge_agent.modem.reply import Answered, Event, Reply, Urc

_E = TypeVar("_E")
WAITS = (1.0, 2.0)
SUBMIT = Command("AT+CMGS=19", "+CMGS:", 60.0, payload=b"0011\x1a")
SYNC = (
    (b"AT\r", b"\r\nOK\r\n"),
    (b"AT+CMEE?\r", b"\r\n+CMEE: 1\r\n\r\nOK\r\n"),
    (b"AT+CMGF?\r", b"\r\n+CMGF: 0\r\n\r\nOK\r\n"),
)
SIGNAL = Command("AT+CSQ", "+CSQ:", 5.0)


class Bench:
    """A synchronised engine, unless `synced` is False."""

    def __init__(self, *, synced: bool = True) -> None:
        self.engine = Engine(WAITS)
        self.now = 1000.0
        self.events: list[Event] = []
        self.written = b""
        if synced:
            self.engine.resynchronise(self.now)
            self.synchronise()
            self.events.clear()
            self.written = b""

    def say(self, *chunks: bytes) -> None:
        """The modem writes."""
        for chunk in chunks:
            self.events += self.engine.receive(chunk, self.now)
            self.written += self.engine.data_to_send()

    def start(self, command: Command) -> None:
        self.engine.start(command, self.now)
        self.written += self.engine.data_to_send()

    def release(self) -> None:
        self.engine.release(self.now)
        self.written += self.engine.data_to_send()

    def wait(self, seconds: float) -> None:
        """Turns the clock, ticking whenever the engine asked to."""
        end = self.now + seconds
        while self.engine.deadline is not None and self.engine.deadline <= end:
            self.now = max(self.now, self.engine.deadline)
            self.events += self.engine.tick(self.now)
            self.written += self.engine.data_to_send()
        self.now = end

    def synchronise(self, most: int = 20) -> None:
        """Plays a modem that answers AT, until the engine is idle."""
        for _ in range(most):
            if self.engine.phase is not Phase.RESYNC:
                break
            self.wait(0.31)
            for written, said in SYNC:
                if self.written.endswith(written):
                    self.written = b""
                    self.say(said)
        assert self.engine.phase is Phase.IDLE

    def of(self, kind: type[_E]) -> list[_E]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def replies(self) -> list[Reply]:
        return [event.reply for event in self.of(Answered)]

    @property
    def reply(self) -> Reply:
        (reply,) = self.replies
        return reply

    @property
    def urcs(self) -> list[Urc]:
        return self.of(Urc)


def bytewise(data: bytes) -> Iterable[bytes]:
    return (data[index : index + 1] for index in range(len(data)))
