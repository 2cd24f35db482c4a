"""An agent's core on a real journal, with modems and a clock that the test holds in its hands."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge_agent.clock import Clock
from edge_agent.config import Config, JournalConfig
from edge_agent.core import Core
from edge_agent.journal import Journal
from edge_agent.modem.config import ModemsConfig
from edge_agent.modem.pdu import SubmitPdu
from edge_agent.pacing import Limits
from edge_agent.span import NotSubmitted, SpanState, SpanStatus, Submission, Taken
from shared.wire import Job

NOW = 1_800_000_000.0
SPAN = "imei:490154203237518"
IMSI = "262011234567890"
TO = "+4915112345678"

Answer = Callable[[SubmitPdu], Awaitable[Submission]]


class Hands:
    """A clock that only moves when it is told to."""

    def __init__(self, now: float = NOW) -> None:
        self.wall, self.elapsed = now, 1000.0

    def forward(self, seconds: float) -> None:
        self.wall += seconds
        self.elapsed += seconds

    def clock(self) -> Clock:
        return Clock(lambda: self.wall, lambda: self.elapsed)


class FakeModem:
    """Answers each part from a script, then `Taken` with the next reference."""

    def __init__(self, *script: Submission | Answer, span: str = SPAN, imsi: str = IMSI, reference: int = 0) -> None:
        self.span, self.imsi = span, imsi
        self.script = list(script)
        self.on_air: list[str] = []
        self.reference = reference

    async def submit(self, pdu: SubmitPdu, mark: Callable[[], Awaitable[None]], *, more: bool = False) -> Submission:
        marking = asyncio.ensure_future(mark())
        if self.script and isinstance(self.script[0], NotSubmitted):
            await asyncio.wait([marking])
            return self.script.pop(0)  # type: ignore[return-value]
        try:
            await marking
        except Exception as error:  # noqa: BLE001 (as the contract says: whatever it raises)
            return NotSubmitted(str(error))
        answer = self.script.pop(0) if self.script else self._taken()
        if callable(answer):
            self.on_air.append(pdu.hex)
            return await answer(pdu)
        if not hasattr(answer, "elsewhere"):
            self.on_air.append(pdu.hex)
        return answer

    def _taken(self) -> Taken:
        self.reference = (self.reference + 1) % 256
        return Taken(self.reference)


class Rig:
    """`async with Rig(tmp_path) as rig`. Stopping and making another on the same folder is a restart."""

    def __init__(self, folder: Path, hands: Hands | None = None, limits: Limits | None = None, **journal: Any) -> None:
        self.hands = hands or Hands()
        self.clock = self.hands.clock()
        self.config = Config(
            journal=JournalConfig(path=folder / "journal.db", **journal),
            modems=ModemsConfig(ports=("/dev/null",)),
            limits={SPAN.removeprefix("imei:"): limits} if limits else {},
        )
        self.workers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Rig":
        self.journal = Journal.open(self.config.journal, now=self.clock.now(), reports_since=0.0)
        self.core = Core(self.config, self.journal, self.clock)
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.cancel()
        await asyncio.gather(*self.workers, return_exceptions=True)
        self.journal.close()

    def know_the_time(self) -> None:
        self.core.welcomed(self.hands.wall, {})

    def plug(self, modem: FakeModem, *, again: bool = True) -> asyncio.Task[None]:
        """Lends the modem to a worker, and again whenever that wants it checked."""
        status = SpanStatus(span=modem.span, state=SpanState.READY, imsi=modem.imsi)
        self.core.status_changed(status)
        worker = asyncio.ensure_future(self._lend(modem) if again else self.core.work(modem))
        self.workers.append(worker)
        return worker

    async def _lend(self, modem: FakeModem) -> None:
        while True:
            await self.core.work(modem)
            await asyncio.sleep(0)

    async def able(self, count: int) -> None:
        """Waits until so many workers want jobs."""
        async with asyncio.timeout(5):
            while len(self.core.dispatch._queues) < count:  # noqa: ASYNC110 (they ask the journal first)
                await asyncio.sleep(0.002)

    async def take(self, *jobs: Job) -> tuple[str, ...]:
        return (await self.core.take_jobs(jobs)).job_ids

    def events(self) -> dict[str, dict[str, Any]]:
        return {row.id: json.loads(row.body) for row in self.core.outgoing}

    async def event(self, event_id: str, within_s: float = 5.0) -> dict[str, Any]:
        """Waits until it is told."""
        async with asyncio.timeout(within_s):
            while event_id not in self.core.outgoing:  # noqa: ASYNC110 (told by a commit)
                await asyncio.sleep(0.002)
        return self.events()[event_id]

    def acknowledge_all(self) -> None:
        self.core.acknowledged([row.id for row in self.core.outgoing])


def job(job_id: str = "j1", *, text: str = "hello", spans: Sequence[str] = (SPAN,), **more: Any) -> Job:
    values = {"to": TO, "deadline": NOW + 3600, **more}
    return Job(id=job_id, text=text, spans=tuple(spans), **values)


def report_pdu(mr: int, *, to: str = TO, status: int = 0, taken_at: float = NOW, done_at: float | None = None) -> str:
    """A SMS-STATUS-REPORT as a modem gives it (3GPP TS 23.040 §9.2.2.3), by hand: no code of the agent's own."""
    digits = to.removeprefix("+")
    address = f"{len(digits):02X}{'91' if to.startswith('+') else '81'}{_swapped(digits)}"
    done = _stamp(taken_at + 2 if done_at is None else done_at)
    return f"0006{mr:02X}{address}{_stamp(taken_at)}{done}{status:02X}"


def deliver_pdu(
    text: str, *, sender: str = TO, at: float = NOW, part: tuple[int, int, int] | None = None, pid: int = 0
) -> str:
    """A SMS-DELIVER in UCS-2 (§9.2.2.1); `part` is (reference, total, number)."""
    digits = sender.removeprefix("+")
    address = f"{len(digits):02X}91{_swapped(digits)}"
    header = f"050003{part[0]:02X}{part[1]:02X}{part[2]:02X}" if part else ""
    data = header + text.encode("utf-16-be").hex()
    first = "44" if part else "04"
    return f"00{first}{address}{pid:02X}08{_stamp(at)}{len(data) // 2:02X}{data}".upper()


def _swapped(digits: str) -> str:
    digits += "F" * (len(digits) % 2)
    return "".join(digits[index + 1] + digits[index] for index in range(0, len(digits), 2))


def _stamp(at: float) -> str:
    return _swapped(datetime.fromtimestamp(at, UTC).strftime("%y%m%d%H%M%S")) + "00"
