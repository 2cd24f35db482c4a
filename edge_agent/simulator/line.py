"""The serial line towards the computer: bytes leave in order, and can be made to dribble."""

from edge_agent.simulator.agenda import Agenda


class Line:
    """Collects what the computer may read by now; `take` hands it over."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._ready = bytearray()
        self._free_at = 0.0
        self._cuts = 0

    def take(self) -> bytes:
        ready = bytes(self._ready)
        self._ready.clear()
        return ready

    def write(self, data: bytes, now: float, gap: float = 0.0) -> None:
        """At once, or after what still dribbles; with a `gap` (seconds) one byte at a time."""
        if not gap and now >= self._free_at:
            self._ready += data
            return
        start = max(now, self._free_at)
        for position, piece in enumerate([data[at : at + 1] for at in range(len(data))] if gap else [data]):
            self._schedule(start + position * gap, piece)
        self._free_at = start + gap * len(data)

    def cut(self) -> None:
        """A reset: what has not left yet never will."""
        self._cuts += 1
        self._free_at = 0.0

    def _schedule(self, when: float, piece: bytes) -> None:
        cuts = self._cuts

        def leave() -> None:
            if cuts == self._cuts:
                self._ready += piece

        self._agenda.at(when, leave)
