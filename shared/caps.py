"""How many parts an account or a span may send in a day and in a month. Pure: what is counted comes as an argument.

Rule: days and months are those of the account's time zone. What is counted, and when: docs/decisions/caps.md.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from shared import timestamps
from shared.message import Account, Port


@dataclass(frozen=True, slots=True)
class Cap:
    """One limit in one period. `port` is 0 for the account's own."""

    key: str  # of its tally
    most: int  # parts
    until: float  # epoch s: then it begins anew
    period: str  # "day" or "month"
    port: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """What a cap leaves: parts, until when, and what to say of it."""

    parts: int
    until: float
    period: str

    @property
    def why(self) -> str:
        return "daily limit reached" if self.period == "day" else "monthly limit reached"


Charges = Mapping[Cap, int]
"""Parts by the caps that they count against."""


def of_account(account: Account, at: float) -> tuple[Cap, ...]:
    limits = account.limits
    return tuple(_caps(account.name, 0, limits.parts_per_day, limits.parts_per_month, account.timezone, at))


def of_port(port: Port, zone: str, at: float) -> tuple[Cap, ...]:
    return tuple(_caps(port.account, port.number, port.parts_per_day, port.parts_per_month, zone, at))


def charges(account: Account, ports: Iterable[Port], parts: int, at: float) -> Charges:
    """Of messages of `parts` parts each, one for each of `ports`."""
    through = Counter(ports)
    if not through:
        return {}
    counted = {cap: parts * through.total() for cap in of_account(account, at)}
    for port, messages in through.items():
        counted |= dict.fromkeys(of_port(port, account.timezone, at), parts * messages)
    return counted


def left(cap: Cap, count: int) -> Room:
    return Room(max(0, cap.most - count), cap.until, cap.period)


def _caps(account: str, port: int, day: int, month: int, zone: str, at: float) -> Iterator[Cap]:
    if day:
        name, until = timestamps.day(at, zone)
        yield Cap(f"parts#{account}#{port}#{name}", day, until, "day", port)
    if month:
        name, until = timestamps.month(at, zone)
        yield Cap(f"parts#{account}#{port}#{name}", month, until, "month", port)
