"""A modem that plays a script: `> ` what it must be told, `< ` what it says. Format: tests/transcripts/README.md."""

import asyncio
import math
from dataclasses import dataclass, field

from edge_agent.modem.channel import Channel
from edge_agent.modem.reply import Outcome, Urc


class OffScript(AssertionError):
    """The modem was told something else."""


@dataclass
class Ear:
    """A Listener that remembers."""

    urcs: list[Urc] = field(default_factory=list)
    troubles: list[tuple[Outcome, str]] = field(default_factory=list)

    def on_urc(self, urc: Urc) -> None:
        self.urcs.append(urc)

    def on_trouble(self, outcome: Outcome, reason: str) -> None:
        self.troubles.append((outcome, reason))


class ScriptedModem:
    """A Link. Says what stands before the first `>` on its own, each answer after what it answers."""

    device = "/dev/script"

    def __init__(self, script: str) -> None:
        self._lines = [line for line in script.splitlines() if line[:1] in {">", "<"}]
        self._heard = b""
        self.receiver: Channel | None = None
        self.closed = False

    @property
    def done(self) -> bool:
        return not self._lines

    @property
    def next(self) -> str:
        """The next line of the script."""
        return self._lines[0]

    def extend(self, script: str) -> None:
        self._lines += [line for line in script.splitlines() if line[:1] in {">", "<"}]
        self.speak()

    def write(self, data: bytes) -> None:
        self._heard += data
        while self._lines and self._heard:
            wanted = _heard(self._lines[0])
            if not self._heard.startswith(wanted[: len(self._heard)]):
                raise OffScript(f"wanted {wanted!r}, was told {self._heard!r}")
            if len(self._heard) < len(wanted):
                return
            del self._lines[0]
            self._heard = self._heard[len(wanted) :]
            self.speak()
        if self._heard:
            raise OffScript(f"the script is over, and was told {self._heard!r}")

    def speak(self) -> None:
        said = b""
        while self._lines and self._lines[0].startswith("<"):
            said += _said(self._lines.pop(0))
        if said:
            asyncio.get_running_loop().call_soon(self._tell, said)

    def _tell(self, said: bytes) -> None:
        if self.receiver is not None and not self.closed:
            self.receiver.data_received(said)

    def close(self) -> None:
        self.closed = True


def _heard(line: str) -> bytes:
    text = line[1:].removeprefix(" ")
    if text.endswith("^Z"):
        return text[:-2].encode("latin-1") + b"\x1a"
    return b"\x1b" if text == "^[" else text.encode("latin-1") + b"\r"


def _said(line: str) -> bytes:
    text = line[1:].removeprefix(" ")
    return b"\r\n> " if text == ">" else b"\r\n" + text.encode("latin-1") + b"\r\n"


SYNC = "> ^[\n> AT\n< OK\n> AT+CMEE?\n< +CMEE: 1\n< OK\n"


async def scripted(
    script: str, ear: Ear | None = None, *, wake_after: float = math.inf
) -> tuple[Channel, ScriptedModem]:
    """A channel that is in step with a modem which plays `script` from here on."""
    modem = ScriptedModem(SYNC)
    channel = Channel(ear or Ear(), (1.0, 2.0), wake_after=wake_after)
    modem.receiver = channel
    channel.attach(modem)
    assert await channel.synchronise()
    modem.extend(script)
    return channel, modem
