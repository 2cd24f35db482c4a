"""Events on their way to the cloud, in order, until each is acknowledged. What is in here is on disk already."""

import asyncio
from collections.abc import Callable, Iterable, Iterator

from edge_agent.held import EventRow


class Outgoing:
    def __init__(self) -> None:
        self._rows: dict[str, EventRow] = {}
        self._listeners: list[Callable[[], None]] = []
        self._empty = asyncio.Event()
        self._empty.set()

    def add(self, rows: Iterable[EventRow]) -> None:
        for row in rows:
            self._rows.setdefault(row.id, row)
            self._empty.clear()
        for listener in self._listeners:
            listener()

    def acknowledge(self, event_ids: Iterable[str]) -> list[str]:
        """Forgets them; returns those that were known."""
        known = [event_id for event_id in event_ids if self._rows.pop(event_id, None) is not None]
        if not self._rows:
            self._empty.set()
        return known

    async def empty(self) -> None:
        """Waits until nothing is left to be acknowledged."""
        await self._empty.wait()

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls back whenever there are new events."""
        self._listeners.append(listener)

    def ignore(self, listener: Callable[[], None]) -> None:
        self._listeners.remove(listener)

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._rows

    def __iter__(self) -> Iterator[EventRow]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)
