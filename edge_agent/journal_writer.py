"""How the journal is written: many awaits, one commit.

Steps run in the event loop's thread, where they only touch memory; the commit, which waits for the disk, runs in a
thread of its own. What is asked for meanwhile shares the next commit, so that one fsync serves all modems, and a
quiet site still has each commit at once. (Steps in the thread too were tried: each statement hands Python's lock over
twice, and the event loop stood still for a third of its time.) Rule: what a step tells its caller, it tells after the
commit that holds it.

Two kinds of steps. A *request* (a new job, a mark) fails when the disk fails: the caller does not do what it meant to.
A *fact* (an answer, a report) has happened already: it is kept in memory and tried again until it is on disk.
"""

import asyncio
import contextlib
import logging
import math
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from edge_agent import journal_tables
from edge_agent.held import JournalUnavailable
from edge_agent.journal_schema import is_outside

log = logging.getLogger(__name__)

SOON_S, GATHER_S = 0.005, 0.02
"""How long a fact waits for company, s. What became of a part waits hardly at all, since a crash would leave it
uncertain; the mark of the next part mostly follows at once, and takes it along. What came by itself, like a report,
can wait for that mark: on a busy site nothing but marks causes commits, and no person and no network notices 20
ms."""
QUICK_S = 0.001
"""A disk whose last commit took less than this, s, is waited for in place where there is time for it: going through the
thread and back costs half as much again."""
CALM_S = 0.002
"""There is time when the last commit ended longer ago than this, s."""
RETRY_S = 2.0
"""How often a disk that failed is tried again."""

Step = Callable[[sqlite3.Connection], Any]
Told = Callable[[Any, Exception | None], None]


@dataclass(slots=True)
class _Entry:
    step: Step
    told: Told | None
    fact: bool
    patience_s: float = GATHER_S
    result: Any = None


