"""The one thread that writes the journal: many awaits, one commit.

Whatever was asked for while a commit was under way shares the next one, so that one fsync serves all modems, and a
quiet site still has each commit at once. Rule: what a step tells its caller, it tells after the commit that holds it.

Two kinds of steps. A *request* (a new job, a mark) fails when the disk fails: the caller does not do what it meant to.
A *fact* (an answer, a report) has happened already: it is kept in memory and tried again until it is on disk.
"""

import asyncio
import contextlib
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from edge_agent.held import JournalUnavailable
from edge_agent.journal_schema import is_outside

log = logging.getLogger(__name__)

RETRY_S = 2.0
"""How often a disk that failed is tried again."""

Step = Callable[[sqlite3.Connection], Any]
Told = Callable[[Any, Exception | None], None]


@dataclass(slots=True)
class _Entry:
    step: Step
    told: Told | None
    fact: bool


class Writer:
    """Owns the connection from `start` to `stop`."""

    def __init__(self, connection: sqlite3.Connection, on_trouble: Callable[[str], None]) -> None:
        self._db = connection
        self._on_trouble = on_trouble
        self._queue: SimpleQueue[_Entry | None] = SimpleQueue()
        self._backlog: deque[_Entry] = deque()
        self._trouble = ""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Writes what is waiting, closes the file. False when the disk did not let it end in time."""
        self._queue.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def request(self, step: Step) -> "asyncio.Future[Any]":
        """Resolves after the commit; raises JournalUnavailable when it cannot be stored now."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put(_Entry(step, _resolver(future), fact=False))
        return future

    def fact(self, step: Step, told: Callable[[], None] | None = None) -> None:
        """Stores it, sooner or later; `told` is called in the event loop after the commit."""
        self._queue.put(_Entry(step, _caller(told) if told else None, fact=True))

    def durable(self, step: Step) -> "asyncio.Future[Any]":
        """A fact that the caller waits for, however long the disk takes."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put(_Entry(step, _resolver(future), fact=True))
        return future

    # From here on: in the thread.

    def _run(self) -> None:
        going = True
        while going:
            batch = self._wait()
            going = None not in batch
            self._write([entry for entry in batch if entry is not None])
        self._db.close()

    def _wait(self) -> list[_Entry | None]:
        """Blocks for the first entry, then takes all there are. While the disk fails, wakes up to try again."""
        batch: list[_Entry | None] = []
        with contextlib.suppress(Empty):
            batch.append(self._queue.get(timeout=RETRY_S if self._trouble else None))
            while True:
                batch.append(self._queue.get_nowait())
        return batch

    def _write(self, batch: list[_Entry]) -> None:
        entries = [*self._backlog, *batch]
        self._backlog.clear()
        try:
            results = self._commit(entries)
        except sqlite3.Error as error:
            if is_outside(error):
                self._failed(entries, error)
            else:
                self._one_by_one(entries)
        else:
            self._set_trouble("")
            self._tell([(entry.told, result, None) for entry, result in zip(entries, results, strict=True)])

    def _commit(self, entries: list[_Entry]) -> list[Any]:
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            results = [entry.step(db) for entry in entries]
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        return results

    def _failed(self, entries: list[_Entry], error: sqlite3.Error) -> None:
        """The disk does not take it: requests are told so, facts wait."""
        reason = f"the journal cannot be written: {error}"
        self._backlog.extend(entry for entry in entries if entry.fact)
        self._set_trouble(reason)
        refusal = JournalUnavailable(reason)
        self._tell([(entry.told, None, refusal) for entry in entries if not entry.fact])

    def _one_by_one(self, entries: list[_Entry]) -> None:
        """One step is at fault: the others must not suffer for it."""
        for entry in entries:
            try:
                result = self._commit([entry])[0]
            except sqlite3.Error as error:
                if is_outside(error):
                    self._failed([entry], error)
                    continue
                log.exception("a step of the journal failed")
                self._tell([(entry.told, None, JournalUnavailable(f"the journal refused a step: {error}"))])
            else:
                self._tell([(entry.told, result, None)])

    def _set_trouble(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._in_loop(lambda: self._on_trouble(trouble))

    def _tell(self, outcomes: list[tuple[Told | None, Any, Exception | None]]) -> None:
        """One wake-up of the event loop for the whole commit."""
        outcomes = [outcome for outcome in outcomes if outcome[0] is not None]
        if outcomes:
            self._in_loop(lambda: _tell_all(outcomes))

    def _in_loop(self, call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(call)


def _tell_all(outcomes: list[tuple[Told | None, Any, Exception | None]]) -> None:
    for told, result, error in outcomes:
        assert told is not None
        told(result, error)


def _resolver(future: "asyncio.Future[Any]") -> Told:
    def told(result: Any, error: Exception | None) -> None:
        if future.done():  # its waiter was cancelled
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    return told


def _caller(call: Callable[[], None]) -> Told:
    def told(result: Any, error: Exception | None) -> None:
        if error is None:
            call()

    return told
