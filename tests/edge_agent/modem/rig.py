"""A fleet on simulated modems, for tests: `async with modems(tmp_path) as rig:`. Fast modems, short times."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from edge_agent.modem.config import ModemsConfig, SpanOptions, Timings
from edge_agent.modem.fleet import Fleet
from edge_agent.modem.pdu import SubmitPdu, encode_message
from edge_agent.simulator import Simulator, Traits
from edge_agent.span import NotSubmitted, ReadyModem, SpanState, SpanStatus, Submission
from tests.edge_agent.modem.agent_double import AgentDouble, mark

QUICK = Traits(answer_delay=0.001, report_delay=0.01, boot=0.05, register=0.02, ussd_delay=0.01, acknowledge=0.5)
SHORT = Timings(
    ports_every=0.05,
    status_every=0.2,
    operator_every=5.0,
    report_patience=0.3,
    sweep_every=0.5,
    registering_every=0.05,
    registration_limit=1.0,
    resync_waits=(0.3, 0.5, 1.0),
    probe_waits=(0.3, 0.5, 1.0),
    port_pause=0.05,
    sim_every=0.1,
    settled_after=60.0,
    quarantine_first=0.2,
    quarantine_longest=1.0,
)
OPTIONS = SpanOptions(submit_timeout_s=1.0)


@dataclass
class Rig:
    """What a test works with."""

    sim: Simulator
    agent: AgentDouble
    fleet: Fleet
    running: asyncio.Task[None]

    async def ready(self, count: int = 1) -> ReadyModem:
        return (await self.agent.until_ready(count))[0]

    async def status(self, wanted: Callable[[SpanStatus], bool], seconds: float = 10.0) -> SpanStatus:
        """Until the newest status told is as wanted."""
        await self.agent.until(lambda: self.agent.statuses and wanted(self.agent.statuses[-1]), seconds)
        return self.agent.statuses[-1]

    async def state(self, state: SpanState, seconds: float = 10.0) -> SpanStatus:
        return await self.status(lambda status: status.state is state, seconds)

    async def submit(self, text: str, seconds: float = 20.0) -> Submission:
        """As the agent core does: what was not submitted is tried again, on whatever modem there is then."""
        async with asyncio.timeout(seconds):
            while True:
                submission = await (await self.ready()).submit(part(text), mark)
                if not isinstance(submission, NotSubmitted):
                    return submission
                await asyncio.sleep(0.02)

    def on_air(self) -> list[str]:
        return [str(record["text"]) for record in self.sim.air if record["event"] == "submit"]


@asynccontextmanager
async def modems(
    tmp_path: Path,
    *,
    count: int = 1,
    vendors: Sequence[str] = ("quectel",),
    traits: Traits = QUICK,
    config: ModemsConfig | None = None,
    prepare: Callable[[Simulator], None] = lambda sim: None,
    worker: Callable[[ReadyModem], Awaitable[None]] | None = None,
) -> AsyncIterator[Rig]:
    """Runs a fleet on a simulator. `prepare` sees the simulator before the fleet does."""
    async with Simulator(dir=tmp_path / "ports", count=count, vendors=vendors, traits=traits, seed=1) as sim:
        prepare(sim)
        given = config or ModemsConfig(default=OPTIONS, timings=SHORT)
        ports = given.ports or tuple(str(port) for port in sim.ports)
        agent = AgentDouble(worker)
        fleet = Fleet(replace(given, ports=ports), agent)
        running = asyncio.create_task(fleet.run())
        try:
            yield Rig(sim, agent, fleet, running)
        finally:
            running.cancel()  # a fleet that failed before keeps its exception
            with contextlib.suppress(asyncio.CancelledError):
                await running


def part(text: str = "hello", number: str = "+491711234567") -> SubmitPdu:
    """One part, with a report asked for."""
    (pdu,) = encode_message(number, text, ref=1, validity_s=3600, status_report=True)
    return pdu


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Runs an asynchronous test."""

    async def whole() -> None:
        await story()

    asyncio.run(whole())
