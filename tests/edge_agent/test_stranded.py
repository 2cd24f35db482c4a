"""An agent whose journal cannot be opened: it says so, takes nothing, and goes on once it is mended."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from edge_agent import agent, journal_schema
from edge_agent.config import Cloud, Config, JournalConfig
from edge_agent.held import JournalBroken
from edge_agent.journal import Journal
from edge_agent.modem.config import ModemsConfig
from edge_agent.span import SpanState, SpanStatus
from edge_agent.stranded import Stranded
from shared.wire import Job
from tests.edge_agent.fake_cloud import CREDENTIAL, FakeCloud, until
from tests.edge_agent.rig import NOW, SPAN


class Disk:
    """Stands before SQLite's opening of the file, and can be broken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken = False
        self._connect = journal_schema.connect
        monkeypatch.setattr(journal_schema, "connect", self.connect)
        monkeypatch.setattr(agent, "REOPEN_S", 0.05)

    def connect(self, path: Path, max_mb: int) -> sqlite3.Connection:
        if self.broken:
            raise sqlite3.OperationalError("unable to open database file")
        return self._connect(path, max_mb)


def config(folder: Path, cloud: FakeCloud) -> Config:
    return Config(
        journal=JournalConfig(path=folder / "journal.db"),
        modems=ModemsConfig(ports=(str(folder / "no-port"),)),
        cloud=Cloud(url=cloud.url, credential=CREDENTIAL),
    )


def test_it_tells_why_takes_nothing_and_goes_on_once_the_disk_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)

    async def main() -> None:
        Journal.open(JournalConfig(path=tmp_path / "journal.db"), now=NOW, reports_since=NOW).close()
        disk.broken = True
        async with FakeCloud() as cloud:
            cloud.pending["1"] = Job(id="1", to="+1", text="t", spans=(SPAN,), deadline=NOW * 2)
            stop = asyncio.Event()
            running = asyncio.ensure_future(agent.run(config(tmp_path, cloud), stop))
            await until(lambda: cloud.accepted)
            assert cloud.accepted[0].job_ids == ()
            assert "unable to open" in cloud.accepted[0].refused
            disk.broken = False
            await until(lambda: cloud.accepted[-1].job_ids == ("1",))
            assert len({hello.journal_id for hello in cloud.hellos}) == 1
            stop.set()
            assert await asyncio.wait_for(running, 5) is None

    asyncio.run(main())


def test_without_a_journal_that_was_ever_there_the_agent_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Disk(monkeypatch).broken = True

    async def main() -> None:
        async with FakeCloud() as cloud:
            with pytest.raises(JournalBroken, match="unable to open"):
                await agent.run(config(tmp_path, cloud), asyncio.Event())
            assert cloud.hellos == []  # an agent without its journal's id must not say hello

    asyncio.run(main())


def test_it_can_be_stopped_while_it_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)

    async def main() -> None:
        Journal.open(JournalConfig(path=tmp_path / "journal.db"), now=NOW, reports_since=NOW).close()
        disk.broken = True
        async with FakeCloud() as cloud:
            stop = asyncio.Event()
            running = asyncio.ensure_future(agent.run(config(tmp_path, cloud), stop))
            await until(lambda: cloud.hellos)
            stop.set()
            assert await asyncio.wait_for(running, 3) is None

    asyncio.run(main())


def test_every_span_says_why_nothing_goes_out() -> None:
    stranded = Stranded("id", "the journal cannot be opened")
    stranded.status_changed(SpanStatus(span=SPAN, state=SpanState.READY))
    (info,) = stranded.hello().spans
    assert (info.available, info.reason) == (False, "the journal cannot be opened")
