"""What befalls the modems of a soak: each fault of the simulator with the same chance, and whom it struck.

A fault that takes a command's answer away strikes submissions only. Struck by nine such faults at 5 % each, not one
setup in a thousand, with its twenty commands, would come to its end. What only spoils the line strikes everywhere.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from edge_agent.simulator.air import Record
from edge_agent.simulator.conditions import clear
from edge_agent.simulator.fault_rows import CATALOGUE, Value
from edge_agent.simulator.handle import Handle
from edge_agent.simulator.simulator import Simulator

PIN = "1234"  # what the fault sim_pin locks a SIM with
SUBMIT_S = 3.0  # how long the agent of a soak waits for the answer to a PDU

ON_SUBMISSION = "+CMGS="
_OF_SUBMISSIONS = {
    "hang",
    "late_answer",
    "first_command_lost",
    "reboot_mid_command",
    "unplug",
    "replug",
    "usb_eio",
    "command_not_support",
    "busy",
    "sms_not_ready",
}
# Shorter than by default, so that a soak has more of them; of the modems with odd numbers the answer comes too late.
_SHORTER: dict[str, dict[str, Value]] = {
    "hang": {"seconds": 2.0},
    "hang_after_pdu": {"seconds": 2.0},
    "cmgl_hangs": {"seconds": 2.0},
    "report_late": {"seconds": 2.0},
}
_LATE_S = (SUBMIT_S / 3, SUBMIT_S * 1.3)

AFTER_PDU = frozenset({"hang_after_pdu", "reboot_after_pdu", "unplug_after_pdu", "late_answer"})
"""Between a PDU that is on the air and its answer."""
BEFORE_AIR = frozenset({"refuse_network"})
"""Between a PDU and the air: an error after which it may be out."""
NAMELESS = frozenset({"missing_reference"})
"""An answer without the message's reference."""


@dataclass(frozen=True, slots=True)
class Strike:
    modem: int
    name: str
    position: int  # in the record of the air


class Witness:
    """Sets the risks, and remembers which fault struck which modem when."""

    def __init__(self, simulator: Simulator, chance: float) -> None:
        self._simulator, self._chance = simulator, chance
        self.strikes: list[Strike] = []
        for handle in simulator.modems:
            handle.core.faults.on_strike = partial(self._struck, handle.core.index)
            for name in CATALOGUE if chance else ():
                self._risk(handle, name)

    @property
    def counts(self) -> Counter[str]:
        return Counter(strike.name for strike in self.strikes)

    def mend(self) -> None:
        """What a person has to: SIMs that are gone or barred come back, and may go again."""
        for handle in self._simulator.modems:
            core = handle.core
            for name in (
                ("sim_missing",) if not core.sim.inserted else ("sim_pin",) if not core.sim.pin_attempts else ()
            ):
                clear(core, name)
                handle.port.flush()
                self._risk(handle, name)

    def over(self) -> None:
        """No more faults; whoever is still unplugged comes back by itself."""
        for handle in self._simulator.modems:
            handle.clear()

    def struck_before_air(self, names: frozenset[str]) -> set[str]:
        """Recipients of messages that one of these faults struck, of those that strike before a message is out."""
        air = self._simulator.air
        return {_recipient(strike, air[strike.position :]) for strike in self.strikes if strike.name in names}

    def struck_on_air(self, names: frozenset[str]) -> set[str]:
        """The same for those that strike once it is out."""
        air = self._simulator.air
        return {_recipient(strike, air[strike.position - 1 :: -1]) for strike in self.strikes if strike.name in names}

    def _risk(self, handle: Handle, name: str) -> None:
        params = dict(_SHORTER.get(name, {}))
        if name == "late_answer":
            params["seconds"] = _LATE_S[handle.core.index % 2]
        handle.risk(name, self._chance, on=ON_SUBMISSION if name in _OF_SUBMISSIONS else "", **params)

    def _struck(self, modem: int, name: str) -> None:
        self.strikes.append(Strike(modem, name, len(self._simulator.air)))


def _recipient(strike: Strike, records: Iterable[Record]) -> str:
    """Of the modem's next record that is about a PDU."""
    for record in records:
        if record["modem"] == strike.modem and record["event"] in ("submit", "refused"):
            return str(record["to"]) if record["event"] == "submit" else _of_pdu(str(record["pdu"]))
    return ""


def _of_pdu(pdu: str) -> str:
    """TP-DA of a SMS-SUBMIT (3GPP TS 23.040 §9.2.2.2) behind an empty service centre address."""
    length = int(pdu[6:8], 16)
    swapped = pdu[10 : 10 + length + length % 2]
    digits = "".join(swapped[at + 1] + swapped[at] for at in range(0, len(swapped), 2))
    return "+" + digits[:length]
