"""The journal's tables, their versions, and how a file is opened and made usable.

Rule: `VERSION` only grows; `MIGRATIONS[n]` leads from version n to n + 1 and is never edited once released.
"""

import contextlib
import sqlite3
import uuid
from pathlib import Path

from edge_agent.held import JournalBroken, JournalDamaged

MIGRATIONS: tuple[str, ...] = (
    # 0 → 1. Each table is one B-tree, since a commit costs by the pages that it touches. `jobs` doubles as the list
    # of seen ids: a row outlives its result until the cloud cannot drain it again.
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE jobs (
      id TEXT PRIMARY KEY,
      recipient TEXT NOT NULL,
      text TEXT NOT NULL,
      spans TEXT NOT NULL,
      deadline REAL NOT NULL,
      report INTEGER NOT NULL,
      ref INTEGER NOT NULL,
      state INTEGER NOT NULL DEFAULT 0,
      acked INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE parts (
      job TEXT NOT NULL,
      part INTEGER NOT NULL,
      total INTEGER NOT NULL,
      state INTEGER NOT NULL,
      span TEXT NOT NULL,
      imsi TEXT NOT NULL,
      mr INTEGER,
      at REAL NOT NULL,
      PRIMARY KEY (job, part)
    ) WITHOUT ROWID;
    CREATE TABLE events (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE early_reports (
      sim TEXT NOT NULL, pdu TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (sim, pdu)
    ) WITHOUT ROWID;
    CREATE TABLE received (
      digest TEXT PRIMARY KEY,
      span TEXT NOT NULL,
      imsi TEXT NOT NULL,
      pdu TEXT NOT NULL,
      at REAL NOT NULL,
      event TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX received_open ON received (at) WHERE event = '';
    CREATE TABLE counters (
      span TEXT NOT NULL, day TEXT NOT NULL, parts INTEGER NOT NULL, PRIMARY KEY (span, day)
    ) WITHOUT ROWID;
    """,
)
VERSION = len(MIGRATIONS)

_CACHE_KIB = 2048
_WAL_LIMIT_BYTES = 8 * 1024 * 1024


def connect(path: Path, max_mb: int) -> sqlite3.Connection:
    """Opens and migrates. JournalBroken: the file is not ours to use; OperationalError: disk full, read-only …"""
    # check_same_thread: opened by the caller, used by the writer thread alone from then on.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1.0)
    try:
        _prepare(connection, max_mb)
    except sqlite3.DatabaseError as error:
        connection.close()
        if is_damage(error):
            raise JournalDamaged(f"{path} is damaged ({error})") from error
        raise
    except JournalBroken:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, max_mb: int) -> None:
    version = _version(connection)
    if version > VERSION:
        raise JournalBroken(f"was written by a newer agent (journal version {version}, this one knows {VERSION})")
    # Read-only media cannot be switched to WAL; what is there can still be read then.
    if version < VERSION or not _is_wal(connection):
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # the promise: a commit survives a power cut
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
    page_size = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {max_mb * 1024 * 1024 // page_size}")
    for number in range(version, VERSION):
        _migrate(connection, number)


def _migrate(connection: sqlite3.Connection, number: int) -> None:
    """One version up, all or nothing."""
    try:
        connection.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[number]}; PRAGMA user_version = {number + 1};")
        if number == 0:
            connection.execute("INSERT INTO meta VALUES ('journal_id', ?)", (uuid.uuid4().hex,))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # so that `read_id` finds it without the WAL
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _is_wal(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal")


def read_id(path: Path) -> str:
    """The journal's id from a file that cannot be opened for writing; empty when it cannot be read either."""
    # immutable: no lock, no WAL, nothing created; the id never changes, so what is missing does not matter.
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_read_only(path)) as connection:
        row = connection.execute("SELECT value FROM meta WHERE key = 'journal_id'").fetchone()
        return str(row[0]) if row else ""
    return ""


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def is_damage(error: Exception) -> bool:
    """Whether the file itself is broken, as against the disk around it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def is_full(error: Exception) -> bool:
    """Whether there is no room: on the disk, or below `journal.max_mb`."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def in_words(connection: sqlite3.Connection, error: Exception) -> str:
    """SQLite has the same words for a full disk and a file that may not grow."""
    if not is_full(error):
        return str(error)
    pages, most = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "max_page_count"))
    if pages >= most:
        return "it is full: it holds all that journal.max_mb allows, until the cloud has acknowledged some of it"
    return f"the disk is full ({error})"


def is_outside(error: Exception) -> bool:
    """Whether the disk (full, read-only, failing) or the file's damage is at fault, and not a statement of ours."""
    return is_damage(error) or getattr(error, "sqlite_errorcode", 0) & 0xFF in _OUTSIDE


_OUTSIDE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
}
