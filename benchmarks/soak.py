"""Many modems, every fault: `python -m benchmarks.soak` asks whether the agent always tells the truth about a message.

The agent's own core with a journal on disk drives simulated modems of all makes on ptys. Halfway it is stopped and
started again on its journal. In the end the modems are left in peace, every message has to have one outcome, and the
simulator's record has to agree with it (soak_truth.py). Prints what happened; exits 1 where they disagree.
"""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.soak_faults import AFTER_PDU, BEFORE_AIR, NAMELESS, PIN, SUBMIT_S, Witness
from benchmarks.soak_load import Load
from benchmarks.soak_truth import disagreements, received_wrongs
from edge_agent.clock import Clock
from edge_agent.config import Config, JournalConfig
from edge_agent.core import Core, open_journal
from edge_agent.modem.config import ModemsConfig, SpanOptions, Timings
from edge_agent.modem.fleet import Fleet
from edge_agent.simulator.simulator import Simulator
from edge_agent.simulator.vendors import VENDORS
from edge_agent.tasks import Tasks

MODEMS, SECONDS, CHANCE = 32, 60.0, 0.05
END_S = 120.0
"""How long what is left may take once the faults are over: modems come out of quarantine."""
CLOSE_S = SUBMIT_S + 10.0
"""For submissions in flight when the agent is stopped, a slow prompt among them: no outcome is lost to the stop."""
REPORTS_S = 4.0
FRESH_NAMES = 2000
"""So many other names a modem may get when it is plugged again."""

# A soak is short: trouble is looked after sooner than on a site.
TIMINGS = Timings(
    ports_every=0.5,
    status_every=3.0,
    registering_every=0.3,
    resync_waits=(0.5, 1.0, 2.0, 4.0),
    port_pause=0.2,
    sim_every=1.0,
    sweep_every=10.0,
    report_patience=10.0,
    settled_after=10.0,
    quarantine_first=2.0,
    quarantine_longest=8.0,
)


def _config(folder: Path, count: int) -> Config:
    names = [str(folder / "modems" / f"modem{number}") for number in range(count + FRESH_NAMES)]
    options = SpanOptions(pin=PIN, submit_timeout_s=SUBMIT_S)
    modems = ModemsConfig(ports=tuple(names), default=options, pin_ledger=folder / "pins.json", timings=TIMINGS)
    return Config(journal=JournalConfig(path=folder / "journal.db"), modems=modems)


@asynccontextmanager
async def _agent(config: Config) -> AsyncIterator[Core]:
    """As edge_agent/agent.py has it, without a cloud, and with time to finish what is in flight."""
    clock = Clock()
    journal = open_journal(config, clock)
    try:
        core = Core(config, journal, clock)
        core.welcomed(time.time(), {})
        async with Tasks() as tasks:
            modems = tasks.start(Fleet(config.modems, core).run())
            tasks.start(core.tick())
            yield core
            await core.sender.close(CLOSE_S)
            modems.cancel()
            await asyncio.wait([modems])
    finally:
        journal.close()


async def soak(folder: Path, count: int, seconds: float, seed: int, chance: float) -> dict[str, object]:
    config = _config(folder, count)
    async with Simulator(dir=folder / "modems", count=count, vendors=tuple(VENDORS), seed=seed) as simulator:
        witness, load = Witness(simulator, chance), Load(simulator, seed)
        async with _agent(config) as core, Tasks() as tasks:
            _start_load(tasks, load, core, witness)
            await asyncio.sleep(seconds / 2)
        async with _agent(config) as core:
            async with Tasks() as tasks:
                _start_load(tasks, load, core, witness)
                await asyncio.sleep(seconds / 2)
            witness.over()
            async with Tasks() as tasks:
                tasks.start(load.hear(core))
                await _until(lambda: load.ended >= len(load.jobs), END_S)
                await _until(lambda: not _unheard(simulator, load), END_S)
                await asyncio.sleep(REPORTS_S)
        return _verdict(simulator, witness, load)


def _start_load(tasks: Tasks, load: Load, core: Core, witness: Witness) -> None:
    tasks.start(load.ask(core))
    tasks.start(load.hear(core))
    tasks.start(load.receive())
    tasks.start(_mend(witness))


async def _mend(witness: Witness) -> None:
    while True:
        await asyncio.sleep(1.0)
        witness.mend()


def _unheard(simulator: Simulator, load: Load) -> bool:
    waiting = any(item.kind == "deliver" for handle in simulator.modems for item in handle.core.inbox.waiting)
    return waiting or bool(received_wrongs(simulator.air, load.received))


async def _until(done: Callable[[], bool], seconds: float) -> None:
    """Or until time is up; then the verdict says what is missing."""
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:  # noqa: ASYNC110 (many things, after the measuring)
        await asyncio.sleep(0.2)


def _verdict(simulator: Simulator, witness: Witness, load: Load) -> dict[str, object]:
    excused = witness.struck_on_air(AFTER_PDU) | witness.struck_before_air(BEFORE_AIR)
    wrong = disagreements(load.jobs, load.told, simulator.air, excused, witness.struck_on_air(NAMELESS))
    wrong += received_wrongs(simulator.air, load.received)
    return {
        "modems": len(simulator.modems),
        "messages": len(load.jobs),
        "outcomes": dict(sorted(load.outcomes.items())),
        "on_air": sum(record["event"] == "submit" for record in simulator.air),
        "received": sum(load.received.values()),
        "faults": sum(witness.counts.values()),
        "kinds_of_faults": len(witness.counts),
        "by_fault": dict(sorted(witness.counts.items())),
        "disagreements": wrong,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--modems", type=int, default=MODEMS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long faults strike")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--chance", type=float, default=CHANCE, help="of each fault, 0 to 1")
    parser.add_argument("--log", type=Path, help="where the agent's log goes")
    given = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO if given.log else logging.CRITICAL,
        filename=given.log,
        filemode="w",
        format="%(asctime)s %(name)s %(message)s",
    )
    print(
        f"{given.modems} modems, {given.seconds:.0f} s, {given.chance:.0%} of each fault, seed {given.seed}", flush=True
    )
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(soak(Path(folder), given.modems, given.seconds, given.seed, given.chance))
    print(json.dumps(found, indent=2))
    return 1 if found["disagreements"] else 0


if __name__ == "__main__":
    sys.exit(main())
