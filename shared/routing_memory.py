"""What this process has dealt of late: how long each port stays busy with it.

Rule: what a site tells of its queues may be old; what is dealt meanwhile is known here first, and wears off by itself.
"""

from collections.abc import Mapping, Sequence

from shared.routing import Deal

_MOST_ACCOUNTS = 1000


class RoutingMemory:
    def __init__(self) -> None:
        self._until: dict[str, dict[int, float]] = {}

    def busy(self, account: str, now: float) -> Mapping[int, float]:
        """Seconds for which a port has something to do, as far as this process gave it."""
        return {port: until - now for port, until in self._until.get(account, {}).items() if until > now}

    def note(self, account: str, deals: Sequence[Deal], now: float) -> None:
        if len(self._until) >= _MOST_ACCOUNTS:
            self._until.clear()
        ports = self._until.setdefault(account, {})
        for way in deals:
            ports[way.ports[0].number] = now + way.busy_s
