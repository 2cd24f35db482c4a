"""The journal on a real file: what is kept, what is refused, what survives."""

import asyncio
import errno
import os
import shutil
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent import core as core_module
from edge_agent import journal as journal_module
from edge_agent import journal_schema, journal_tables
from edge_agent.config import JournalConfig
from edge_agent.held import (
    EarlyReport,
    EventRow,
    HeldJob,
    HeldPart,
    JobState,
    JournalBroken,
    JournalUnavailable,
    PartState,
    ReceivedPart,
)
from edge_agent.journal import AlreadyRunning, Journal
from edge_agent.journal_writer import Writer
from tests.edge_agent.rig import Rig

NOW = 1_800_000_000.0


def run(coroutine: object) -> None:
    asyncio.run(coroutine)  # type: ignore[arg-type]


def opened(folder: Path, max_mb: int = 64) -> Journal:
    return Journal.open(JournalConfig(path=folder / "journal.db", max_mb=max_mb), now=NOW, reports_since=NOW - 1000)


def held(job_id: str = "j1", *, deadline: float = NOW + 60, text: str = "text") -> HeldJob:
    return HeldJob(job_id, "+491511", text, ("imei:1", "imei:2"), deadline, True, 7)


def part_of(number: int = 0, state: PartState = PartState.MARKED, mr: int | None = None) -> HeldPart:
    return HeldPart(number, 2, "imei:1", "sim", NOW, state, mr)


