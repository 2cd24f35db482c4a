"""A set of simulated modems on ptys, to be run in a test's event loop or by `python -m edge_agent.simulator`."""

import asyncio
import fcntl
import itertools
import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from edge_agent.simulator.air import Air, Record
from edge_agent.simulator.faults import Chance
from edge_agent.simulator.handle import Handle
from edge_agent.simulator.identity import Identity, identity_of
from edge_agent.simulator.modem import Modem
from edge_agent.simulator.pty_port import PtyPort
from edge_agent.simulator.state import Traits
from edge_agent.simulator.ticker import Ticker
from edge_agent.simulator.vendors import VENDORS

_USUAL = Traits()


class SimulatorError(Exception):
    """It can't work; the text is for a person."""


class Simulator:
    """`async with Simulator(dir=tmp_path, count=2) as sim:` gives `sim.ports`, `sim.modem(0)`, `sim.air`."""

    def __init__(
        self,
        *,
        dir: Path,
        count: int = 4,
        vendors: Sequence[str] = ("quectel",),
        traits: Traits = _USUAL,
        identities: Sequence[Identity] = (),
        identity_offset: int = 0,
        risks: Sequence[Chance] = (),
        seed: int | None = None,
        air_file: Path | None = None,
        keep_air: bool = True,
    ) -> None:
        """`vendors` are dealt out in turn; `risks` hang over every modem; `keep_air` fills `air`.

        With an `identity_offset` modem 0 is who modem `identity_offset` would be: no two sites have the same modems.
        """
        self._dir, self._count, self._vendors, self._traits = dir, count, vendors, traits
        self._identities, self._identity_offset, self._risks = identities, identity_offset, risks
        self._seeds = random.Random(seed)  # noqa: S311
        self._air_file, self._keep_air = air_file, keep_air
        self._handles: list[Handle] = []
        self._changed = asyncio.Event()
        self._fresh = itertools.count(count)
        self._lock = -1

    @property
    def ports(self) -> list[Path]:
        return [handle.port.link for handle in self._handles]

    @property
    def modems(self) -> list[Handle]:
        return self._handles

    @property
    def air(self) -> list[Record]:
        return self._air.records

    def modem(self, index: int) -> Handle:
        return self._handles[index]

    async def wait_air(self, wanted: Callable[[list[Record]], bool], seconds: float = 5.0) -> list[Record]:
        """Until the records are as wanted; TimeoutError otherwise."""
        async with asyncio.timeout(seconds):
            while not wanted(self.air):
                self._changed.clear()
                await self._changed.wait()
        return self.air

    async def __aenter__(self) -> Self:
        self._lock_dir()
        self._sweep()
        self._air = Air(self._air_file, keep=self._keep_air)
        self._air.listener = self._changed.set if self._keep_air else None
        loop = asyncio.get_running_loop()
        self._ticker = Ticker(loop)
        try:
            for index in range(self._count):
                self._handles.append(self._plugged(index, loop))
        except OSError:
            self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        for handle in self._handles:
            handle.port.unplug()
        self._ticker.close()
        self._air.close()
        os.close(self._lock)

    def _lock_dir(self) -> None:
        """Two simulators in one directory would take each other's links."""
        self._dir.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._dir, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            os.close(self._lock)
            raise SimulatorError(f"another simulator has {self._dir}") from taken

    def _sweep(self) -> None:
        """Links that a killed run left would be taken for ports."""
        for left in self._dir.glob("modem*"):
            if left.is_symlink():
                left.unlink()

    def _plugged(self, index: int, loop: asyncio.AbstractEventLoop) -> Handle:
        identity = (
            self._identities[index] if index < len(self._identities) else identity_of(self._identity_offset + index)
        )
        vendor = VENDORS[self._vendors[index % len(self._vendors)]]
        rng = random.Random(self._seeds.getrandbits(64))  # noqa: S311
        core = Modem(index, identity, vendor, self._air, self._traits, rng, time.time() - loop.time())
        port = PtyPort(core, self._dir / f"modem{index}", self._ticker, loop)
        if self._air_file is not None:
            core.faults.on_strike = lambda name: self._air.write({"event": "fault", **core.who, "fault": name})
        for chance in self._risks:
            core.faults.risk(chance)
        port.plug()
        return Handle(core, port, loop, lambda: self._dir / f"modem{next(self._fresh)}")
