"""The network behind one SIM: takes submissions, sends reports and messages. It runs on while the modem is down."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from edge_agent.simulator import air_encode
from edge_agent.simulator.air_codec import Submit
from edge_agent.simulator.inbox import Incoming

if TYPE_CHECKING:
    from edge_agent.simulator.faults import FaultBox
    from edge_agent.simulator.modem import Modem

# TS 23.040 §9.2.3.15
DELIVERED = 0x00


@lru_cache(maxsize=64)
def _stamp(second: int, quarters: int) -> bytes:
    return air_encode.timestamp(second, quarters)


def report_plan(faults: FaultBox, delay: float) -> list[tuple[float, int]]:
    """When, counted from the +CMGS answer, which statuses are reported for one accepted part."""
    if not faults:
        return [(delay, DELIVERED)]
    if faults.strikes("report_lost"):
        return []
    late = faults.strikes("report_late")
    delay = late.number("seconds") if late else delay
    failed = faults.strikes("report_failed")
    final = int(failed.number("status")) if failed else DELIVERED
    plan = [(delay, final)]
    temporary = faults.strikes("report_temporary_then_final")
    if temporary:
        plan = [(delay, int(temporary.number("status"))), (delay + temporary.number("seconds"), final)]
    duplicate = faults.strikes("report_duplicate")
    if duplicate:
        plan.append((plan[-1][0] + duplicate.number("seconds"), final))
    return plan


class Network:
    def __init__(self, modem: Modem) -> None:
        self._modem = modem
        self._last_reference = 0
        self._concat_reference = 0

    def accept(self, submit: Submit) -> int:
        """Takes a TPDU: it is on the air from now on. Answers the TP-MR, which wraps at 256 (23.040 §9.2.3.6)."""
        modem = self._modem
        reference = self._last_reference = (self._last_reference + 1) % 256
        modem.air.submit(modem.who, modem.sim.who.imsi, reference, submit)
        if submit.wants_report and modem.traits.reports:
            self._plan_reports(reference, submit)
        return reference

    def _plan_reports(self, reference: int, submit: Submit) -> None:
        modem = self._modem
        submitted, answered = modem.time, modem.now + modem.traits.answer_delay
        early = modem.faults.strikes("report_before_answer")
        for delay, status in report_plan(modem.faults, modem.traits.report_delay):
            when = modem.now if early else answered + delay
            modem.agenda.at(when, lambda status=status: self._report(reference, submit, status, submitted))  # type: ignore[misc]

    def _report(self, reference: int, submit: Submit, status: int, submitted: float) -> None:
        modem, quarters = self._modem, self._modem.traits.zone_quarters
        tpdu = air_encode.status_report(
            reference, submit.address, status, _stamp(int(submitted), quarters), _stamp(int(modem.time), quarters)
        )
        modem.inbox.arrive(Incoming("report", tpdu, {"mr": reference, "to": submit.to, "st": status}))

    def send(self, sender: str, text: str, *, order: list[int] | None = None, wide: bool = False) -> None:
        """A message for this SIM, in parts where it's long; `order` counts from 1 and may repeat or leave out some."""
        self._concat_reference = (self._concat_reference + 1) % (65536 if wide else 256)
        stamp = _stamp(int(self._modem.time), self._modem.traits.zone_quarters)
        tpdus = air_encode.delivers(sender, text, stamp, self._concat_reference, wide=wide)
        for number in order or range(1, len(tpdus) + 1):
            self.send_tpdu(tpdus[number - 1], sender, text if len(tpdus) == 1 else f"part {number} of {len(tpdus)}")

    def send_tpdu(self, tpdu: bytes, sender: str = "", text: str = "") -> None:
        self._modem.inbox.arrive(Incoming("deliver", tpdu, {"from": sender, "text": text, "pdu": tpdu.hex().upper()}))
