"""What the functions find behind their ports: tables, an index and memories that lag, clocks, and accidents."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from shared.lifecycle import State, has_ended
from shared.message import Change, Message, Snapshot
from shared.ports import Recorded
from tests.fakes import FakeAccounts, FakeOutbox
from tests.model.world_facts import epoch

if TYPE_CHECKING:
    from tests.model.world import World

_INDEX_LAG_S = 1.5
_REMEMBER_S = 5.0


class Died(BaseException):
    """The function's process is gone."""


class Port:
    """A stand-in with accidents at each of its methods."""

    def __init__(self, inner: object, crossroads: Callable[[bool], None]) -> None:
        self._inner, self._crossroads = inner, crossroads

    def __getattr__(self, name: str) -> Any:
        method, crossroads = getattr(self._inner, name), self._crossroads

        def call(*args: Any, **kwargs: Any) -> Any:
            crossroads(False)
            answer = method(*args, **kwargs)
            crossroads(True)
            return answer

        setattr(self, name, call)
        return call


class Outbox(FakeOutbox):
    """Its index of pending messages lags behind, as a DynamoDB index does."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self._visible: dict[tuple[str, str], bool] = {}
        self._notes: deque[tuple[float, tuple[str, str], bool]] = deque()
        self.expired_at: dict[str, float] = {}
        self.ended_at: dict[str, float] = {}  # in truth; the rows have what a site's clock said

    def add(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        there = super().add(messages)
        if not there:
            for message in messages:
                self._note((message.account, message.id))
        return () if there == tuple(messages) else there  # as the table does: a write repeated meets itself

    def record(
        self, account: str, message_id: str, change: Change, *, settle: bool = True
    ) -> tuple[Recorded, Message | None]:
        answer = super().record(account, message_id, change, settle=settle)
        self._note((account, message_id))
        if answer[0] is Recorded.CHANGED and has_ended(change.state):
            self.ended_at.setdefault(message_id, self._world.now)
        if answer[0] is Recorded.CHANGED and change.state is State.EXPIRED:
            self.expired_at[message_id] = self._world.now
        return answer

    def settle(self, account: str, message_id: str) -> None:
        super().settle(account, message_id)
        self._note((account, message_id))

    def unsettled(self) -> list[Message]:
        """The truth, without any lag."""
        return super()._waiting()

    def _note(self, key: tuple[str, str]) -> None:
        row = self.rows.get(key)
        waits = row is not None and (not has_ended(row.state) or key in self.kept)
        lag = self._world.rng.uniform(0.0, _INDEX_LAG_S) if self._world.chance("remembered") else 0.0
        due = max(self._world.now + lag, self._notes[-1][0] if self._notes else 0.0)
        self._notes.append((due, key, waits))

    @property
    def lagging(self) -> int:
        return len(self._notes)

    def catch_up(self, count: int) -> None:
        """The oldest so many changes are seen now."""
        for _ in range(min(count, len(self._notes))):
            _, key, waits = self._notes.popleft()
            self._visible[key] = waits

    def _waiting(self) -> list[Message]:
        self.catch_up(sum(due <= self._world.now for due, _, _ in self._notes))
        return [self.rows[key] for key, waits in self._visible.items() if waits]


class Accounts(FakeAccounts):
    """What a warm function remembers is seconds old."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.clock = CloudClock(world)
        self._world = world
        self._remembered: dict[object, tuple[float, Snapshot | None]] = {}

    def snapshot(self, name: str) -> Snapshot | None:
        return self._warm(name, lambda: FakeAccounts.snapshot(self, name))

    def snapshot_of_ports(self, name: str, numbers: Sequence[int]) -> Snapshot | None:
        key = (name, frozenset(numbers))
        return self._warm(key, lambda: FakeAccounts.snapshot_of_ports(self, name, numbers))

    def _warm(self, key: object, read: Callable[[], Snapshot | None]) -> Snapshot | None:
        known = self._remembered.get(key)
        if known is not None and self._world.now - known[0] < _REMEMBER_S and self._world.chance("remembered"):
            return known[1]
        self._remembered[key] = (self._world.now, read())
        return self._remembered[key][1]


class CloudClock:
    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> float:
        return epoch(self._world.now)

    def sleep(self, seconds: float) -> None:
        """An invocation takes no time here; what may happen meanwhile happens, and what lags catches up."""
        lagging = self._world.cloud.outbox.lagging
        self._world.meanwhile()
        self._world.cloud.outbox.catch_up(lagging if seconds > _INDEX_LAG_S else 0)


class OperatorClock(CloudClock):
    """For him, who waits for a site's answer, time passes."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._slept = 0.0

    def now(self) -> float:
        return super().now() + self._slept

    def sleep(self, seconds: float) -> None:
        self._slept += seconds
        super().sleep(seconds)


class AuditLog:
    """Of `AuditedStore`, what takes notes."""

    def note(self, entry: object) -> None: ...
