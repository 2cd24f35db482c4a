"""Every statement on the journal's tables. Each function is one step of a transaction that journal.py commits."""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Sequence

from edge_agent.held import Contents, EarlyReport, EventRow, HeldJob, HeldPart, JobState, PartState, ReceivedPart

Db = sqlite3.Connection
KEEP_AFTER_DEADLINE = 3 * 86_400.0
"""How long past its deadline a job's id is known, s. The cloud drains nothing whose deadline is over, and a copy of a
job that comes later still is refused by the deadline itself; this covers clocks that differ and late reports."""
KEEP_RECEIVED = 90 * 86_400.0
"""How long a received PDU is known again, s: a modem that cannot delete shows it at every sweep."""

_ADD_JOB = """INSERT OR IGNORE INTO jobs (id, recipient, text, spans, deadline, report, ref)
 VALUES (?, ?, ?, ?, ?, ?, ?)"""
_MARK = "INSERT OR REPLACE INTO parts (job, part, total, state, span, imsi, at) VALUES (?, ?, ?, 0, ?, ?, ?)"
_COUNT = """INSERT INTO counters VALUES (?, ?, 1) ON CONFLICT (span, day) DO UPDATE SET parts = parts + 1"""
_EVENT = "INSERT OR IGNORE INTO events (id, body) VALUES (?, ?)"


# Told and acknowledged (then without its PDU), or never to be told.
_PRUNE_RECEIVED = "DELETE FROM received WHERE event <> '' AND (pdu = '' OR event NOT LIKE 'rx.%') AND at < ?"
_UNFINISHED = "state = 0 OR (report AND state IN (1, 2) AND deadline > ?)"  # held.JobState: OPEN; SENT, UNCERTAIN
_LOAD_JOBS = f"""SELECT id, recipient, text, spans, deadline, report, ref, state FROM jobs
 WHERE {_UNFINISHED} ORDER BY deadline, id"""  # noqa: S608 (no outside text)
_LOAD_PARTS = f"""SELECT job, part, total, span, imsi, at, state, mr FROM parts
 WHERE job IN (SELECT id FROM jobs WHERE {_UNFINISHED}) ORDER BY job, part"""  # noqa: S608 (no outside text)


def add_jobs(db: Db, jobs: Sequence[HeldJob]) -> list[HeldJob]:
    """Stores those whose id was never seen, and returns them."""
    new = []
    for job in jobs:
        values = (job.id, job.to, job.text, json.dumps(job.spans), job.deadline, job.report, job.ref)
        if db.execute(_ADD_JOB, values).rowcount == 1:
            new.append(job)
    return new


def mark(db: Db, job: str, part: HeldPart, day: str) -> None:
    """The mark before the first byte of a PDU; `day` counts it for pacing unless empty."""
    db.execute(_MARK, (job, part.number, part.total, part.span, part.imsi, part.at))
    if day:
        db.execute(_COUNT, (part.span, day))


def unmark(db: Db, job: str, number: int) -> None:
    """The part is certainly not on the air."""
    db.execute("DELETE FROM parts WHERE job = ? AND part = ?", (job, number))


def answer(db: Db, job: str, number: int, state: PartState, mr: int | None, at: float) -> None:
    db.execute("UPDATE parts SET state = ?, mr = ?, at = ? WHERE job = ? AND part = ?", (state, mr, at, job, number))


def settle(db: Db, job: str, state: JobState, events: Iterable[EventRow]) -> None:
    """A job's new state with the events that tell of it."""
    db.execute("UPDATE jobs SET state = ? WHERE id = ?", (state, job))
    for event in events:
        db.execute(_EVENT, (event.id, event.body))


def add_events(db: Db, events: Iterable[EventRow]) -> None:
    db.executemany(_EVENT, [(event.id, event.body) for event in events])


def acknowledge(db: Db, event_ids: Sequence[str]) -> None:
    """The cloud has these. A job whose result it has keeps its id and recipient, and loses its text."""
    db.executemany("DELETE FROM events WHERE id = ?", [(event_id,) for event_id in event_ids])
    results = [(event_id.removesuffix(".result"),) for event_id in event_ids if event_id.endswith(".result")]
    db.executemany("UPDATE jobs SET acked = 1, text = '', spans = '' WHERE id = ?", results)
    received = [(event_id,) for event_id in event_ids if event_id.startswith("rx.")]
    if received:
        db.executemany("UPDATE received SET pdu = '' WHERE event = ?", received)


def add_early_report(db: Db, report: EarlyReport) -> None:
    db.execute("INSERT OR IGNORE INTO early_reports VALUES (?, ?, ?)", (report.sim, report.pdu, report.at))


def drop_early_report(db: Db, report: EarlyReport) -> None:
    db.execute("DELETE FROM early_reports WHERE sim = ? AND pdu = ?", (report.sim, report.pdu))


