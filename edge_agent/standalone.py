"""An agent for one command: answers from the one that runs, else starts modems for a moment, without the cloud.

It uses the site's own journal, so that whatever arrives meanwhile is kept.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from edge_agent.clock import Clock
from edge_agent.config import Config
from edge_agent.control import Answer, Desk, Refused, ask
from edge_agent.core import Core, open_journal
from edge_agent.modem.fleet import Fleet
from edge_agent.tasks import Tasks

READY_S = 60.0
"""How long modems may take to register."""
SETTLE_S = 3.0
"""After this long nobody new is expected once all that were found are ready."""
_POLL_S = 0.1


async def ask_or_start(config: Config, request: Answer) -> AsyncIterator[Answer]:
    """Answers to a request of control.py. Raises Refused, JournalBroken."""
    try:
        async for answer in ask(config.journal.control, request):
            yield answer
        return
    except (FileNotFoundError, ConnectionRefusedError):
        pass  # no agent is running
    async with started(config) as desk:
        await until_ready(desk, str(request.get("span", "")))
        async for answer in desk.answer(request):
            yield answer


async def ask_running(config: Config, request: Answer) -> AsyncIterator[Answer]:
    """Raises Refused when no agent is running."""
    try:
        async for answer in ask(config.journal.control, request):
            yield answer
    except (FileNotFoundError, ConnectionRefusedError):
        raise Refused(f"no agent is running on {config.journal.path}; `run` starts one") from None


async def asked(config: Config) -> Answer | None:
    """`Desk.status` of the agent that runs on this journal; None when none does. Raises Refused."""
    try:
        async for answer in ask(config.journal.control, {"do": "status"}):
            return answer
    except (FileNotFoundError, ConnectionRefusedError):
        pass
    return None


async def look(config: Config, within_s: float) -> Answer:
    """`Desk.status` once every modem is ready, or time is up; nothing is sent meanwhile. Raises Refused,
    JournalBroken."""
    told = await asked(config)
    if told is not None:
        return told
    async with started(config, sending=False) as desk:
        for passed in range(int(within_s / _POLL_S)):
            if passed * _POLL_S > SETTLE_S and desk.all_ready():
                break
            await asyncio.sleep(_POLL_S)
        return desk.status()


@asynccontextmanager
async def started(config: Config, *, sending: bool = True) -> AsyncIterator[Desk]:
    """Modems at work without a cloud. What waited in the journal goes out too, unless not `sending`: then a journal
    that was not there before is gone again, if nothing came in meanwhile."""
    clock = Clock()
    journal = open_journal(config, clock)
    core = _Listening(config, journal, clock)
    try:
        fleet = Fleet(config.modems, core)
        if not sending:
            await core.sender.close(0.0)
        async with Tasks() as tasks:
            tasks.start(fleet.run())
            yield Desk(core, fleet)
            await core.sender.close(READY_S)
    finally:
        journal.close(forget=journal.new and not sending and not core.heard)


class _Listening(Core):
    """Knows whether a modem gave it anything."""

    heard = False

    def status_report(self, span: str, imsi: str, pdu: str) -> Awaitable[None]:
        self.heard = True
        return super().status_report(span, imsi, pdu)

    async def delivered(self, span: str, imsi: str, pdu: str) -> None:
        self.heard = True
        await super().delivered(span, imsi, pdu)


async def until_ready(desk: Desk, wanted: str) -> None:
    """Waits for this modem, or for any when none is named. Raises Refused; when all are ready and none is the one that
    is wanted, it returns, since what is asked next says so."""
    for passed in range(int(READY_S / _POLL_S)):
        if desk.ready(wanted) or (passed * _POLL_S > SETTLE_S and desk.all_ready()):
            return
        await asyncio.sleep(_POLL_S)
    trouble = desk.troubles(wanted) or "none was found"
    who = f"{wanted} did not become ready" if wanted else "no modem became ready"
    raise Refused(f"{who}: {trouble}; `doctor` says what to do")
