"""The agent's machine, and each life of the agent's process on it: everything of the agent but its modem side is real.

A crash takes the process away at once: its disk, sockets and modems hear nothing more from it.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from edge_agent import agent as agent_program
from edge_agent import journal as journal_module
from edge_agent.clock import Clock
from edge_agent.config import Cloud as CloudConfig
from edge_agent.config import Config, JournalConfig
from edge_agent.core import Core
from edge_agent.journal import Journal
from edge_agent.modem.config import ModemsConfig
from edge_agent.uplink import Uplink
from tests.model.disk import Disk
from tests.model.modem import Attempt, Modem
from tests.model.world_facts import epoch

if TYPE_CHECKING:
    from tests.model.world import World

CRASH_POINTS = (
    "mark asked", "mark on disk", "before the PDU", "on the air", "answered", "commit begun", "commit untold",
    "before a frame", "frame sent", "frame received", "report taken", "report acknowledged", "message taken",
    "message acknowledged",
)  # fmt: skip
_RENEW_S = 105 * 60.0


@dataclass(slots=True)
class Loss:
    """A journal was lost; when the cloud has seen the next one."""

    at: float
    noticed: float = 0.0


class Site:
    """What outlives a process: the journal's file, the machine's clock, and the modems."""

    def __init__(self, world: World, name: str, modems: Sequence[Modem], folder: Path) -> None:
        self.world, self.name, self.modems = world, name, modems
        self.rng = random.Random(world.rng.random())
        folder.mkdir(parents=True, exist_ok=True)
        self.config = Config(
            journal=JournalConfig(path=folder / "journal.db", max_jobs=40),
            modems=ModemsConfig(ports=("/dev/null",)),
            cloud=CloudConfig(url="ws://127.0.0.1/live", credential=f"acme.{name}.secret", renew_s=_RENEW_S),
        )
        self.wall_error = 0.0  # by how much the machine's clock is ahead
        self.disk_full = False
        self.cut_off = False  # there is no way to the cloud
        self.losses: list[Loss] = []
        self._trap, self._passes = "", 0  # where the process crashes, and how often it gets past that before
        self.process: Process | None = None
        self.crashes = 0

    def crash_at(self, point: str, passes: int = 0) -> None:
        self._trap, self._passes = point, passes

    def reached(self, point: str) -> None:
        """The process is at this point now; it may be its last."""
        if point == self._trap:
            self._passes -= 1
            if self._passes < 0:
                self._trap = ""
                self.kill(back_after=self.rng.choice((0.2, 2.0, 30.0, 150.0)))

    def start(self) -> None:
        if self.process is None:
            self.process = Process(self)

    def kill(self, *, back_after: float, quietly: bool = False) -> None:
        """kill -9, or (`quietly`) a power cut, of which nobody hears."""
        if self.process is not None:
            self.crashes += 1
            dead, self.process = self.process, None
            dead.die(quietly)
            self.world.later(back_after, self.start)

    async def stop(self, *, back_after: float) -> None:
        """As a service manager does it."""
        if self.process is not None:
            process, self.process = self.process, None
            await process.stop()
            self.world.later(back_after, self.start)

    def lose_journal(self) -> None:
        """The disk was replaced while the process was not running."""
        assert self.process is None
        for file in self.config.journal.path.parent.glob("journal.db*"):
            file.unlink()
        self.losses.append(Loss(self.world.now))
        self.world.cloud.forget_bodies()

    def note_journal(self, journal_id: str) -> None:
        """The cloud has this journal on record: the one in use, or one that was lost meanwhile."""
        if self.process is not None and self.process.journal.contents.journal_id == journal_id:
            for loss in self.losses:
                loss.noticed = loss.noticed or self.world.now

    def fill_disk(self, full: bool) -> None:
        self.disk_full = full
        if self.process is not None:
            self.process.disk.full = full

    @property
    def quiet(self) -> bool:
        process = self.process
        if process is None or not all(modem.quiet for modem in self.modems):
            return False
        return not process.core.held() and not len(process.core.outgoing)


class Process:
    """One life of the agent, from its start to its end by whatever cause."""

    def __init__(self, site: Site) -> None:
        self.site, self.world = site, site.world
        self.alive = True
        self.attempts: list[Attempt] = []
        self._tasks: list[asyncio.Task[Any]] = []
        loop = self.world.loop
        clock = Clock(lambda: epoch(loop.time()) + site.wall_error, loop.time)
        with patch.object(journal_module, "Writer", Disk):
            self.journal: Journal = agent_program.open_journal(site.config, clock)
        self.disk: Disk = self.journal._writer  # type: ignore[assignment]
        self._prepare_disk()
        self.core = Core(site.config, self.journal, clock)
        assert site.config.cloud is not None
        self.core.uplink = Uplink(site.config.cloud, self.core, clock, self._dial)
        self._begin()

    def _prepare_disk(self) -> None:
        self.disk.reach, self.disk.rng = self.reach, self.site.rng
        self.disk.slow, self.disk.full = self.world.weather.slow_disk, self.site.disk_full

    def _begin(self) -> None:
        assert self.core.uplink is not None
        self._spawn(self.core.uplink.run())
        self._spawn(self.core.tick())
        for modem in self.site.modems:
            self._spawn(modem.lend(self))
            self._spawn(modem.hand_in(self))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = self.world.loop.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """None of them ends by itself while the process lives."""
        if self.alive and not task.cancelled():
            self.world.broken.append(f"the agent broke: {task.exception()!r}, {task!r}")

    async def _dial(self, cloud: CloudConfig) -> Any:
        return await self.world.network.dial(self, cloud)

    # ------------------------------------------------------------------------------------------- its end

    def reach(self, point: str) -> None:
        if self.alive:
            self.site.reached(point)

    async def while_alive(self) -> None:
        """A dead process goes no further."""
        if not self.alive:
            await asyncio.get_running_loop().create_future()

    def die(self, quietly: bool) -> None:
        self.alive = False
        self._excuse_what_is_under_way()
        self.disk.crash()
        os.close(self.journal._lock)
        self._leave(quietly)
        self._cancel()

    async def stop(self) -> None:
        await self.core.sender.close(agent_program.FINISH_S)
        await agent_program._tell_the_last(self.core)
        self._cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.alive = False
        self._leave(quietly=False)
        self.journal.close()

    def _cancel(self) -> None:
        for task in self._tasks:
            task.remove_done_callback(self._ended)
            task.cancel()

    def _leave(self, quietly: bool) -> None:
        for line in self.world.network.lines.values():
            if line.process is self and line.agent_open:
                line.leave(quietly=quietly)

    def _excuse_what_is_under_way(self) -> None:
        """Between its mark and the moment when its answer is on disk, nobody may know what became of a part."""
        for attempt in self.attempts:
            if attempt.answered_at is None or attempt.answered_at >= self.disk.durable_before:
                self.world.air.excuse(attempt.to, "the agent died")

    def forget_old_attempts(self) -> None:
        now = self.world.loop.time()
        self.attempts = [a for a in self.attempts if a.answered_at is None or a.answered_at > now - 600.0]
