"""Cloud, link, agent and modems in one virtual time, and all that can be done to them. A history is a row of deeds;
`healing.heal` ends its troubles, and `verdict` says what may not be.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, Self
from unittest.mock import patch

from edge_agent import core as core_module
from shared import ids
from shared.usecases import draining
from tests.model.air import Air
from tests.model.caller import Caller
from tests.model.clockwork import VirtualLoop
from tests.model.cloud import Cloud
from tests.model.modem import Modem
from tests.model.network import Network
from tests.model.site import Site
from tests.model.weather import CALM, Weather

_SWEEP_EVERY_S = 60.0
_MODEMS = 2
_SWEPT_MEANWHILE = 0.05


class World:
    """`with World(seed, folder, sites=2) as world:`"""

    def __init__(self, seed: int, folder: Path, *, sites: int = 1) -> None:
        random.seed(seed)  # what the agent draws for itself: waiting times, references
        self.rng = random.Random(seed)
        self.loop = VirtualLoop()
        self.loop.set_exception_handler(self._broke)
        self.weather = CALM
        self.broken: list[str] = []  # what was seen on the way that may not be
        self.air = Air()
        self.network = Network(self)
        names = [f"site-{number}" for number in range(1, sites + 1)]
        self.cloud = Cloud(self, names)
        self.sites = [Site(self, name, self._modems(number), folder / name) for number, name in enumerate(names)]
        self.caller = Caller(self)
        self.clock_jumped = False
        self.healed_at = 0.0
        self.inbound: list[str] = []
        self._next_frame = asyncio.Event()
        self._in_flight: dict[int, tuple[asyncio.TimerHandle, Callable[[], None]]] = {}
        self._frames = 0
        self._patches = [
            # So that a short history has several batches, and long ones cost little.
            patch.object(core_module, "TICK_S", 15.0),
            patch.object(draining, "_RUN", 3),
            # So that a history is the same each time: ids decide which span is dealt.
            patch.object(ids, "secrets", SimpleNamespace(randbits=self.rng.getrandbits)),
        ]

    def _modems(self, site: int) -> list[Modem]:
        return [Modem(self, _MODEMS * site + number) for number in range(_MODEMS)]

    def __enter__(self) -> Self:
        for patched in self._patches:
            patched.start()
        self.loop.run(self._begin())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.loop.run(self._end())
            self.loop.close()
        finally:
            for site in self.sites:
                site.sweep_folder()
            for patched in self._patches:
                patched.stop()

    async def _begin(self) -> None:
        self.later(_SWEEP_EVERY_S, self._sweep)
        for site in self.sites:
            site.start()
        while not all(self.cloud.agent(site.name).connection for site in self.sites) or self._ports_missing():  # noqa: ASYNC110
            await asyncio.sleep(0.5)

    def _ports_missing(self) -> bool:
        return len(self.cloud.accounts.ports) < _MODEMS * len(self.sites)

    async def _end(self) -> None:
        for site in self.sites:
            if site.process is not None:
                site.process.die(quietly=True)
        await asyncio.sleep(0.0)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.sleep(0.0)

    def _broke(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            self.broken.append(f"something broke: {error!r} {context.get('message')}")

    # ------------------------------------------------------------------------------------------- time and chance

    @property
    def now(self) -> float:
        return self.loop.time()

    def chance(self, what: str) -> bool:
        chance: float = getattr(self.weather, what)
        return chance > 0.0 and self.rng.random() < chance

    def later(self, delay: float, deed: Callable[[], None]) -> None:
        self.loop.call_later(delay, deed)

    def frame(self, delay: float, arrive: Callable[[], None]) -> None:
        """Something under way that another invocation may meet before its time."""
        self._frames += 1
        number = self._frames
        self._next_frame.set()
        self._in_flight[number] = self.loop.call_later(delay, self._arrive, number), arrive

    def _arrive(self, number: int) -> None:
        _, arrive = self._in_flight.pop(number)
        arrive()

    def meanwhile(self) -> None:
        """Another invocation comes in between: of a frame under way, or, now and then, of the schedule."""
        if self.rng.random() < _SWEPT_MEANWHILE:
            self.cloud.sweep()
        elif self._in_flight:
            number = self.rng.choice(list(self._in_flight))
            self._in_flight[number][0].cancel()
            self._arrive(number)

    def run(self, seconds: float) -> None:
        self.loop.run(asyncio.sleep(seconds))

    def run_until_a_frame_leaves(self, at_most: float) -> None:
        self._next_frame.clear()
        self.loop.run(_within(at_most, self._next_frame.wait()))

    def _sweep(self) -> None:
        self.later(_SWEEP_EVERY_S, self._sweep)
        self.cloud.sweep()
        for site in self.sites:
            if site.process is not None:
                site.process.forget_old_attempts()

    # ------------------------------------------------------------------------------------------- deeds

    def change_weather(self, weather: Weather) -> None:
        self.weather = weather
        for site in self.sites:
            if site.process is not None:
                site.process.disk.slow = weather.slow_disk

    def sweep_among_others(self) -> None:
        weather, self.weather = self.weather, replace(self.weather, overlaps=0.2)
        self.cloud.sweep()
        self.weather = weather

    def restart(self, site: Site, *, back_after: float) -> None:
        self.loop.run(site.stop(back_after=back_after))

    def lose_journal(self, site: Site, *, back_after: float) -> None:
        site.kill(back_after=back_after)
        site.lose_journal()

    def note_journal(self, name: str, journal_id: str) -> None:
        """The cloud has this journal of a site on record."""
        for site in self.sites:
            if site.name == name:
                site.note_journal(journal_id)

    def cut(self, site: Site) -> None:
        for line in self.network.open_lines(site.name):
            line.end()

    def stall(self, site: Site) -> None:
        for line in self.network.open_lines(site.name):
            line.fall_silent()

    def outage(self, site: Site, seconds: float, *, loudly: bool = False) -> None:
        """No way to the cloud for a while; the cloud hears of it soon, or only when it has waited in vain."""
        site.cut_off = True
        if loudly:
            self.cut(site)
        else:
            self.stall(site)
        self.later(seconds, lambda: setattr(site, "cut_off", False))

    def turn_clock(self, site: Site, seconds: float) -> None:
        """The machine's clock is wrong from now on."""
        site.wall_error = seconds
        self.clock_jumped = True

    def fill_disk(self, site: Site, seconds: float) -> None:
        site.fill_disk(True)
        self.later(seconds, lambda: site.fill_disk(False))

    def cancel_some(self) -> None:
        """The operator takes back what waits."""
        for message in self.cloud.outbox.unsettled()[:2]:
            self.cloud.cancel(message.id)

    def receive(self) -> None:
        text = f"inbound {len(self.inbound)}"
        self.inbound.append(text)
        self.rng.choice(self.rng.choice(self.sites).modems).receive(text)

    @property
    def quiet(self) -> bool:
        """Nothing is under way or waits for anything."""
        if self.caller.waiting or self._in_flight or self.cloud.outbox.unsettled():
            return False
        return all(site.quiet for site in self.sites)


async def _within(seconds: float, wait: Coroutine[Any, Any, Any]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await wait
