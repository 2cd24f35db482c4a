"""The running agent: modems, cloud and command line around the core, in one TaskGroup; and an honest end.

The end has a budget, so that a service manager's patience is never tried: what is in flight is waited for, and what is
cut off is in the journal as it is.
"""

import asyncio
import contextlib
import logging

from edge_agent import journal_schema
from edge_agent.clock import Clock
from edge_agent.config import Config
from edge_agent.control import Desk, serve
from edge_agent.core import Core, open_journal
from edge_agent.held import JournalBroken
from edge_agent.journal import Journal
from edge_agent.link_policy import Disconnect
from edge_agent.modem.fleet import Fleet
from edge_agent.stranded import Stranded
from edge_agent.tasks import Tasks
from edge_agent.uplink import Uplink

log = logging.getLogger(__name__)

FINISH_S, LEAVE_S, TELL_S, CLOSE_S = 1.4, 0.3, 0.3, 0.5
"""For a submission in flight, for letting modems go, for telling the cloud, for the disk. With what closing sockets
takes it is less than 3 s."""
REOPEN_S = 10.0
"""How often a journal that could not be opened is tried again."""


async def run(config: Config, stop: asyncio.Event) -> Disconnect | None:
    """Runs until `stop` is set, or the cloud says that this agent must: then why."""
    clock = Clock()
    ended: Disconnect | None = None
    while not stop.is_set() and ended is None:
        try:
            journal = open_journal(config, clock)
        except JournalBroken as error:
            ended = await _stranded(config, clock, str(error), stop)
            continue
        try:
            return await _run(config, clock, journal, stop)
        finally:
            journal.close(CLOSE_S)
    return ended


async def _run(config: Config, clock: Clock, journal: Journal, stop: asyncio.Event) -> Disconnect | None:
    core = Core(config, journal, clock)
    fleet = Fleet(config.modems, core)
    assert config.cloud is not None
    core.uplink = Uplink(config.cloud, core, clock)
    async with Tasks() as tasks:
        modems = tasks.start(fleet.run())
        tasks.start(core.tick())
        tasks.start(serve(config.journal.control, Desk(core, fleet)))
        ended = await tasks.until(stop, core.uplink.run())
        await core.sender.close(FINISH_S)
        modems.cancel()
        await asyncio.wait([modems], timeout=LEAVE_S)
        await _tell_the_last(core)
    return ended


async def _stranded(config: Config, clock: Clock, reason: str, stop: asyncio.Event) -> Disconnect | None:
    """Tells the cloud why nothing goes on here, until the journal can be opened."""
    journal_id = journal_schema.read_id(config.journal.path)
    if not journal_id or config.cloud is None:
        raise JournalBroken(reason)
    log.error("%s; nothing is sent until that is mended", reason)
    side = Stranded(journal_id, reason)
    side.uplink = Uplink(config.cloud, side, clock)
    over = asyncio.Event()
    async with Tasks() as tasks:
        tasks.start(Fleet(config.modems, side).run())
        tasks.start(_until_openable(config, clock, over))
        tasks.start(_pass_on(stop, over))
        return await tasks.until(over, side.uplink.run())


async def _until_openable(config: Config, clock: Clock, over: asyncio.Event) -> None:
    while not over.is_set():
        await asyncio.sleep(REOPEN_S)
        with contextlib.suppress(JournalBroken):
            open_journal(config, clock).close()
            over.set()


async def _pass_on(stop: asyncio.Event, over: asyncio.Event) -> None:
    await stop.wait()
    over.set()


async def _tell_the_last(core: Core) -> None:
    """Gives the results of the last moment a chance to be told now rather than after the next start."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(TELL_S):
            await core.journal.synced()
            await core.outgoing.empty()
