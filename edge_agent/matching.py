"""Which part a delivery report speaks of: by SIM, TP-MR, recipient and time. Pure.

The reference (TP-MR) has 8 bits and the modem counts it, so it comes again after 256 parts, is missing on some
modems, and its report may arrive before the answer to the submission. The report also carries when the service centre
took the part (TP-SCTS, 3GPP TS 23.040 §9.2.2.3), which tells namesakes apart once the difference between that clock
and ours is learned.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from edge_agent.held import HeldJob, HeldPart, PartState

WINDOW_S = 600.0
"""How far TP-SCTS may be from the time of a part, the clocks' difference taken off. A modem answers within seconds of
the service centre, but an unanswered submission may have been taken up to its time-out (5 min) after its mark."""
TIE_S = 2.0
"""TP-SCTS counts whole seconds; parts closer together than this are told apart by order instead."""
ANSWER_S = 60.0
"""How long after the service centre took a part its answer, and so its time here, may come. No SIM sends 256 parts in
that time, so that within it an open part with the very reference is the one meant."""
UNCLEAR_S = 3600.0
"""Where TP-SCTS says nothing, an unanswered part is taken for the one reported only this long after it."""
MAX_FINAL = 2
"""So many reported parts are kept a reference, to know a repeated report again."""


@dataclass(slots=True, eq=False)
class Candidate:
    """A part that a report may come for."""

    final: ClassVar[bool] = False
    job: HeldJob
    part: HeldPart
    recipient: str  # as `digits` gives it

    @property
    def in_flight(self) -> bool:
        return self.part.state is PartState.MARKED

    @property
    def at(self) -> float:
        return self.part.at

    @property
    def deadline(self) -> float:
        return self.job.deadline

    @property
    def referenced(self) -> bool:
        return self.part.mr is not None

    @property
    def slack(self) -> float:
        """By how much another may be nearer in time, and this one still be meant."""
        return ANSWER_S if self.referenced else TIE_S


@dataclass(slots=True, eq=False)
class Reported:
    """A part whose final report came. There are thousands of them, so this is only what a repeated report is known by:
    when the part was answered and its job's deadline, epoch s.
    """

    final: ClassVar[bool] = True
    in_flight: ClassVar[bool] = False
    referenced: ClassVar[bool] = True
    slack: ClassVar[float] = TIE_S
    recipient: str
    at: float
    deadline: float


Known = Candidate | Reported


def digits(number: str) -> str:
    """A number without what differs between national and international spelling."""
    plain = number.removeprefix("+")
    return (plain if plain.isdecimal() else "".join(filter(str.isdigit, plain))).lstrip("0")


def same_number(a: str, b: str) -> bool:
    """Whether two `digits` are one recipient: networks report +49171… for 0171…, as long as enough of it agrees."""
    if a == b:
        return True
    return min(len(a), len(b)) >= 6 and (a.endswith(b) or b.endswith(a))


class Matcher:
    """All parts that reports may come for, by SIM and reference; those without a known reference by SIM."""

    def __init__(self) -> None:
        self._by_reference: dict[tuple[str, int], list[Known]] = {}
        self._unreferenced: dict[str, list[Candidate]] = {}
        self._skew: dict[str, float] = {}  # a SIM's service centre clock minus ours, from its last sure match
        # Epoch s: times of before may be those of a wrong clock, and no skew is learned from them.
        self.sure_since = -math.inf

    def add(self, job: HeldJob, part: HeldPart) -> None:
        """A part as it stands: in flight, unanswered, or taken."""
        sim, candidate = sim_of(part), Candidate(job, part, digits(job.to))
        if part.mr is None:
            self._unreferenced.setdefault(sim, []).append(candidate)
            return
        self._by_reference.setdefault((sim, part.mr), []).append(candidate)
        if part.state.final:
            self.reported(part)

    def answered(self, job: HeldJob, part: HeldPart) -> None:
        """A part that was added in flight now has its answer."""
        self.discard(part)
        self.add(job, part)

    def reported(self, part: HeldPart) -> None:
        """The final report of this part, whose reference is known, came."""
        assert part.mr is not None, "a report tells it"
        namesakes = self._by_reference.get((sim_of(part), part.mr), [])
        for place, known in enumerate(namesakes):
            if isinstance(known, Candidate) and known.part is part:
                namesakes[place] = Reported(known.recipient, known.at, known.deadline)
        for known in [known for known in namesakes if known.final][:-MAX_FINAL]:
            namesakes.remove(known)

    def discard(self, part: HeldPart) -> None:
        """This part, added without a reference, is certainly not with the network."""
        sim = sim_of(part)
        left = [known for known in self._unreferenced.get(sim, ()) if known.part is not part]
        if left:
            self._unreferenced[sim] = left
        else:
            self._unreferenced.pop(sim, None)

    def find(self, sim: str, mr: int, recipient: str, taken_at: float | None, now: float) -> Known | None:
        """The part reported on, a part in flight that may prove to be it, or None. `taken_at` is TP-SCTS."""
        number = digits(recipient)
        exact = [known for known in self._by_reference.get((sim, mr), ()) if same_number(known.recipient, number)]
        unreferenced = [known for known in self._unreferenced.get(sim, ()) if same_number(known.recipient, number)]
        found = self._by_time(exact, unreferenced, sim, taken_at)
        if found is None:
            found = self._by_order(exact, unreferenced if taken_at is None else [], now)
        if found is None or taken_at is None:
            return found
        if len(exact) == 1 and found is exact[0] and self._is_timed(found, now):
            self._skew[sim] = taken_at - found.at
        return None if self._is_doubtful(found, exact, now) else found

    def _is_doubtful(self, found: Known, exact: list[Known], now: float) -> bool:
        """Whether a known reference speaks for another part, and against it only a time that may be wrong."""
        others = found not in exact and isinstance(found, Candidate) and found.part.state is PartState.UNKNOWN
        return others and any(not known.final and not self._is_timed(known, now) for known in exact)

    def _is_timed(self, known: Known, now: float) -> bool:
        return self.sure_since <= known.at <= now

    def _by_time(
        self, exact: list[Known], unreferenced: list[Candidate], sim: str, taken_at: float | None
    ) -> Known | None:
        """The nearest in time, where an open part with this reference counts as near for as long as an answer may take;
        in a tie a known reference before none, open before reported, then the oldest."""
        if taken_at is None:
            return None
        here = taken_at - self._skew.get(sim, 0.0)
        near = [known for known in (*exact, *unreferenced) if abs(here - known.at) <= WINDOW_S]
        if not near:
            return None
        best = min(abs(here - known.at) for known in near)
        tied = [known for known in near if abs(here - known.at) <= best + known.slack]
        return min(tied, key=lambda known: (not known.referenced, known.final, known.at))

    def _by_order(self, exact: list[Known], unreferenced: list[Candidate], now: float) -> Known | None:
        """Without a usable time: the latest open part of this reference; an older one's report was likely lost."""
        open_ones = [known for known in exact if not known.final]
        if open_ones:
            return max(open_ones, key=lambda known: known.at)
        if exact:
            return exact[-1]
        recent = [known for known in unreferenced if now - known.at <= UNCLEAR_S]
        return recent[0] if len(recent) == 1 else None

    def forget(self, before: float) -> None:
        """Drops all whose deadline was before this."""
        _drop(self._by_reference, before)
        _drop(self._unreferenced, before)


_K = TypeVar("_K")
_V = TypeVar("_V", Known, Candidate)


def _drop(table: dict[_K, list[_V]], before: float) -> None:
    for key, known in list(table.items()):
        left = [one for one in known if one.deadline >= before]
        if left:
            table[key] = left
        else:
            del table[key]


def sim_of(part: HeldPart) -> str:
    """What a report is matched within: the SIM, or the modem where the SIM does not tell its IMSI."""
    return part.imsi or part.span
