"""What the simulator wrote of the air, read: it decodes by its own reading of the standard, and its file outlives every
kill. Pure.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from edge_agent.simulator.air_codec import PduRefused, parse_pdu
from local_cloud.intrinsics import JsonObject

_DELIVERED = 0x00  # TP-ST, 3GPP TS 23.040 §9.2.3.15
_GIVEN_UP = 0x40  # this and what is above; below it the service centre is still trying


@dataclass(frozen=True, slots=True)
class Part:
    """One part that a modem took, or refused after its PDU."""

    modem: int
    at: float  # epoch s
    number: int  # from 1
    text: str
    reference: int | None  # TP-MR; None when it was refused


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault of a modem when it came, which may be long after it was armed."""

    modem: int
    at: float
    fault: str


@dataclass(slots=True)
class Aired:
    """One message on the air."""

    parts: list[Part] = field(default_factory=list)  # as they went out
    refused: list[Part] = field(default_factory=list)
    reports: dict[tuple[int, int], set[int]] = field(default_factory=lambda: defaultdict(set))  # (modem, TP-MR) → TP-ST

    @property
    def texts(self) -> dict[int, list[str]]:
        """By number, the text of each time that it went out."""
        found: dict[int, list[str]] = defaultdict(list)
        for part in self.parts:
            found[part.number].append(part.text)
        return found

    @property
    def delivered(self) -> bool:
        """Whether the network reported so of every part."""
        return bool(self.parts) and all(_DELIVERED in self._reported(part) for part in self.parts)

    @property
    def given_up(self) -> bool:
        """Whether the network reported of a part that it will not arrive."""
        return any(status >= _GIVEN_UP for part in self.parts for status in self._reported(part))

    def _reported(self, part: Part) -> set[int]:
        return self.reports.get((part.modem, part.reference), set()) if part.reference is not None else set()


def on_air(records: Iterable[JsonObject]) -> dict[str, Aired]:
    """By recipient: every message of a torture has its own."""
    air: dict[str, Aired] = defaultdict(Aired)
    for record in records:
        match record["event"]:
            case "submit":
                concat = record["concat"]
                number = int(str(concat[2])) if isinstance(concat, list) else 1
                part = Part(_modem(record), _at(record), number, str(record["text"]), int(str(record["mr"])))
                air[str(record["to"])].parts.append(part)
            case "refused":
                _add_refused(air, record)
            case "report":
                of = (_modem(record), int(str(record["mr"])))
                air[str(record["to"])].reports[of].add(int(str(record["st"])))
    return air


def _add_refused(air: dict[str, Aired], record: JsonObject) -> None:
    digits = str(record["pdu"])
    with contextlib.suppress(PduRefused):  # who refused it for that could not read it either
        submit = parse_pdu(digits.encode(), len(digits) // 2 - 1)
        number = submit.concat.sequence if submit.concat else 1
        air[submit.to].refused.append(Part(_modem(record), _at(record), number, submit.text, None))


def strikes(records: Iterable[JsonObject]) -> list[Strike]:
    return [
        Strike(_modem(record), _at(record), str(record["fault"])) for record in records if record["event"] == "fault"
    ]


def _at(record: JsonObject) -> float:
    return float(str(record["at"]))


def _modem(record: JsonObject) -> int:
    return int(str(record["modem"]))
