"""What the agent must not forget, on disk: jobs, parts, events, received parts. SQLite in WAL mode, every commit
synced.

Only the files named journal*.py import sqlite3. Rule: nothing is forgotten before the other side has acknowledged it.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from edge_agent import journal_schema, journal_tables
from edge_agent.config import LOCK_SUFFIX, JournalConfig
from edge_agent.held import (
    Contents,
    EarlyReport,
    EventRow,
    HeldJob,
    HeldPart,
    JournalBroken,
    JournalDamaged,
    JournalUnavailable,
    ReceivedPart,
)
from edge_agent.journal_writer import Writer
from edge_agent.pacing import day_of

log = logging.getLogger(__name__)

RESERVE_MB = 16
"""New jobs are refused below this much free disk, so that the answers of those already held still fit."""
RESERVE_SHARE = 0.75
"""And above this share of `max_mb`, for the same reason: what is still written of a held job, its parts and its result,
takes half a kilobyte, ten parts twice as much."""


class AlreadyRunning(Exception):
    """Another agent has this journal open."""


class _Synced:
    """Costs nothing unless it is awaited."""

    __slots__ = ("_writer",)

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def __await__(self) -> Generator[Any, None, None]:
        return self._writer.durable(lambda db: None).__await__()


class Journal:
    """The facade that the event loop uses. Not one method blocks but `open` and `close`."""

    def __init__(self, config: JournalConfig, db: sqlite3.Connection, contents: Contents, lock: int) -> None:
        self._config = config
        self._lock = lock
        self.contents = contents
        self.new = False  # the file was not there before
        self.trouble = ""  # why nothing new can be stored; empty when all is well
        self._on_trouble: Callable[[str], None] = lambda trouble: None
        self._usable = asyncio.Event()
        self._usable.set()
        self._size_mb = journal_tables.size_mb(db)
        self._writer = Writer(db, self._troubled)
        self._synced = _Synced(self._writer)

    @classmethod
    def open(cls, config: JournalConfig, *, now: float, reports_since: float) -> "Journal":
        """Opens, migrates and reads the file; inside a running event loop.

        A damaged file is set aside and a new journal begun, whose new id tells the cloud what was lost. Raises
        AlreadyRunning, or JournalBroken when not even that is possible.
        """
        lock = _lock(config.path)
        new = not config.path.exists()
        try:
            try:
                db, contents = _open(config, reports_since)
            except JournalDamaged as error:
                db, contents = _begin_anew(config, error, now)
        except (JournalBroken, sqlite3.Error, OSError) as error:
            os.close(lock)
            raise JournalBroken(f"the journal {config.path} cannot be opened: {_why(config.path, error)}") from error
        journal = cls(config, db, contents, lock)
        journal.new = new
        return journal

    def close(self, timeout_s: float = 1.0, *, forget: bool = False) -> None:
        """Writes what is still waiting, as far as the disk lets it. `forget`: nothing worth keeping is in it, and its
        files go, while nobody else can have opened them."""
        if not self._writer.stop(timeout_s):
            log.error("journal: the disk did not answer within %s s; what was not written is lost", timeout_s)
        elif forget:
            for file in self._config.files:
                file.unlink(missing_ok=True)
        os.close(self._lock)

    def watch(self, on_trouble: Callable[[str], None]) -> None:
        """Calls back whenever `trouble` changes."""
        self._on_trouble = on_trouble

    async def usable(self) -> None:
        """Waits until new things can be stored."""
        await self._usable.wait()

    def refuses(self) -> str:
        """Why no new job should be taken now; empty when it may."""
        if self.trouble:
            return self.trouble
        if self._size_mb > self._config.max_mb * RESERVE_SHARE:
            return f"the journal holds {self._size_mb:.0f} MB of at most {self._config.max_mb} MB (journal.max_mb)"
        free_mb = _free_mb(self._config.path)
        if free_mb < RESERVE_MB:
            return f"only {free_mb:.0f} MB are free on the disk of the journal"
        return ""

    # Requests: they fail with JournalUnavailable when the disk fails.

    def add_jobs(self, jobs: Sequence[HeldJob]) -> "asyncio.Future[list[HeldJob]]":
        """Stores those never seen before, and returns them. Raises JournalUnavailable, now or later."""
        refusal = self.refuses()
        if refusal:
            raise JournalUnavailable(refusal)
        return self._writer.request(lambda db: self._add_jobs(db, jobs))

    def _add_jobs(self, db: sqlite3.Connection, jobs: Sequence[HeldJob]) -> list[HeldJob]:
        added = journal_tables.add_jobs(db, jobs)
        self._size_mb = journal_tables.size_mb(db)
        return added

    def mark(self, job: HeldJob, part: HeldPart, counted: bool) -> Awaitable[None]:
        """The mark before the first byte of a PDU."""
        day = day_of(part.at) if counted else ""
        return self._writer.request(lambda db: journal_tables.mark(db, job.id, part, day))

    # Facts: they are stored sooner or later; `told` is called after the commit.

    def answer(self, job: HeldJob, part: HeldPart, *, soon: bool = False) -> None:
        """What became of a part, as it stands in `part` now; `soon` when a crash would leave it uncertain."""
        step = partial(journal_tables.answer, job=job.id, number=part.number, state=part.state, mr=part.mr, at=part.at)
        self._writer.fact(step, soon=soon)

    def unmark(self, job: HeldJob, part: HeldPart) -> None:
        self._writer.fact(partial(journal_tables.unmark, job=job.id, number=part.number), soon=True)

    def settle(self, job: HeldJob, events: Sequence[EventRow], told: Callable[[], None]) -> None:
        """The state of a job as it is now, with the events that tell of it."""
        self._writer.fact(partial(journal_tables.settle, job=job.id, state=job.state, events=events), told)

    def acknowledge(self, event_ids: Sequence[str]) -> None:
        self._writer.fact(partial(journal_tables.acknowledge, event_ids=event_ids), frees=True)

    def forget_early(self, report: EarlyReport) -> None:
        self._writer.fact(partial(journal_tables.drop_early_report, report=report))

    def complete_received(
        self, digests: Sequence[str], event: EventRow | None, told: Callable[[], None], reason: str = ""
    ) -> None:
        self._writer.fact(partial(journal_tables.complete_received, digests=digests, event=event, reason=reason), told)

    def keep_early(self, report: EarlyReport) -> None:
        self._writer.fact(partial(journal_tables.add_early_report, report=report))

    def synced(self) -> Awaitable[None]:
        """Await it to wait until all that was asked for before is on disk."""
        return self._synced

    # A fact that the caller waits for.

    def keep_received(self, part: ReceivedPart) -> "asyncio.Future[bool]":
        """False when this very PDU was kept before."""
        return self._writer.durable(lambda db: journal_tables.add_received(db, part))

    # Housekeeping and questions.

    async def counts(self, span: str, now: float) -> tuple[int, int, list[float]]:
        """Parts of this UTC day, of its month, and the times of those of the last hour."""

        def ask(db: sqlite3.Connection) -> tuple[int, int, list[float]]:
            return *journal_tables.counts(db, span, day_of(now)), journal_tables.mark_times(db, span, now - 3600, 5000)

        answer: tuple[int, int, list[float]] = await self._writer.durable(ask)
        return answer

    async def prune(self, now: float) -> None:
        """Forgets what nobody can ask for any more; more of it when the file grows too large."""
        month = day_of(now)[:7]
        while await self._writer.request(lambda db: journal_tables.prune(db, now, month), frees=True):
            pass
        self._size_mb = await self._writer.request(journal_tables.size_mb, frees=True)
        if self._size_mb > self._config.max_mb * RESERVE_SHARE / 2:
            await self._writer.request(lambda db: journal_tables.drop_jobs(db, now, 50_000), frees=True)
            self._size_mb = await self._writer.request(journal_tables.size_mb, frees=True)

    def note_time(self, now: float) -> None:
        """So that after a restart a clock that is behind this is known to be wrong."""
        self._writer.fact(lambda db: journal_tables.remember(db, "last_seen", str(now)))

    def _troubled(self, trouble: str) -> None:
        self.trouble = trouble
        if trouble:
            self._usable.clear()
            log.error("%s; no new work is taken until it can", trouble)
        else:
            self._usable.set()
            log.info("the journal can be written again")
        self._on_trouble(trouble)


def _open(config: JournalConfig, reports_since: float) -> tuple[sqlite3.Connection, Contents]:
    db = journal_schema.connect(config.path, config.max_mb)
    try:
        return db, journal_tables.load(db, reports_since)
    except sqlite3.DatabaseError as error:
        db.close()
        if journal_schema.is_damage(error):
            raise JournalDamaged(str(error)) from error
        raise


def _why(path: Path, error: Exception) -> str:
    """SQLite calls a full disk many names."""
    free_mb = _free_mb(path)
    return f"the disk is full ({error})" if free_mb < 1 else str(error)


def _free_mb(path: Path) -> float:
    """On the disk of that file; plenty where nobody can tell."""
    try:
        return shutil.disk_usage(path.parent).free / (1024 * 1024)
    except OSError:
        return float("inf")


def _begin_anew(config: JournalConfig, error: JournalDamaged, now: float) -> tuple[sqlite3.Connection, Contents]:
    """Keeps the damaged file, and takes over what the cloud was not told yet. Its jobs are the cloud's to settle."""
    saved = _set_aside(config.path, now)
    log.error("journal: %s; it was kept as %s, and a new one is begun", error, saved)
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(saved)) as damaged:
        events = journal_tables.rescue_events(damaged)
        db = journal_schema.connect(config.path, config.max_mb)
        journal_tables.add_events(db, events)
        db.close()
    return _open(config, reports_since=now)


def _lock(path: Path) -> int:
    """One agent a journal: two would send everything twice."""
    file = path.with_suffix(LOCK_SUFFIX)
    try:
        lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        lock = _lock_read_only(file, error)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise AlreadyRunning(f"another agent is running on {path}") from None
    return lock


def _lock_read_only(file: Path, error: OSError) -> int:
    """A read-only disk can be locked all the same."""
    try:
        return os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise JournalBroken(f"{file}: {error.strerror}") from error
    except PermissionError:
        owner = file.stat().st_uid
        raise JournalBroken(f"{file}: {error.strerror}; user {owner} owns it: run as that one, or chown it") from error


def _set_aside(path: Path, now: float) -> Path:
    saved = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%S', time.gmtime(now))}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(saved.with_name(saved.name + suffix))
    return saved
