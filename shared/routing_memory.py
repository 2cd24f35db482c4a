"""What this process knows of ports that no site tells: how long each stays busy with what was dealt, whose cap is full.

Rule: what a site tells of its queues may be old; what is dealt meanwhile is known here first. All of it wears off.
"""

from collections.abc import Mapping, Sequence

from shared.caps import Room
from shared.routing import Deal

# How long a port that was found full is left out unasked: what others give back meanwhile is not seen.
_FULL_S = 10.0
_MOST_ACCOUNTS = 1000


class RoutingMemory:
    def __init__(self) -> None:
        self._until: dict[str, dict[int, float]] = {}
        self._rooms: dict[str, dict[int, tuple[float, Room]]] = {}

    def busy(self, account: str, now: float) -> Mapping[int, float]:
        """Seconds for which a port has something to do, as far as this process gave it."""
        return {port: until - now for port, until in self._until.get(account, {}).items() if until > now}

    def note(self, account: str, deals: Sequence[Deal], now: float) -> None:
        if len(self._until) >= _MOST_ACCOUNTS:
            self._until.clear()
        ports = self._until.setdefault(account, {})
        for way in deals:
            ports[way.ports[0].number] = now + way.busy_s

    def rooms(self, account: str, now: float) -> Mapping[int, Room]:
        """What the ports that were found too full of late have left."""
        return {port: room for port, (until, room) in self._rooms.get(account, {}).items() if until > now}

    def note_room(self, account: str, port: int, room: Room, now: float) -> None:
        if len(self._rooms) >= _MOST_ACCOUNTS:
            self._rooms.clear()
        self._rooms.setdefault(account, {})[port] = (min(now + _FULL_S, room.until), room)