class Writer:
    """Owns the connection until `stop`. All methods are for the event loop's thread."""

    def __init__(self, connection: sqlite3.Connection, on_trouble: Callable[[str], None]) -> None:
        self._db = connection
        self._on_trouble = on_trouble
        self._trouble = ""
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Entry] = []
        self._committing: list[_Entry] = []
        self._timer: asyncio.Handle | None = None
        self._due = math.inf
        self._urgent = False
        self._took_s = 1.0  # how long the last commit took
        self._ended = 0.0  # when, by the loop's clock
        self._commits: SimpleQueue[bool] = SimpleQueue()  # True: commit; False: end
        self._thread = threading.Thread(target=self._commit_all, name="journal", daemon=True)
        self._thread.start()

    def request(self, step: Step) -> "asyncio.Future[Any]":
        """Resolves after the commit; raises JournalUnavailable when it cannot be stored now."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._add(_Entry(step, _resolver(future), fact=False), urgent=True)
        return future

    def fact(self, step: Step, told: Callable[[], None] | None = None, *, soon: bool = False) -> None:
        """Stores it, sooner or later; `told` is called after the commit."""
        entry = _Entry(step, _caller(told) if told else None, fact=True, patience_s=SOON_S if soon else GATHER_S)
        self._add(entry, urgent=False)

    def durable(self, step: Step) -> "asyncio.Future[Any]":
        """A fact that the caller waits for, however long the disk takes."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._add(_Entry(step, _resolver(future), fact=True), urgent=False)
        return future

    def stop(self, timeout_s: float) -> bool:
        """Writes what is waiting and closes the file. False when the disk did not let it end in time."""
        self._commits.put(False)
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        self._write_the_rest()
        self._db.close()
        return True

    @property
    def _closed(self) -> bool:
        return not self._thread.is_alive()

    def _add(self, entry: _Entry, *, urgent: bool) -> None:
        self._waiting.append(entry)
        if self._committing:
            return  # it goes with the next commit
        if urgent and not self._urgent:
            self._urgent = True
            self._schedule(0.0)
        elif self._loop.time() + entry.patience_s < self._due:
            self._schedule(entry.patience_s)

    def _schedule(self, delay_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = self._loop.time() + delay_s
        self._timer = self._loop.call_later(delay_s, self._begin) if delay_s else self._loop.call_soon(self._begin)

    def _begin(self) -> None:
        """Runs the steps, and hands the commit to the thread."""
        self._timer, self._urgent, self._due = None, False, math.inf
        entries, self._waiting = self._waiting, []
        if self._trouble and not entries:
            entries = [_Entry(journal_tables.probe, None, fact=False)]
        if entries and not self._closed:
            self._run(entries)

    def _run(self, entries: list[_Entry]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for entry in entries:
                entry.result = entry.step(self._db)
        except sqlite3.Error as error:
            self._failed(entries, error)
        else:
            self._committing = entries
            if self._took_s < QUICK_S and self._loop.time() - self._ended > CALM_S:
                self._committed(*self._commit())
            else:
                self._commits.put(True)

    def _commit_all(self) -> None:
        """The thread: waits for the disk, and for nothing else."""
        while self._commits.get():
            outcome = self._commit()
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                self._loop.call_soon_threadsafe(self._committed, *outcome)

    def _commit(self) -> tuple[float, sqlite3.Error | None]:
        """How long it took, s, and what went wrong."""
        begun = self._loop.time()
        error: sqlite3.Error | None = None
        try:
            self._db.execute("COMMIT")
        except sqlite3.Error as failure:
            error = failure
        return self._loop.time() - begun, error

    def _committed(self, took_s: float, error: sqlite3.Error | None) -> None:
        self._took_s, self._ended = took_s, self._loop.time()
        entries, self._committing = self._committing, []
        if error is not None:
            self._failed(entries, error)
        else:
            self._set_trouble("")
            for entry in entries:
                if entry.told is not None:
                    entry.told(entry.result, None)
        if self._waiting and not self._committing and self._timer is None:
            self._begin()

    def _failed(self, entries: list[_Entry], error: sqlite3.Error) -> None:
        self._roll_back()
        if is_outside(error):
            self._wait_for_disk(entries, error)
        elif len(entries) == 1:
            self._drop(entries[0], error)
        else:  # one step is at fault: the others must not suffer for it
            self._run_apart(entries)

    def _wait_for_disk(self, entries: list[_Entry], error: sqlite3.Error) -> None:
        """The disk does not take it: requests are told so, facts are tried again."""
        reason = f"the journal cannot be written: {error}"
        self._set_trouble(reason)
        self._waiting[:0] = [entry for entry in entries if entry.fact]
        refusal = JournalUnavailable(reason)
        for entry in entries:
            if not entry.fact and entry.told is not None:
                entry.told(None, refusal)
        self._schedule(RETRY_S)

    def _run_apart(self, entries: list[_Entry]) -> None:
        for entry in entries:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                entry.result = entry.step(self._db)
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                self._failed([entry], error)
            else:
                if entry.told is not None:
                    entry.told(entry.result, None)

    def _drop(self, entry: _Entry, error: sqlite3.Error) -> None:
        """A mistake of ours. Nobody may take it for stored."""
        log.error("a step of the journal failed: %s", error)
        if entry.told is not None:
            entry.told(None, JournalUnavailable(f"the journal refused a step: {error}"))

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # SQLite did it itself, as it does for some errors
                self._db.execute("ROLLBACK")

    def _write_the_rest(self) -> None:
        """At the end, without the thread: facts that nobody was told of yet."""
        failed = self._committing if self._db.in_transaction else []
        self._roll_back()
        entries = [entry for entry in [*failed, *self._waiting] if entry.fact]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for entry in entries:
                entry.step(self._db)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            log.error("journal: %d facts could not be written at the end: %s", len(entries), error)

    def _set_trouble(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._on_trouble(trouble)


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