def test_what_was_stored_is_there_again(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        job = held()
        await journal.add_jobs([job])
        await journal.mark(job, part_of(), counted=True)
        journal.answer(job, part_of(state=PartState.TAKEN, mr=9))
        await journal.mark(job, part_of(1), counted=False)
        journal.keep_early(EarlyReport("sim", "00AA", NOW))
        await journal.keep_received(ReceivedPart("digest", "imei:1", "sim", "00BB", NOW))
        journal_id = journal.contents.journal_id
        journal.close()
        contents = opened(tmp_path).contents
        (kept,) = contents.jobs
        assert (kept.id, kept.to, kept.text, kept.spans, kept.ref) == ("j1", "+491511", "text", ("imei:1", "imei:2"), 7)
        assert [(part.state, part.mr) for part in kept.parts] == [(PartState.TAKEN, 9), (PartState.MARKED, None)]
        assert contents.early_reports == (EarlyReport("sim", "00AA", NOW),)
        assert [part.pdu for part in contents.received] == ["00BB"]
        assert contents.journal_id == journal_id != ""

    run(main())


def test_the_mark_is_on_disk_when_its_await_returns(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        job = held()
        await journal.add_jobs([job])
        await journal.mark(job, part_of(), counted=False)
        assert [part.state for part in reread(tmp_path, "a").jobs[0].parts] == [PartState.MARKED]

    def reread(folder: Path, name: str) -> journal_tables.Contents:
        return copied(folder, folder / name)

    run(main())


def copied(folder: Path, target: Path, cut: Callable[[bytes], bytes] = lambda wal: wal) -> journal_tables.Contents:
    """The journal as a power cut now would leave it; `cut` shortens what was just being written."""
    target.mkdir()
    shutil.copy(folder / "journal.db", target)
    (target / "journal.db-wal").write_bytes(cut((folder / "journal.db-wal").read_bytes()))
    db = journal_schema.connect(target / "journal.db", 64)
    try:
        return journal_tables.load(db, 0.0)
    finally:
        db.close()


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_power_cut_at_any_byte_leaves_a_state_that_was_once_committed(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("journal")

    async def main() -> list[tuple[tuple[str, int, int], ...]]:
        journal = opened(folder)
        states: list[tuple[tuple[str, int, int], ...]] = [()]
        jobs: list[HeldJob] = []
        for step in data.draw(st.lists(st.sampled_from(["add", "mark", "end"]), max_size=12)):
            if step == "add" or not jobs:
                jobs.append(held(f"j{len(states):03}"))
                await journal.add_jobs(jobs[-1:])
            elif step == "mark":
                jobs[-1].parts.append(part_of(len(jobs[-1].parts)))
                await journal.mark(jobs[-1], jobs[-1].parts[-1], counted=False)
            else:
                jobs[-1].state = JobState.SENT
                journal.settle(jobs[-1], [EventRow(f"{jobs[-1].id}.result", "{}")], lambda: None)
                await journal.synced()
            states.append(tuple((job.id, job.state, len(job.parts)) for job in jobs))
        return states

    states = asyncio.run(main())
    share = data.draw(st.floats(0, 1))
    contents = copied(folder, folder / "cut", lambda wal: wal[: int(len(wal) * share)])
    found = tuple((job.id, job.state, len(job.parts)) for job in contents.jobs)
    assert found in states
    ended = {f"{job_id}.result" for job_id, state, _ in found if state == JobState.SENT}
    assert {event.id for event in contents.events} == ended


def test_many_awaits_share_one_commit(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        size = (tmp_path / "journal.db-wal").stat().st_size
        await asyncio.gather(*(journal.add_jobs([held(f"j{number}")]) for number in range(200)))
        pages = ((tmp_path / "journal.db-wal").stat().st_size - size) / 4096
        assert pages < 40

    run(main())


def test_a_second_agent_on_the_same_journal_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        with pytest.raises(AlreadyRunning, match="another agent is running"):
            opened(tmp_path)
        journal.close()
        opened(tmp_path).close()

    run(main())


def test_a_full_disk_refuses_new_work_and_keeps_facts_until_there_is_room(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        troubles: list[str] = []
        journal.watch(troubles.append)
        job = held()
        await journal.add_jobs([job])
        with full(journal):
            with pytest.raises(JournalUnavailable, match="full"):
                await journal.add_jobs([held("big", text="x" * 3_000_000)])
            assert "full" in journal.trouble
            with pytest.raises(JournalUnavailable):
                await journal.add_jobs([held("j2")])
            told: list[str] = []
            job.state = JobState.SENT
            journal.settle(job, [EventRow("j1.result", "x" * 3_000_000)], lambda: told.append("result"))
            await asyncio.sleep(0.05)
            assert told == []
        await asyncio.wait_for(journal.usable(), 5)
        await journal.synced()
        assert told == ["result"]
        assert [bool(trouble) for trouble in troubles] == [True, False]
        await journal.add_jobs([held("j2")])

    run(main())


class full:  # noqa: N801 (reads as a state)
    """The file may not grow while this holds, as on a disk without room."""

    def __init__(self, journal: Journal) -> None:
        self._db = journal._writer._db

    def __enter__(self) -> None:
        pages = self._db.execute("PRAGMA page_count").fetchone()[0]
        self._db.execute(f"PRAGMA max_page_count = {pages + 5}")

    def __exit__(self, *_: object) -> None:
        self._db.execute("PRAGMA max_page_count = 100000")


def test_one_faulty_step_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        results = await asyncio.gather(
            journal._writer.request(lambda db: db.execute("NONSENSE")),
            journal.add_jobs([held()]),
            return_exceptions=True,
        )
        assert isinstance(results[0], JournalUnavailable)
        assert isinstance(results[1], list)
        assert journal.trouble == ""

    run(main())


def test_what_is_asked_for_while_faulty_steps_are_sorted_out_is_stored_too(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        job, later = held(), held("j2")
        await journal.add_jobs([job, later])
        job.state = later.state = JobState.SENT
        more = asyncio.Event()

        def settle_the_other() -> None:
            journal.settle(later, [EventRow("j2.result", "two")], more.set)

        journal.settle(job, [EventRow("j1.result", "one")], settle_the_other)
        journal._writer.fact(lambda db: db.execute("NONSENSE"))
        await asyncio.wait_for(more.wait(), 5)
        journal.close()
        assert {event.id for event in opened(tmp_path).contents.events} == {"j1.result", "j2.result"}

    run(main())


def test_what_happened_shares_the_commit_of_the_next_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[int] = []
    commit = Writer._commit

    def counted(self: Writer) -> tuple[float, sqlite3.Error | None]:
        commits.append(len(self._committing))
        return commit(self)

    async def main() -> None:
        journal = opened(tmp_path)
        job, after = held(), held("j2")
        await journal.add_jobs([job, after])
        await journal.mark(job, part_of(), counted=False)
        monkeypatch.setattr(Writer, "_commit", counted)
        journal.answer(job, part_of(state=PartState.TAKEN, mr=9), soon=True)
        journal.settle(job, [EventRow("j1.result", "{}")], lambda: None)
        await journal.mark(after, part_of(), counted=False)
        assert commits == [3]

    run(main())


def test_a_damaged_file_is_set_aside_and_what_can_be_read_of_its_events_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        old_id = journal.contents.journal_id
        job = held()
        await journal.add_jobs([job])
        job.state = JobState.SENT
        journal.settle(job, [EventRow("j1.result", "{}")], lambda: None)
        await journal.synced()
        journal.close()
        damage(tmp_path / "journal.db", "jobs")
        journal = opened(tmp_path)
        assert journal.contents.journal_id != old_id  # so that the cloud settles what was pending
        assert journal.contents.jobs == ()
        assert [event.id for event in journal.contents.events] == ["j1.result"]

    run(main())
    assert list(tmp_path.glob("journal.db.damaged-*"))


def damage(path: Path, table: str) -> None:
    """Overwrites one table's page."""
    db = sqlite3.connect(path)
    (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    (size,) = db.execute("PRAGMA page_size").fetchone()
    db.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)


def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "journal.db").write_bytes(b"not a database at all" * 100)
        journal = opened(tmp_path)
        assert journal.contents.jobs == ()
        await journal.add_jobs([held()])

    run(main())


def test_a_journal_of_a_newer_agent_is_left_alone(tmp_path: Path) -> None:
    opened_once(tmp_path)
    with sqlite3.connect(tmp_path / "journal.db") as db:
        db.execute(f"PRAGMA user_version = {journal_schema.VERSION + 1}")
    with pytest.raises(JournalBroken, match="newer agent"):
        asyncio.run(_open_only(tmp_path))
    assert not list(tmp_path.glob("*damaged*"))


def opened_once(folder: Path) -> None:
    async def main() -> None:
        opened(folder).close()

    run(main())


async def _open_only(folder: Path) -> None:
    opened(folder)


def test_a_folder_that_does_not_let_itself_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalBroken, match="journal"):
        asyncio.run(_open_only(tmp_path / "missing"))


def test_the_id_can_be_read_without_writing_anything(tmp_path: Path) -> None:
    async def main() -> str:
        journal = opened(tmp_path)
        await journal.add_jobs([held()])
        journal.close()
        return journal.contents.journal_id

    journal_id = asyncio.run(main())
    assert journal_schema.read_id(tmp_path / "journal.db") == journal_id
    assert journal_schema.read_id(tmp_path / "nothing.db") == ""


def test_each_version_migrates_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened_once(tmp_path)
    later = (*journal_schema.MIGRATIONS, "ALTER TABLE jobs ADD COLUMN flavour TEXT NOT NULL DEFAULT 'plain'")
    monkeypatch.setattr(journal_schema, "MIGRATIONS", later)
    monkeypatch.setattr(journal_schema, "VERSION", len(later))
    db = journal_schema.connect(tmp_path / "journal.db", 64)
    assert db.execute("PRAGMA user_version").fetchone() == (len(later),)
    db.execute("SELECT flavour FROM jobs")


def test_a_migration_that_fails_leaves_the_version_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened_once(tmp_path)
    later = (*journal_schema.MIGRATIONS, "ALTER TABLE jobs ADD COLUMN flavour TEXT; SELECT * FROM nowhere")
    monkeypatch.setattr(journal_schema, "MIGRATIONS", later)
    monkeypatch.setattr(journal_schema, "VERSION", len(later))
    with pytest.raises(sqlite3.Error):
        journal_schema.connect(tmp_path / "journal.db", 64)
    db = sqlite3.connect(tmp_path / "journal.db")
    assert db.execute("PRAGMA user_version").fetchone() == (len(later) - 1,)
    assert "flavour" not in [row[1] for row in db.execute("PRAGMA table_info(jobs)")]


def test_an_id_is_known_until_the_cloud_cannot_drain_it_again_and_then_forgotten(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        job = held()
        await journal.add_jobs([job])
        await journal.mark(job, part_of(), counted=False)
        job.state = JobState.ENDED
        journal.settle(job, [EventRow("j1.result", "{}")], lambda: None)
        await journal.prune(NOW + 1e7)
        assert await journal.add_jobs([held()]) == []  # not acknowledged: kept however old
        journal.acknowledge(["j1.result"])
        await journal.prune(NOW + journal_tables.KEEP_AFTER_DEADLINE)
        assert await journal.add_jobs([held()]) == []
        await journal.prune(NOW + journal_tables.KEEP_AFTER_DEADLINE + 61)
        assert len(await journal.add_jobs([held()])) == 1
        assert journal._writer._db.execute("SELECT count(*) FROM parts").fetchone() == (0,)

    run(main())


def test_the_text_is_gone_once_the_cloud_has_the_result(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        job = held(text="a secret")
        await journal.add_jobs([job])
        job.state = JobState.SENT
        journal.settle(job, [EventRow("j1.result", "{}")], lambda: None)
        journal.acknowledge(["j1.result"])
        await journal.synced()
        assert journal._writer._db.execute("SELECT text FROM jobs").fetchall() == [("",)]

    run(main())


def test_a_journal_that_only_grows_refuses_by_itself_before_it_is_full(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path, max_mb=8)
        taken: list[HeldJob] = []
        with pytest.raises(JournalUnavailable, match="max_mb"):
            for number in range(1000):
                batch = [held(f"j{number}.{n}", text="x" * 1500) for n in range(20)]
                taken += await journal.add_jobs(batch)
        assert len(taken) > 1000
        told: list[str] = []
        for job in taken:  # all of it can still be sent and told
            job.parts.append(part_of())
            await journal.mark(job, job.parts[0], counted=False)
            job.parts[0].state, job.state = PartState.TAKEN, JobState.SENT
            journal.answer(job, job.parts[0], soon=True)
            journal.settle(job, [EventRow(f"{job.id}.result", "x" * 300)], partial(told.append, job.id))
        await journal.synced()
        assert journal.trouble == "" and len(told) == len(taken)
        journal.close()
        again = opened(tmp_path, max_mb=8)
        assert "max_mb" in again.refuses()
        again.acknowledge([event.id for event in again.contents.events])
        await again.prune(NOW)
        assert again.refuses() == ""
        again.close()

    run(main())


def test_a_file_that_is_full_all_the_same_takes_what_makes_room_and_then_the_rest(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        first, second = held(), held("j2")
        await journal.add_jobs([first, second])
        first.state = second.state = JobState.SENT
        told: list[str] = []
        journal.settle(first, [EventRow("j1.result", "x" * 3_000_000)], lambda: told.append("first"))
        await journal.synced()
        pages = journal._writer._db.execute("PRAGMA page_count").fetchone()[0]
        journal._writer._db.execute(f"PRAGMA max_page_count = {pages}")
        journal.settle(second, [EventRow("j2.result", "y" * 1_000_000)], lambda: told.append("second"))
        await asyncio.sleep(0.1)
        assert told == ["first"] and "journal.max_mb" in journal.trouble
        journal.acknowledge(["j1.result"])
        await asyncio.wait_for(journal.usable(), 5)
        await journal.synced()
        assert told == ["first", "second"] and journal.trouble == ""
        journal.close()

    run(main())


def test_what_made_room_and_what_did_not_fit_before_are_written_at_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        first, second = held(), held("j2")
        await journal.add_jobs([first, second])
        first.state = second.state = JobState.SENT
        journal.settle(first, [EventRow("j1.result", "x" * 3_000_000)], lambda: None)
        await journal.synced()
        pages = journal._writer._db.execute("PRAGMA page_count").fetchone()[0]
        journal._writer._db.execute(f"PRAGMA max_page_count = {pages}")
        journal.settle(second, [EventRow("j2.result", "y" * 1_000_000)], lambda: None)
        await asyncio.sleep(0.1)
        journal.acknowledge(["j1.result"])
        journal.close()
        assert [event.id for event in opened(tmp_path).contents.events] == ["j2.result"]

    run(main())


def test_a_value_that_sqlite_cannot_hold_harms_only_its_own_step(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        good, bad = await asyncio.gather(
            journal.add_jobs([held()]), journal.add_jobs([held("j2", text="\udcff")]), return_exceptions=True
        )
        assert isinstance(good, list) and isinstance(bad, JournalUnavailable)
        await journal.add_jobs([held("j3")])
        journal.close()
        assert {job.id for job in opened(tmp_path).contents.jobs} == {"j1", "j3"}

    run(main())


def test_a_journal_of_another_user_is_named_with_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    async def main() -> None:
        opened(tmp_path).close()
        monkeypatch.setattr(journal_module.os, "open", refuse)
        with pytest.raises(JournalBroken, match=f"user {os.getuid()} owns it"):
            opened(tmp_path)

    run(main())


def test_hardly_any_free_disk_refuses_new_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        monkeypatch.setattr(journal_module, "RESERVE_MB", 10**12)
        with pytest.raises(JournalUnavailable, match="free on the disk"):
            await journal.add_jobs([held()])

    run(main())


def test_parts_are_counted_by_day_and_month(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        job = held()
        await journal.add_jobs([job])
        for number, at in enumerate((NOW, NOW, NOW - 86_400 * 2)):
            part = part_of(number)
            part.at = at
            await journal.mark(job, part, counted=True)
        today, month, recent = await journal.counts("imei:1", NOW)
        assert (today, month, recent) == (2, 3, [NOW, NOW])

    run(main())


def test_a_received_pdu_is_stored_once(tmp_path: Path) -> None:
    async def main() -> None:
        journal = opened(tmp_path)
        part = ReceivedPart("digest", "imei:1", "sim", "00BB", NOW)
        assert await journal.keep_received(part)
        assert not await journal.keep_received(part)

    run(main())


def test_it_is_pruned_as_soon_as_the_time_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_module, "TICK_S", 0.001)

    async def main() -> None:
        pruned = asyncio.Event()
        async with Rig(tmp_path) as rig:

            async def prune(now: float) -> None:
                pruned.set()

            monkeypatch.setattr(rig.journal, "prune", prune)
            ticking = asyncio.ensure_future(rig.core.tick())
            rig.workers.append(ticking)
            await asyncio.sleep(0.05)
            assert not pruned.is_set()
            rig.know_the_time()
            await asyncio.wait_for(pruned.wait(), 5)

    run(main())
