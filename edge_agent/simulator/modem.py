"""One simulated modem, sans-IO: bytes in by `feed`, time by `tick`, bytes out by `take`, and `due` says when to tick.

Rule: no clock, no file descriptor, no randomness of its own. What one command does stands in commands_*.py.
"""

import random
from collections.abc import Callable

from edge_agent.simulator import accidents, dispatch, noise
from edge_agent.simulator.agenda import Agenda
from edge_agent.simulator.air import Air, Json, Record
from edge_agent.simulator.faults import FaultBox
from edge_agent.simulator.identity import Identity, Sim
from edge_agent.simulator.inbox import Inbox
from edge_agent.simulator.line import Line
from edge_agent.simulator.network import Network
from edge_agent.simulator.power import Power
from edge_agent.simulator.results import AtError
from edge_agent.simulator.state import Radio, SimCard, Traits, factory_settings, new_stores
from edge_agent.simulator.submission import Submission
from edge_agent.simulator.ussd import Ussd
from edge_agent.simulator.vendors import Vendor

# A line longer than this is noise to a modem; V.250 leaves the limit to the maker.
_LONGEST_LINE = 2048
_CTRL_Z, _ESC = b"\x1a", b"\x1b"


class Modem:
    def __init__(
        self,
        index: int,
        identity: Identity,
        vendor: Vendor,
        air: Air,
        traits: Traits,
        rng: random.Random,
        epoch: float = 0.0,
    ) -> None:
        """`epoch` is the Unix time at which `now` would have been 0."""
        self.index, self.identity = index, identity
        self.vendor: Vendor = vendor
        self.air, self.traits, self.rng = air, traits, rng
        self.now, self._epoch = 0.0, epoch
        self.agenda = Agenda()
        self.line = Line(self.agenda)
        self.faults = FaultBox(rng)
        self.settings = factory_settings(vendor)
        self.stores = new_stores(vendor)
        self.sim = SimCard(identity.sim, traits.pin)
        self.radio = Radio()
        self.submission, self.inbox, self.network = Submission(self), Inbox(self), Network(self)
        self.power, self.ussd = Power(self), Ussd(self)
        self.command = ""
        self.busy = False
        self.wishes: list[accidents.Wish] = []  # what only the shell around this core can do: pull the plug
        self._rx = bytearray()
        self._held: list[str] = []
        self._heard_at = 0.0

    # What the shell calls.

    @property
    def due(self) -> float | None:
        return self.agenda.due

    def feed(self, data: bytes, now: float) -> None:
        """Bytes that the computer wrote. A modem that hangs or boots loses them."""
        self.now = now
        if not self.power.deaf:
            self._rx += data
            self._work()

    def tick(self, now: float) -> None:
        self.now = now
        while (action := self.agenda.next_before(now)) is not None:
            action()
        self._work()

    def take(self) -> bytes:
        return self.line.take()

    # What commands and faults call.

    @property
    def time(self) -> float:
        """Unix time."""
        return self._epoch + self.now

    @property
    def who(self) -> Record:
        return {"at": round(self.time, 4), "modem": self.index, "imei": self.identity.imei}

    @property
    def registration(self) -> int:
        """27.007 §7.2: 0 without radio or usable SIM."""
        if self.radio.function != 1 or not self.sim.inserted or not self.sim.unlocked:
            return 0
        if self.faults and self.faults.strikes("registration_denied"):
            return 3
        if self.now < self.power.registered_from or (self.faults and self.faults.strikes("not_registered")):
            return 2
        return self.radio.stat

    @property
    def registered(self) -> bool:
        return self.registration in (1, 5)

    def later(self, delay: float, action: Callable[[], None]) -> None:
        """Unless a reset comes first."""
        boots = self.power.boots
        self.agenda.at(self.now + delay, lambda: action() if boots == self.power.boots else None)

    def answer(self, lines: list[str], final: str = "OK", delay: float = 0.0) -> None:
        """The end of the command in flight: information lines, then the final result (V.250 §5.7)."""
        text = "\r\n" + "\r\n".join(lines) + "\r\n" if lines else ""
        self.busy = True
        if self.faults:
            late = self.faults.strikes("late_answer", self.command)
            delay += late.number("seconds") if late else 0.0
        data = f"{text}\r\n{final}\r\n".encode()
        if delay > 0:
            self.later(delay, lambda: self._finish(data))
        else:
            self._finish(data)

    def fail(self, error: AtError, delay: float = 0.0) -> None:
        self.answer([], error.final(self.settings.cmee), delay)

    def urc(self, text: str) -> None:
        """An unsolicited line; kept back while the prompt is open, as a modem does that behaves."""
        if self.submission.open:
            self._held.append(text)
        else:
            self.say(f"\r\n{text}\r\n".encode())

    def say(self, data: bytes) -> None:
        split = self.faults.strikes("split_reads", self.command) if self.faults else None
        self.line.write(data, self.now, split.number("gap") if split else 0.0)

    def prompt_closed(self) -> None:
        held, self._held = self._held, []
        for text in held:
            self.urc(text)
        self.inbox.pump()

    def insert(self, sim: Sim, pin: str | None) -> None:
        """Another card, and what is stored on it."""
        self.sim = SimCard(sim, pin)
        self.stores["SM"].slots.clear()

    def summary(self) -> Record:
        """For a person or a test that asks how it stands."""
        settings = self.settings
        return {
            "modem": self.index,
            "model": self.vendor.model,
            "imei": self.identity.imei,
            "imsi": self.sim.who.imsi,
            "iccid": self.sim.who.iccid,
            "sim": self.sim.state if self.sim.inserted else "none",
            "pin_attempts": self.sim.pin_attempts,
            "registration": self.registration,
            "echo": settings.echo,
            "cnmi": list(settings.cnmi),
            "prompt_open": self.submission.open,
            "last_mr": self.network.last_reference,
            "waiting": len(self.inbox.waiting),
            "stored": {name: len(store.slots) for name, store in self.stores.items()},
            "faults": list[Json](self.faults.names),
        }

    def drop_input(self) -> None:
        """What was typed, asked or kept back is forgotten."""
        self.busy = self.submission.open = False
        self._rx.clear()
        self._held.clear()

    # Inside.

    def _finish(self, data: bytes) -> None:
        self.busy = False
        self.say(noise.spoiled(self, data) if self.faults else data)
        self.inbox.pump()

    def _work(self) -> None:
        while self._rx and not self.busy and not self.power.deaf:
            if not (self._take_pdu() if self.submission.open else self._take_line()):
                return

    def _take_line(self) -> bool:
        end = self._rx.find(b"\r")
        if end < 0:
            del self._rx[: max(0, len(self._rx) - _LONGEST_LINE)]
            return False
        raw = bytes(self._rx[:end])
        del self._rx[: end + 1]
        self._echo(raw + b"\r")
        idle, self._heard_at = self.now - self._heard_at, self.now
        line = raw.translate(None, b"\n\x00" + _CTRL_Z + _ESC).decode("latin-1")
        at = line.upper().find("AT")  # V.250 §5.2.1: whatever stands before the prefix is ignored
        if at >= 0:
            self.command = line[at:].upper()
            if not (self.faults and accidents.befalls(self, idle)):
                dispatch.run(self, line[at + 2 :])
        return True

    def _take_pdu(self) -> bool:
        """Everything up to Ctrl-Z, or ESC which takes it back (27.005 §3.5.1). There is no time limit."""
        escape, end = self._rx.find(_ESC), self._rx.find(_CTRL_Z)
        cancelled = escape >= 0 and (end < 0 or escape < end)
        stop = escape if cancelled else end
        if stop < 0:
            return False
        digits = bytes(self._rx[:stop])
        del self._rx[: stop + 1]
        self._echo(digits)
        if cancelled:
            self.submission.cancel()
        else:
            self.submission.finish(digits)
        return True

    def _echo(self, data: bytes) -> None:
        if self.settings.echo or (self.faults and self.faults.strikes("echo_stays")):
            self.line.write(data, self.now)
