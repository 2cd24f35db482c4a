"""How the journal is written: many awaits, one commit.

Steps run in the event loop's thread as they are asked for, in a transaction that stays open: they only touch memory.
What can wait opens none, and runs with what comes next. The commit, which waits for the disk, comes when the most
urgent of them is due, and runs in a thread of its own unless the disk is quick. What is asked for meanwhile shares the
next one, so that one fsync serves all modems, and a quiet site still has each commit at once. (Steps in the thread too
were tried: each statement hands Python's lock over twice, and the event loop stood still for a third of its time.)
Rule: what a step tells its caller, it tells after the commit that holds it.

Two kinds of steps. A *request* (a new job, a mark) fails when the disk fails: the caller does not do what it meant to.
A *fact* (an answer, a report) has happened already: it is kept in memory and tried again until it is on disk.
"""

import asyncio
import contextlib
import logging
import math
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from edge_agent import journal_tables
from edge_agent.held import JournalUnavailable
from edge_agent.journal_schema import in_words, is_full, is_outside

log = logging.getLogger(__name__)

SOON_S, GATHER_S = 0.005, 0.05
"""How long a fact waits for company, s. What became of a part waits hardly at all, since a crash would leave it
uncertain; the mark of the next part mostly follows at once, and takes it along. What came by itself, like a report,
can wait for that mark: on a busy site nothing but marks causes commits, and no person and no network notices 50
ms."""
QUICK_S, CALM_QUICK_S = 0.0004, 0.001
"""A disk whose last commit took less than this, s, is waited for in place, always or in calm moments: going through the
thread and back costs the event loop as much."""
CALM_S = 0.002
"""A moment is calm when the last commit ended longer ago than this, s."""
RETRY_S = 2.0
"""How often a disk that failed is tried again."""

Step = Callable[[sqlite3.Connection], Any]
Told = Callable[[Any, Exception | None], None]


@dataclass(slots=True)
class _Entry:
    step: Step
    told: Told | None
    fact: bool
    frees: bool = False
    result: Any = None


