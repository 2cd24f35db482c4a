"""What is true: every part that went over the air, and what the network reported of it. Kept outside of all processes.

Each message has a recipient of its own, so that a part on the air is matched with its message without asking anybody.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from edge_agent.modem.pdu import SubmitPdu
from edge_agent.simulator import air_encode
from edge_agent.simulator.air_codec import Submit, parse_pdu


@dataclass(slots=True)
class Part:
    """One part on the air."""

    at: float
    text: str
    told: str = ""  # what a report said that an agent has taken: "delivered" or "failed"


@dataclass(slots=True)
class Truth:
    """What happened to one message, whoever says what about it."""

    parts: dict[int, list[Part]] = field(default_factory=lambda: defaultdict(list))
    total: int = 0
    excuse: str = ""  # why nobody may know how its attempt ended

    @property
    def on_air(self) -> int:
        return len(self.parts)

    @property
    def whole(self) -> bool:
        return bool(self.total) and self.on_air == self.total

    @property
    def text(self) -> str:
        return "".join(self.parts[number][0].text for number in sorted(self.parts))

    def reported(self, word: str) -> int:
        return sum(any(part.told == word for part in parts) for parts in self.parts.values())


@dataclass(frozen=True, slots=True)
class Report:
    """On its way from the network to a SIM."""

    to: str
    number: int
    word: str
    pdu: str


class Air:
    def __init__(self) -> None:
        self.truths: dict[str, Truth] = defaultdict(Truth)  # by recipient
        self.broken: list[str] = []

    def read(self, pdu: SubmitPdu) -> Submit:
        return parse_pdu(pdu.hex.encode(), pdu.tpdu_length)

    def accept(self, submit: Submit, at: float) -> None:
        """The modem sends it."""
        truth, number = self.truths[submit.to], part_number(submit)
        truth.total = submit.concat.total if submit.concat else 1
        if truth.parts[number]:
            self.broken.append(f"{submit.to}: part {number} went on the air again")
        truth.parts[number].append(Part(at, submit.text))

    def excuse(self, to: str, why: str) -> None:
        self.truths[to].excuse = self.truths[to].excuse or why

    def taken(self, report: Report) -> None:
        """An agent has it on disk, or said that it is nothing of its own."""
        for part in self.truths[report.to].parts[report.number]:
            part.told = report.word


def part_number(submit: Submit) -> int:
    return submit.concat.sequence - 1 if submit.concat else 0


def report(submit: Submit, reference: int, *, word: str, taken_at: float, now: float) -> Report:
    status = 0x00 if word == "delivered" else 0x46
    stamps = air_encode.timestamp(taken_at, 8), air_encode.timestamp(now, 8)
    tpdu = air_encode.status_report(reference, submit.address, status, *stamps)
    return Report(submit.to, part_number(submit), word, "00" + tpdu.hex().upper())