def add_received(db: Db, part: ReceivedPart) -> bool:
    """False when this very PDU was stored before."""
    cursor = db.execute(
        "INSERT OR IGNORE INTO received VALUES (?, ?, ?, ?, ?, '')",
        (part.digest, part.span, part.imsi, part.pdu, part.at),
    )
    return cursor.rowcount == 1


def complete_received(db: Db, digests: Sequence[str], event: EventRow | None, reason: str) -> None:
    """These PDUs make up `event`, or will never make one for the given reason."""
    value = event.id if event else reason
    db.executemany("UPDATE received SET event = ? WHERE digest = ?", [(value, digest) for digest in digests])
    if event:
        db.execute(_EVENT, (event.id, event.body))


def remember(db: Db, key: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def probe(db: Db) -> None:
    """Writes, so that it fails as long as the disk does."""
    remember(db, "probe", "")
    db.execute("DELETE FROM meta WHERE key = 'probe'")


def counts(db: Db, span: str, day: str) -> tuple[int, int]:
    """Parts of this UTC day, and of its month."""
    row = db.execute(
        "SELECT COALESCE(SUM(parts) FILTER (WHERE day = ?2), 0), COALESCE(SUM(parts), 0)"
        " FROM counters WHERE span = ?1 AND day BETWEEN substr(?2, 1, 7) AND ?2", (span, day),
    ).fetchone()  # fmt: skip
    return int(row[0]), int(row[1])


def mark_times(db: Db, span: str, since: float, limit: int) -> list[float]:
    """When this span's latest parts were handed over, oldest first."""
    rows = db.execute(
        "SELECT at FROM parts WHERE span = ? AND at >= ? ORDER BY at DESC LIMIT ?", (span, since, limit)
    ).fetchall()
    return [row[0] for row in reversed(rows)]


def prune(db: Db, now: float, month: str, limit: int = 500) -> int:
    """Forgets what nobody can ask for any more, at most `limit` jobs at once so that nothing waits for it long."""
    before = now - KEEP_AFTER_DEADLINE
    removed = drop_jobs(db, before, limit)
    db.execute(_PRUNE_RECEIVED, (now - KEEP_RECEIVED,))
    db.execute("DELETE FROM early_reports WHERE at < ?", (before,))
    db.execute("DELETE FROM counters WHERE day < ?", (month,))
    return removed


def drop_jobs(db: Db, before: float, limit: int) -> int:
    """Forgets jobs whose result is acknowledged and whose deadline was before `before`, oldest first."""
    rows = db.execute(
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE acked = 1 AND deadline < ? LIMIT ?) RETURNING id",
        (before, limit),
    ).fetchall()
    db.executemany("DELETE FROM parts WHERE job = ?", rows)
    return len(rows)


def size_mb(db: Db) -> float:
    """What the file really holds; freed pages are used again and do not count."""
    pages, free, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in _SIZES)
    return float((pages - free) * size) / (1024 * 1024)


_SIZES = ("page_count", "freelist_count", "page_size")


def load(db: Db, reports_since: float) -> Contents:
    """Everything that is not finished. Jobs with a result stay as long as a report may still fit: `reports_since`."""
    meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
    return Contents(
        journal_id=meta["journal_id"],
        jobs=tuple(_load_jobs(db, reports_since)),
        events=tuple(EventRow(*row) for row in db.execute("SELECT id, body FROM events")),
        received=tuple(
            ReceivedPart(*row)
            for row in db.execute("SELECT digest, span, imsi, pdu, at FROM received WHERE event = '' ORDER BY at")
        ),
        early_reports=tuple(EarlyReport(*row) for row in db.execute("SELECT sim, pdu, at FROM early_reports")),
        last_seen=float(meta.get("last_seen", "0")),
    )


def rescue_events(db: Db) -> list[EventRow]:
    """From a damaged file: what can still be read of what the cloud was not told yet."""
    events: list[EventRow] = []
    with contextlib.suppress(sqlite3.Error, TypeError):
        for row in db.execute("SELECT id, body FROM events"):
            events.append(EventRow(str(row[0]), str(row[1])))
    return events


def _load_jobs(db: Db, reports_since: float) -> list[HeldJob]:
    jobs: dict[str, HeldJob] = {}
    for job_id, to, text, spans, deadline, report, ref, state in db.execute(_LOAD_JOBS, (reports_since,)):
        pool = tuple(json.loads(spans)) if spans else ()
        jobs[job_id] = HeldJob(job_id, to, text, pool, deadline, bool(report), ref, JobState(state))
    for job, number, total, span, imsi, at, state, mr in db.execute(_LOAD_PARTS, (reports_since,)):
        jobs[job].parts.append(HeldPart(number, total, span, imsi, at, PartState(state), mr))
    return list(jobs.values())
