"""Final results that say no, and what they imply. The causes by number and in words stand in error_codes.py."""

from dataclasses import dataclass
from typing import Final

from edge_agent.modem.error_codes import TABLES, number_of

# The modem or the network lost sight of the message; it may have gone out. Never told as a failure (modem-notes 4).
# 513 is a radio link that failed in the middle of it with one maker, a message too long with another.
_UNKNOWN_CMS: Final = frozenset({38, 332, 500, 513})
_UNKNOWN_CME: Final = frozenset({31, 100})
# The recipient or the message is at fault: another SIM would fare no better.
_EVERYWHERE_CMS: Final = frozenset({1, 27, 30, *range(128, 192), 195, 196, 197, 198, 199, 304, 305})
_BUSY_CMS: Final = frozenset({14, 314, 515})
_BUSY_CME: Final = frozenset({14, 515})


@dataclass(frozen=True, slots=True)
class AtError:
    """A final result that is not OK. `kind` is "CMS", "CME", or the line itself where it has no code."""

    kind: str
    number: int | None = None
    said: str = ""  # the modem's own words, when it used words

    @property
    def code(self) -> str:
        """Stable, for people and tables: "CMS 38", "CME 14", "ERROR"."""
        return self.kind if self.number is None else f"{self.kind} {self.number}"

    @property
    def text(self) -> str:
        """One clause in words."""
        table = TABLES.get(self.kind)
        if table is None:
            return "the modem answered " + self.kind
        if self.number is None:
            return self.said or "the modem gave no cause"
        return table.get(self.number) or f"code {self.number}, which is the maker's own"

    @property
    def busy(self) -> bool:
        """The modem or SIM is still starting: the same again in a moment may well succeed."""
        return self._in(_BUSY_CMS, _BUSY_CME)

    @property
    def elsewhere(self) -> bool:
        """Whether another span may succeed with the same message."""
        return not self._in(_EVERYWHERE_CMS, frozenset())

    @property
    def outcome_unknown(self) -> bool:
        """In answer to a PDU: it may be on the air nevertheless. So with any cause that is not known, or not told."""
        table = TABLES.get(self.kind)
        return self._in(_UNKNOWN_CMS, _UNKNOWN_CME) or (table is not None and self.number not in table)

    def _in(self, cms: frozenset[int], cme: frozenset[int]) -> bool:
        return self.number is not None and self.number in {"CMS": cms, "CME": cme}.get(self.kind, frozenset())


def parse_error(line: str) -> AtError | None:
    """The error that this line is, or None when it is something else."""
    if line == "ERROR" or line.startswith(("COMMAND NOT SUPPORT", "TOO MANY PARAMETERS")):
        return AtError(line)
    if not line.startswith(("+CMS ERROR", "+CME ERROR")):
        return None
    kind, said = line[1:4], line[10:].lstrip(": ").strip()
    if said.isdecimal():
        return AtError(kind, int(said[:9]))
    return AtError(kind, number_of(kind, said), said)
