"""What delivering pushes needs from the outside beyond shared/ports.py, whose rules hold here too."""

from collections.abc import Iterator
from typing import Protocol

from shared.push_event import PushEvent
from shared.push_record import Circuit, PushRecord, PushView


class PushLog(Protocol):
    def view(self, event: PushEvent, endpoint: str) -> PushView:
        """One strongly consistent read."""
        ...

    def save(self, record: PushRecord) -> None:
        """Kept for 7 days from its last change."""
        ...

    def get(self, account: str, event_id: str) -> PushRecord | None: ...

    def page(self, account: str, start: float, end: float) -> Iterator[PushRecord]:
        """Those put into the queue between two times, both inclusive, in no special order."""
        ...

    def failed(self, account: str, endpoint: str, weight: int) -> Circuit:
        """Adds to the endpoint's failures; safe under concurrency."""
        ...

    def open(self, account: str, endpoint: str, until: float) -> None: ...

    def claim_probe(self, account: str, endpoint: str, seen: Circuit, until: float) -> bool:
        """True for the one caller that may try a half-open endpoint; the others wait until then."""
        ...

    def close(self, account: str, endpoint: str) -> None:
        """It works again: its failures are forgotten."""
        ...

    def take_turn(self, account: str, endpoint: str, *, turns: int, now: float, until: float) -> int | None:
        """One of so many leases on trying an endpoint, to be given back or lost at `until`; None when all are taken."""
        ...

    def end_turn(self, account: str, endpoint: str, turn: int) -> None: ...


class PushMetrics(Protocol):
    def pushes(self, account: str, *, attempts: int, failures: int, oldest_s: float) -> None:
        """`oldest_s`: age of the oldest push seen that is not delivered yet."""
        ...
