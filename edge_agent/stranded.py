"""The agent while its journal cannot be opened at all (disk full or read-only at start): it does nothing, and says why.

Rule: nothing is sent, taken or acknowledged, to the cloud or to a modem, until there is a place to write it down.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Iterable, Sequence

from edge_agent import release
from edge_agent.book import Acceptance
from edge_agent.held import EventRow
from edge_agent.span import ReadyModem, SpanStatus
from edge_agent.span_board import SpanBoard
from edge_agent.uplink import Uplink
from shared.wire import Hello, Job, Signal


class Stranded:
    """Stands in for agent.Core on both sides: span.AgentSide and connection.Link."""

    def __init__(self, journal_id: str, reason: str) -> None:
        self._journal_id, self._reason = journal_id, reason
        self._board = SpanBoard(lambda: reason, lambda span: None, dict, lambda: 0.0)
        self.uplink: Uplink | None = None

    async def work(self, modem: ReadyModem) -> None:
        await asyncio.get_running_loop().create_future()

    def status_report(self, span: str, imsi: str, pdu: str) -> Awaitable[None]:
        return asyncio.get_running_loop().create_future()

    async def delivered(self, span: str, imsi: str, pdu: str) -> None:
        await asyncio.get_running_loop().create_future()

    def status_changed(self, status: SpanStatus) -> None:
        self._board.put(status)
        if self.uplink is not None:
            self.uplink.spans_changed(self._board.differences())

    def hello(self) -> Hello:
        return Hello(
            agent_version=release.version(),
            boot_id=uuid.uuid4().hex,
            journal_id=self._journal_id,
            spans=self._board.infos(),
            held=0,
        )

    def held(self) -> int:
        return 0

    def signals(self) -> tuple[Signal, ...]:
        return ()

    def events(self) -> Iterable[EventRow]:
        return ()

    async def take_jobs(self, jobs: Sequence[Job]) -> Acceptance:
        return Acceptance((), self._reason)

    async def cancel_jobs(self, job_ids: Sequence[str]) -> None:
        """What is held is out of reach, and goes out later, if it was not sent before: its result is the last word."""

    def acknowledged(self, event_ids: Sequence[str]) -> None:
        """Nothing was told."""

    def welcomed(self, server_time: float, ports: dict[str, int]) -> None:
        """Nothing here depends on the time."""
