"""Which kill or fault left a message uncertain: each message has to have one of its own. Pure.

A modem is given one part at a time. So a kill of the agent leaves at most one message a modem uncertain: the one of
which a part was with that modem just then, its mark on disk and its answer not. A fault that takes an answer away
leaves one: it strikes at the very moment of the PDU, and the simulator's clock notes both.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from local_cloud.torture_air import Aired, Part, Strike
from local_cloud.torture_harm import MODEM_FAULTS, Blow

ANSWER_S = 0.06
"""From a PDU to its answer: wide enough for kills to fall between the two."""
_LEAD_S = 0.2
"""So long may a PDU lie in the port before a simulator that shares two processors with twenty others reads it. Not from
before the answer to the last part on that modem: only then does the next PDU go."""
_LAG_S = 0.5
"""So long may an answer be on its way onto a busy disk, through an agent that shares them too. Not until after the next
PDU to that modem: its mark lies behind the answer in the same journal, and is on disk before it goes."""
_TOLD_S = 5.0
"""Of a part that never went on the air only its end is known, in whole seconds. The agent's next life tells of it first
thing: up to 1.5 s until it is started (torture_harm), then its own start."""
_SAME_MOMENT_S = 0.0005  # the air file's moments have four decimals
_TAKE_THE_ANSWER = frozenset({"hang_after_pdu", "reboot_after_pdu", "unplug_after_pdu", "refuse_network"})
_REFUSAL = "refuse_network"  # may be on the air or not

Hit = Blow | Strike
Slot = tuple[Hit, int]
"""A kill or a fault, and the modem at which it may have left one message uncertain."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A message that was told of as uncertain. `part` is the one in doubt, from 1, `modem` where it went if that is
    known, `told_at` when its end was, epoch s.
    """

    id: str
    aired: Aired
    part: int
    modem: int | None
    told_at: float


class Windows:
    """Between each PDU and its answer."""

    def __init__(self, air: Iterable[Aired], blows: Iterable[Blow], strikes: Sequence[Strike]) -> None:
        self._kills = [blow for blow in blows if blow.what == "kill agent"]
        self._taking = [strike for strike in strikes if strike.fault in _TAKE_THE_ANSWER]
        self._late = {(s.modem, s.at) for s in strikes if s.fault == "late_answer"}
        self._parts = sorted((part for one in air for part in (*one.parts, *one.refused)), key=lambda part: part.at)
        self._moments: dict[int, list[float]] = {}
        for part in self._parts:
            self._moments.setdefault(part.modem, []).append(part.at)

    def all(self) -> set[Slot]:
        return {slot for part in self._parts for slot in self._around(part)}

    def unexplained(self, suspects: Sequence[Suspect]) -> tuple[list[Suspect], list[Slot]]:
        """Those that have none of their own, and which the others have."""
        own = matched({suspect.id: self._slots(suspect) for suspect in suspects})
        return [suspect for suspect in suspects if suspect.id not in own], list(own.values())

    def _slots(self, suspect: Suspect) -> list[Slot]:
        handed = [part for part in suspect.aired.parts if part.number == suspect.part]
        refused = [part for part in suspect.aired.refused if part.number == suspect.part]
        if handed:
            return [slot for part in handed for slot in self._around(part)]
        return [slot for part in refused for slot in self._struck(part)] + self._before_the_pdu(suspect)

    def _around(self, part: Part) -> list[Slot]:
        """What came between its PDU and the note of its answer."""
        begin, end = self._window(part)
        kills: list[Slot] = [(kill, part.modem) for kill in self._kills if kill.at <= end and kill.until >= begin]
        return kills + self._struck(part)

    def _struck(self, part: Part) -> list[Slot]:
        return [(s, s.modem) for s in self._taking if s.modem == part.modem and abs(s.at - part.at) < _SAME_MOMENT_S]

    def _window(self, part: Part) -> tuple[float, float]:
        moments = self._moments[part.modem]
        place = bisect_left(moments, part.at)
        answered = moments[place - 1] + ANSWER_S if place else 0.0  # the part before it, so that this one could go
        after = moments[place + 1] if place + 1 < len(moments) else float("inf")
        late = MODEM_FAULTS["late_answer"]["seconds"] if (part.modem, part.at) in self._late else 0.0
        return max(answered, part.at - _LEAD_S), min(after, part.at + ANSWER_S + late + _LAG_S)

    def _before_the_pdu(self, suspect: Suspect) -> list[Slot]:
        """Kills after its mark, of which nothing is seen, and before its PDU, which never came."""
        modem, earlier = suspect.modem, [part.at for part in suspect.aired.parts]
        if modem is None:
            return []
        return [
            (kill, modem)
            for kill in self._kills
            if kill.at - 1.0 <= suspect.told_at <= kill.until + _TOLD_S and kill.until >= max(earlier, default=0.0)
        ]


def matched(slots: Mapping[str, Sequence[Slot]]) -> dict[str, Slot]:
    """As many as possible of these, each with a slot that no other has (augmenting paths, Kuhn 1955)."""
    holder: dict[Slot, str] = {}

    def settle(one: str, tried: set[Slot]) -> bool:
        for slot in slots[one]:
            if slot not in tried:
                tried.add(slot)
                if slot not in holder or settle(holder[slot], tried):
                    holder[slot] = one
                    return True
        return False

    for one in slots:
        settle(one, set())
    return {one: slot for slot, one in holder.items()}
