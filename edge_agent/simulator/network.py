"""The network behind one SIM: takes submissions, sends reports and messages. It runs on while the modem is down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from edge_agent.simulator import air_encode
from edge_agent.simulator.air import Record
from edge_agent.simulator.air_codec import Submit
from edge_agent.simulator.inbox import Incoming
from edge_agent.simulator.mangle import mangled

if TYPE_CHECKING:
    from edge_agent.simulator.faults import FaultBox
    from edge_agent.simulator.modem import Modem

# TS 23.040 §9.2.3.15
DELIVERED = 0x00
# An address type of §9.1.2.5 that says nothing about the number: what some centres make of an international one.
_UNKNOWN_TYPE = 0x81


@lru_cache(maxsize=64)
def _stamp(second: int, quarters: int) -> bytes:
    return air_encode.timestamp(second, quarters)


@dataclass(frozen=True, slots=True)
class Report:
    reference: int
    to: str
    address: bytes
    status: int
    submitted: float


def report_plan(faults: FaultBox, delay: float) -> list[tuple[float, int]]:
    """When, counted from the +CMGS answer, which statuses are reported for one accepted part."""
    if faults.strikes("report_lost"):
        return []
    late = faults.strikes("report_late")
    failed = faults.strikes("report_failed")
    when, final = late.number("seconds") if late else delay, int(failed.number("status")) if failed else DELIVERED
    plan = []
    if temporary := faults.strikes("report_temporary_then_final"):
        plan.append((when, int(temporary.number("status"))))
        when += temporary.number("seconds")
    plan.append((when, final))
    if duplicate := faults.strikes("report_duplicate"):
        plan.append((when + duplicate.number("seconds"), final))
    return plan


class Network:
    def __init__(self, modem: Modem) -> None:
        self._modem = modem
        self.last_reference = 0
        self._concat_reference = 0

    def accept(self, submit: Submit) -> int:
        """Takes a TPDU: it is on the air from now on. Answers the TP-MR, which wraps at 256 (23.040 §9.2.3.6)."""
        modem = self._modem
        reference = self.last_reference = (self.last_reference + 1) % 256
        modem.air.submit(modem.who, modem.sim.who.imsi, reference, submit)
        if submit.wants_report and modem.traits.reports:
            report = Report(reference, submit.to, submit.address, DELIVERED, modem.time)
            if modem.faults:
                self._plan(report)
            else:
                self._after_answer(modem.traits.report_delay, report)
        return reference

    def _plan(self, report: Report) -> None:
        modem = self._modem
        if modem.faults.strikes("report_other_address"):
            report = replace(report, address=report.address[:1] + bytes([_UNKNOWN_TYPE]) + report.address[2:])
        if modem.faults.strikes("report_of_stranger"):
            self._after_answer(0.0, replace(report, reference=(report.reference + 128) % 256))
        early = modem.faults.strikes("report_before_answer")
        for delay, status in report_plan(modem.faults, modem.traits.report_delay):
            if early:
                self._report(replace(report, status=status))
            else:
                self._after_answer(delay, replace(report, status=status))

    def _after_answer(self, delay: float, report: Report) -> None:
        """On the agenda itself, which no reset empties: the network doesn't know of resets."""
        modem = self._modem
        modem.agenda.at(modem.now + modem.traits.answer_delay + delay, partial(self._report, report))

    def _report(self, report: Report) -> None:
        modem, quarters = self._modem, self._modem.traits.zone_quarters
        submitted, discharged = _stamp(int(report.submitted), quarters), _stamp(int(modem.time), quarters)
        tpdu = air_encode.status_report(report.reference, report.address, report.status, submitted, discharged)
        modem.inbox.arrive(Incoming("report", tpdu, {"mr": report.reference, "to": report.to, "st": report.status}))

    def send(self, sender: str, text: str, *, order: Sequence[int] = (), wide: bool = False) -> None:
        """A message for this SIM, in parts where it's long; `order` counts from 1 and may repeat or leave out some."""
        self._concat_reference = (self._concat_reference + 1) % (65536 if wide else 256)
        stamp = _stamp(int(self._modem.time), self._modem.traits.zone_quarters)
        tpdus = air_encode.delivers(sender, text, stamp, self._concat_reference, wide=wide)
        for number in order or range(1, len(tpdus) + 1):
            self.send_tpdu(tpdus[number - 1], sender, text, [number, len(tpdus)])

    def send_tpdu(self, tpdu: bytes, sender: str = "", text: str = "", part: Sequence[int] = (1, 1)) -> None:
        """One DELIVER, or anything else that a network may come up with."""
        modem = self._modem
        if broken := modem.faults.strikes("malformed_inbound"):
            how = broken["how"]
            tpdu = mangled(tpdu, None if how is None else str(how), modem.rng)
        about: Record = {"from": sender, "text": text, "part": [*part], "malformed": broken is not None}
        about["pdu"] = tpdu.hex().upper()
        modem.inbox.arrive(Incoming("deliver", tpdu, about))
