"""A simulated modem on a bench: no pty, no clock; time passes when a test says so."""

import random

from edge_agent.simulator import conditions
from edge_agent.simulator.air import Air, Record
from edge_agent.simulator.fault_rows import Value
from edge_agent.simulator.identity import identity_of
from edge_agent.simulator.modem import Modem
from edge_agent.simulator.state import Traits
from edge_agent.simulator.vendors import VENDORS

ANSWER_S, REPORT_S, BOOT_S = 0.02, 0.3, 1.0
TRAITS = Traits(answer_delay=ANSWER_S, report_delay=REPORT_S, boot=BOOT_S)
# "hello" to +49171122334 with a report wanted, written out by hand; 19 octets after the empty service centre field.
HELLO = b"0031000B919471112233F40000FF05E8329BFD06"
HELLO_OCTETS = 19


class Bench:
    """`ask` writes a command and returns what has come back by now; `run` lets time pass."""

    def __init__(self, vendor: str = "plain", traits: Traits = TRAITS, seed: int = 1, echo: bool = False) -> None:
        self.air = Air()
        self.modem = Modem(0, identity_of(0), VENDORS[vendor], self.air, traits, random.Random(seed), 1_700_000_000.0)
        self.now = 0.0
        if not echo:
            self.ask("ATE0")

    def write(self, data: bytes) -> bytes:
        self.modem.feed(data, self.now)
        return self.modem.take()

    def ask(self, command: str) -> str:
        return self.write(command.encode() + b"\r").decode("latin-1")

    def run(self, seconds: float) -> bytes:
        return b"".join(piece for _, piece in self.pieces(seconds))

    def pieces(self, seconds: float) -> list[tuple[float, bytes]]:
        """What comes when, as (time, bytes)."""
        end, heard = self.now + seconds, []
        while (due := self.modem.due) is not None and due <= end:
            self.now = max(self.now, due)
            self.modem.tick(self.now)
            heard.append((self.now, self.modem.take()))
        self.now = end
        return [(when, piece) for when, piece in heard if piece]

    def arm(self, name: str, *, count: int | None = None, on: str = "", **params: Value) -> None:
        conditions.arm(self.modem, name, params, count=count, on=on)

    def want_reports(self) -> None:
        assert self.ask("AT+CNMI=2,1,0,1,0") == "\r\nOK\r\n"

    def submit(self, pdu: bytes = HELLO, octets: int = HELLO_OCTETS) -> str:
        """AT+CMGS to its answer."""
        assert self.ask(f"AT+CMGS={octets}") == "\r\n> "
        assert self.write(pdu + b"\x1a") == b""
        return self.run(ANSWER_S).decode()

    def events(self, kind: str) -> list[Record]:
        return [record for record in self.air.records if record["event"] == kind]