class Writer:
    """Owns the connection until `stop`. All methods are for the event loop's thread."""

    def __init__(self, connection: sqlite3.Connection, on_trouble: Callable[[str], None]) -> None:
        self._db = connection
        self._on_trouble = on_trouble
        self._trouble = ""
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Entry] = []  # not run yet: a commit is under way, nothing is urgent, or the disk failed
        self._staged: list[_Entry] = []  # run, in the open transaction
        self._committing: list[_Entry] = []
        self._timer: asyncio.Handle | None = None
        self._due = math.inf  # when the next commit is to begin
        self._closed = False
        self._took_s = 1.0  # how long the last commit took
        self._ended = 0.0  # when, by the loop's clock
        self._commits: SimpleQueue[bool] = SimpleQueue()  # True: commit; False: end
        self._thread = threading.Thread(target=self._commit_all, name="journal", daemon=True)
        self._thread.start()

    def request(self, step: Step, *, frees: bool = False) -> "asyncio.Future[Any]":
        """Resolves after the commit; raises JournalUnavailable when it cannot be stored now."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._add(_Entry(step, _resolver(future), fact=False, frees=frees), 0.0)
        return future

    def fact(
        self, step: Step, told: Callable[[], None] | None = None, *, soon: bool = False, frees: bool = False
    ) -> None:
        """Stores it, sooner or later; `told` is called after the commit. `frees`: it makes room in a full file."""
        self._add(_Entry(step, _caller(told) if told else None, fact=True, frees=frees), SOON_S if soon else GATHER_S)

    def durable(self, step: Step) -> "asyncio.Future[Any]":
        """A fact that the caller waits for, however long the disk takes."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._add(_Entry(step, _resolver(future), fact=True), GATHER_S)
        return future

    def stop(self, timeout_s: float) -> bool:
        """Writes what is waiting and closes the file. False when the disk did not let it end in time."""
        self._commits.put(False)
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        self._closed = True
        self._write_the_rest()
        self._db.close()
        return True

    def _add(self, entry: _Entry, patience_s: float) -> None:
        if self._closed:
            return
        idle = not self._staged and patience_s == GATHER_S
        if idle or self._committing or self._waiting or self._trouble:
            self._waiting.append(entry)
        elif not self._stage([entry]):
            return
        due = self._loop.time() + patience_s
        if due < self._due:
            self._due = due
            if not self._committing:
                self._schedule(patience_s)

    def _schedule(self, delay_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(delay_s, self._begin) if delay_s else self._loop.call_soon(self._begin)

    def _stage(self, entries: Sequence[_Entry]) -> bool:
        """Runs their steps in the open transaction. False when one failed; that is seen to."""
        try:
            if not self._staged:
                self._db.execute("BEGIN IMMEDIATE")
            for entry in entries:
                entry.result = entry.step(self._db)
        except Exception as error:  # noqa: BLE001 (also a value that SQLite cannot hold, which is no sqlite3.Error)
            failed, self._staged = [*self._staged, *entries], []
            self._failed(failed, error)
            return False
        self._staged += entries
        return True

    def _begin(self) -> None:
        """Commits what is staged, and what has waited for that."""
        self._timer, self._due = None, math.inf
        entries, self._waiting = self._waiting, []
        if self._trouble and not entries:
            entries = [_Entry(journal_tables.probe, None, fact=False)]
        if self._closed or (entries and not self._stage(entries)) or not self._staged:
            return
        self._committing, self._staged = self._staged, []
        calm = self._loop.time() - self._ended > CALM_S
        if self._took_s < (CALM_QUICK_S if calm else QUICK_S):
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
        if not self._committing and self._timer is None:
            self._go_on()

    def _go_on(self) -> None:
        """With what was asked for during the commit."""
        left_s = self._due - self._loop.time()
        if left_s <= 0:
            self._begin()
            return
        waiting, self._waiting = self._waiting, []
        if waiting and self._stage(waiting):
            self._schedule(left_s)

    def _failed(self, entries: list[_Entry], error: Exception) -> None:
        self._roll_back()
        if is_outside(error) and not (is_full(error) and any(entry.frees for entry in entries)):
            self._wait_for_disk(entries, error)
        else:  # one step is at fault, and the others must not suffer for it; or some of them make room
            self._run_apart(entries)

    def _wait_for_disk(self, entries: list[_Entry], error: Exception) -> None:
        """The disk does not take it: requests are told so, facts are tried again."""
        reason = f"the journal cannot be written: {in_words(self._db, error)}"
        self._set_trouble(reason)
        self._waiting[:0] = [entry for entry in entries if entry.fact]
        self._due = self._loop.time() + RETRY_S
        self._schedule(RETRY_S)
        refusal = JournalUnavailable(reason)
        for entry in entries:
            if not entry.fact and entry.told is not None:
                entry.told(None, refusal)

    def _run_apart(self, entries: list[_Entry]) -> None:
        self._committing = entries  # so that what is asked for meanwhile waits
        left, trouble = self._each_alone(entries)
        self._committing = []
        if trouble is not None:
            self._wait_for_disk(left, trouble)
            return
        self._set_trouble("")
        if self._timer is None:
            self._go_on()

    def _each_alone(self, entries: Sequence[_Entry]) -> tuple[list[_Entry], Exception | None]:
        """A transaction for each; those that make room first. What the disk did not take, and why: after the first of
        the others that it refuses, the rest is not even tried.
        """
        left: list[_Entry] = []
        trouble: Exception | None = None
        for entry in sorted(entries, key=lambda entry: not entry.frees):
            if trouble is not None and not entry.frees:
                left.append(entry)
                continue
            try:
                self._db.execute("BEGIN IMMEDIATE")
                entry.result = entry.step(self._db)
                self._db.execute("COMMIT")
            except Exception as error:  # noqa: BLE001 (as in `_stage`)
                self._roll_back()
                if is_outside(error):
                    left.append(entry)
                    trouble = error
                else:
                    self._drop(entry, error)
            else:
                if entry.told is not None:
                    entry.told(entry.result, None)
        return left, trouble

    def _drop(self, entry: _Entry, error: Exception) -> None:
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
        entries = [entry for entry in [*failed, *self._staged, *self._waiting] if entry.fact]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for entry in entries:
                entry.step(self._db)
            self._db.execute("COMMIT")
        except Exception:  # noqa: BLE001 (as in `_stage`)
            self._roll_back()
            untold = [_Entry(entry.step, None, fact=True, frees=entry.frees) for entry in entries]
            left, trouble = self._each_alone(untold)
            if trouble is not None:
                log.error("journal: %d facts could not be written at the end: %s", len(left), trouble)

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
