"""An agent for one command: it waits for the modem that is named, and what it refuses is one line."""

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent import standalone
from edge_agent.__main__ import main
from edge_agent.clock import Clock
from edge_agent.config import Config, JournalConfig
from edge_agent.control import Desk, Refused
from edge_agent.core import open_journal
from edge_agent.modem.config import ModemsConfig
from edge_agent.modem.fleet import Fleet
from edge_agent.simulator import Simulator
from edge_agent.span import SpanState, SpanStatus
from edge_agent.tasks import Tasks
from tests.edge_agent.fake_cloud import until
from tests.edge_agent.modem.rig import QUICK
from tests.edge_agent.rig import SPAN, TO, Rig

OTHER = "imei:356938035643809"


def desk(rig: Rig) -> Desk:
    return Desk(rig.core, Fleet(rig.config.modems, rig.core))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many looks as in life, in no time."""
    monkeypatch.setattr(standalone, "_POLL_S", 0.001)
    monkeypatch.setattr(standalone, "READY_S", 0.1)
    monkeypatch.setattr(standalone, "SETTLE_S", 0.01)


@pytest.fixture
def own_logs() -> Iterator[None]:
    """A command sets the process's logs up."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level


def status(rig: Rig, span: str, state: SpanState, reason: str = "") -> None:
    rig.core.status_changed(SpanStatus(span=span, state=state, reason=reason))


def test_the_modem_that_is_named_is_waited_for_though_another_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standalone, "READY_S", 60.0)

    async def main() -> None:
        async with Rig(tmp_path) as rig:
            status(rig, SPAN, SpanState.READY)
            status(rig, OTHER, SpanState.REGISTERING, "searching for a network")
            at = desk(rig)
            await standalone.until_ready(at, "")
            waiting = asyncio.ensure_future(standalone.until_ready(at, OTHER))
            done, _ = await asyncio.wait([waiting], timeout=0.05)
            assert not done
            status(rig, OTHER, SpanState.READY)
            await asyncio.wait_for(waiting, 5)

    asyncio.run(main())


def test_a_named_modem_that_does_not_become_ready_is_refused_with_its_own_reason(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            status(rig, SPAN, SpanState.READY)
            status(rig, OTHER, SpanState.REGISTERING, "searching for a network")
            with pytest.raises(Refused, match=f"{OTHER} did not become ready: {OTHER}: searching for a network; `doc"):
                await standalone.until_ready(desk(rig), OTHER)

    asyncio.run(main())


def test_a_name_that_nobody_bears_is_not_waited_for_once_all_are_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standalone, "READY_S", 60.0)

    async def main() -> None:
        async with Rig(tmp_path) as rig:
            status(rig, SPAN, SpanState.READY)
            at = desk(rig)
            await asyncio.wait_for(standalone.until_ready(at, "nobody"), 5)
            with pytest.raises(Refused, match="no such modem here"):
                await anext(at.send(TO, "hi", "nobody"))

    asyncio.run(main())


def test_what_is_raised_beside_tasks_comes_out_as_it_is() -> None:
    async def alone() -> None:
        async with Tasks() as tasks:
            tasks.start(asyncio.sleep(60))
            raise Refused("no")

    async def broken() -> None:
        raise ValueError("a task's own")

    async def both() -> None:
        async with Tasks() as tasks:
            tasks.start(broken())
            await asyncio.sleep(60)

    with pytest.raises(Refused):
        asyncio.run(alone())
    with pytest.raises(ExceptionGroup):
        asyncio.run(both())


def at(folder: Path, modems: Simulator) -> Config:
    (folder / "site").mkdir()
    return Config(
        journal=JournalConfig(path=folder / "site" / "journal.db"),
        modems=ModemsConfig(ports=tuple(map(str, modems.ports)), pin_ledger=folder / "site" / "pins.json"),
    )


def test_a_look_at_a_new_site_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standalone, "_POLL_S", 0.01)

    async def main() -> None:
        async with Simulator(dir=tmp_path / "ports", count=1, traits=QUICK, seed=1) as modems:
            told = await standalone.look(at(tmp_path, modems), 20.0)
            assert [info["available"] for info in told["spans"]] == [True]  # type: ignore[attr-defined]
            assert list((tmp_path / "site").iterdir()) == []

    asyncio.run(main())


def test_what_came_in_while_one_looked_is_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with Simulator(dir=tmp_path / "ports", count=1, traits=QUICK, seed=1) as modems:
            config = at(tmp_path, modems)
            modems.modem(0).receive("Hello", TO)
            async with standalone.started(config, sending=False) as looking:
                await until(lambda: looking.status()["events"], 20)
            journal = open_journal(config, Clock())
            (event,) = journal.contents.events
            assert json.loads(event.body)["text"] == "Hello"
            journal.close()

    asyncio.run(main())


@pytest.mark.usefixtures("own_logs")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ussd", "*100#"), "no modem became ready: "),
        (("ussd", "*100#", "--span", "nobody"), "nobody did not become ready: "),
        (("send", TO, "hi"), "no modem became ready: "),
        (("status",), "no agent is running on "),
    ],
)
def test_a_refused_command_ends_in_one_line_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(f'[modems]\nports = ["{tmp_path}/no-port"]\n')
    assert main([*words, "--config", str(config)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert "`" in line.partition(said)[2]
