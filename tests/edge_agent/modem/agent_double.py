"""The agent's side for tests of the modem side: remembers what it is told, and works as it is told to."""

import asyncio
from collections.abc import Awaitable, Callable

from edge_agent.span import ReadyModem, SpanState, SpanStatus


class AgentDouble:
    """Implements AgentSide. `worker` is run on every ready span; without one a span just stays ready."""

    def __init__(self, worker: Callable[[ReadyModem], Awaitable[None]] | None = None) -> None:
        self.worker = worker
        self.statuses: list[SpanStatus] = []
        self.reports: list[str] = []
        self.received: list[str] = []
        self.modems: dict[str, ReadyModem] = {}
        self.changed = asyncio.Event()

    async def work(self, modem: ReadyModem) -> None:
        self.modems[modem.span] = modem
        self.changed.set()
        if self.worker is not None:
            await self.worker(modem)
        else:
            await asyncio.get_running_loop().create_future()

    def status_report(self, span: str, imsi: str, pdu: str) -> Awaitable[None]:
        self.reports.append(pdu)
        self.changed.set()
        kept = asyncio.get_running_loop().create_future()
        kept.set_result(None)
        return kept

    async def delivered(self, span: str, imsi: str, pdu: str) -> None:
        self.received.append(pdu)
        self.changed.set()

    def status_changed(self, status: SpanStatus) -> None:
        self.statuses.append(status)
        self.changed.set()

    def last(self, span: str) -> SpanStatus | None:
        return next((status for status in reversed(self.statuses) if status.span == span), None)

    async def until(self, wanted: Callable[[], object], seconds: float = 10.0) -> None:
        """Until `wanted()` is true; looked at whenever the agent was told something."""
        async with asyncio.timeout(seconds):
            while not wanted():
                self.changed.clear()
                await self.changed.wait()

    async def until_ready(self, count: int = 1, seconds: float = 10.0) -> list[ReadyModem]:
        await self.until(lambda: len(self.modems) >= count, seconds)
        return list(self.modems.values())

    async def until_state(self, state: SpanState, seconds: float = 10.0) -> SpanStatus:
        await self.until(lambda: self.statuses and self.statuses[-1].state is state, seconds)
        return self.statuses[-1]


async def mark() -> None:
    """A journal that is done at once."""
