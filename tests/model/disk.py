"""The journal's disk in virtual time: what is committed survives a crash, what is not is lost.

The SQLite file, the steps and the grouping of commits are the agent's own; only the thread that waits for the disk is
replaced, by timers.
"""

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from edge_agent import journal_writer
from edge_agent.journal_writer import Writer

_QUICK_S, _BRISK_S, _USUAL_S, _SLOW_S = 0.0003, 0.0006, 0.01, 2.0  # the first is always waited for in place


class _NoThread:
    """Stands where the writer keeps its thread."""

    def __init__(self, **_: Any) -> None:
        self.alive = True

    def start(self) -> None: ...

    def join(self, timeout: float) -> None: ...

    def is_alive(self) -> bool:
        return self.alive


class Disk(Writer):
    """`crash` is the process's end. `reach` is called at "commit begun" and "commit untold"."""

    reach: Callable[[str], None] = staticmethod(lambda point: None)
    rng = random.Random(0)
    slow = 0.0
    full = False

    def __init__(self, connection: sqlite3.Connection, on_trouble: Callable[[str], None]) -> None:
        with patch.object(journal_writer.threading, "Thread", _NoThread):
            super().__init__(connection, on_trouble)
        self._commits: Any = self  # what the thread would be asked by
        self.dead = False
        self.durable_before = 0.0  # what was asked for before this moment is on disk
        self._began = 0.0
        self._takes = _QUICK_S
        self._under_way: asyncio.Handle | None = None

    def put(self, wanted: bool) -> None:
        """The writer asks for a commit, or for the end."""
        if not wanted:
            self._finish()
            self._thread.alive = False  # type: ignore[attr-defined]
            self.dead = True
            return
        self.reach("commit begun")
        if not self.dead:
            took = self._takes
            self._under_way = self._loop.call_later(self.rng.random() * took, self._on_disk, took)

    def crash(self) -> None:
        """The process is gone. A commit that was under way has reached the disk, or not."""
        if not self.dead:
            if self._under_way is not None and self.rng.random() < 0.5:
                self._commit()
            self.dead = True
            self._db.close()

    def _finish(self) -> None:
        if self._under_way is not None:
            self._under_way.cancel()
            self._commit()
            self._under_way = None

    def _on_disk(self, took: float) -> None:
        self._under_way = None
        if not self.dead:
            error = self._commit()[1]
            self.reach("commit untold")
            self._loop.call_later(took * 0.1, self._committed, took, error)

    def _duration(self) -> float:
        if self.rng.random() < self.slow:
            return self.rng.choice((_USUAL_S, _USUAL_S, _SLOW_S))
        return self.rng.choice((_QUICK_S, _BRISK_S))

    def _commit(self) -> tuple[float, sqlite3.Error | None]:
        if self.full:
            return 0.0, _full()
        outcome = super()._commit()
        if outcome[1] is None:
            self.durable_before = self._began
        return outcome

    def _add(self, entry: Any, patience_s: float) -> None:
        if not self.dead:
            super()._add(entry, patience_s)

    def _begin(self) -> None:
        if not self.dead:
            self._began = self._loop.time()
            self._takes = self._took_s = self._duration()
            super()._begin()

    def _committed(self, took_s: float, error: sqlite3.Error | None) -> None:
        if not self.dead:
            super()._committed(took_s, error)


def _full() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    with contextlib.suppress(AttributeError):
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error
