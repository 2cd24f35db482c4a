"""A set of simulated modems on ptys, to be run in a test's event loop or by `python -m edge_agent.simulator`."""

import asyncio
import fcntl
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from edge_agent.simulator.air import Air, Record
from edge_agent.simulator.faults import Value
from edge_agent.simulator.identity import Identity, identity_of
from edge_agent.simulator.modem import Modem
from edge_agent.simulator.pty_port import PtyPort
from edge_agent.simulator.state import Traits
from edge_agent.simulator.ticker import Ticker
from edge_agent.simulator.vendors import VENDORS

_USUAL = Traits()


class SimulatorError(Exception):
    """It can't work; the text is for a person."""


@dataclass(frozen=True, slots=True)
class Chance:
    """A fault that every modem may have at any time."""

    name: str
    probability: float
    params: Mapping[str, Value] = field(default_factory=dict)


class Handle:
    """One modem as tests and the control socket see it; every deed takes effect at once."""

    def __init__(self, core: Modem, port: PtyPort, loop: asyncio.AbstractEventLoop) -> None:
        self.core, self.port, self._loop = core, port, loop

    def fault(self, name: str, *, count: int | None = None, probability: float | None = None, **params: Value) -> None:
        self.core.faults.arm(name, count=count, probability=probability, **params)

    def clear(self, name: str | None = None) -> None:
        self.core.faults.clear(name)

    def receive(self, text: str, originator: str, *, order: list[int] | None = None, wide: bool = False) -> None:
        """A message arrives from the network."""
        self._now()
        self.core.network.send(originator, text, order=order, wide=wide)
        self.port.flush()

    def _now(self) -> None:
        self.core.now = self._loop.time()


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
        faults: Sequence[Chance] = (),
        seed: int | None = None,
        air_file: Path | None = None,
        keep_air: bool = True,
    ) -> None:
        """`vendors` are dealt out in turn; `faults` are armed on every modem; `keep_air` fills `air`."""
        self._dir, self._count, self._vendors, self._traits = dir, count, vendors, traits
        self._identities, self._faults = identities, faults
        self._seeds = random.Random(seed)  # noqa: S311
        self._air_file, self._keep_air = air_file, keep_air
        self._handles: list[Handle] = []
        self._changed = asyncio.Event()

    @property
    def ports(self) -> list[Path]:
        return [handle.port.link for handle in self._handles]

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
        self._air = Air(self._air_file, keep=self._keep_air)
        self._air.listener = self._changed.set if self._keep_air else None
        loop = asyncio.get_running_loop()
        self._ticker = Ticker(loop)
        for index in range(self._count):
            self._handles.append(self._plugged(index, loop))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.port.unplug()
        self._ticker.close()
        self._air.close()
        os.close(self._lock)

    def _lock_dir(self) -> None:
        """Two simulators in one directory would take each other's links."""
        try:
            self._dir.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self._dir, os.O_RDONLY)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise SimulatorError(f"another simulator has {self._dir}") from taken

    def _plugged(self, index: int, loop: asyncio.AbstractEventLoop) -> Handle:
        identity = self._identities[index] if index < len(self._identities) else identity_of(index)
        vendor = VENDORS[self._vendors[index % len(self._vendors)]]
        rng = random.Random(self._seeds.getrandbits(64))  # noqa: S311
        core = Modem(index, identity, vendor, self._air, self._traits, rng, time.time() - loop.time())
        port = PtyPort(core, self._dir / f"modem{index}", self._ticker, loop)
        handle = Handle(core, port, loop)
        for fault in self._faults:
            core.faults.arm(fault.name, probability=fault.probability, **dict(fault.params))  # type: ignore[arg-type]
        port.plug()
        return handle
