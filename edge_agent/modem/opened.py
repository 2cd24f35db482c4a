"""One modem on an open port, from opening to trouble. Knows how to do things; when to do them is the supervisor's."""

import asyncio
import logging
from collections import deque
from dataclasses import replace

from edge_agent.modem import commands, indications, network, setup, sim
from edge_agent.modem.channel import Channel
from edge_agent.modem.config import SpanOptions, Timings
from edge_agent.modem.driver import Driver
from edge_agent.modem.inbox import Inbox
from edge_agent.modem.ladder import Rung
from edge_agent.modem.network import Network
from edge_agent.modem.pin_ledger import PinLedger
from edge_agent.modem.quirks import PLAIN
from edge_agent.modem.reply import Outcome, Urc
from edge_agent.modem.report_watch import ReportWatch
from edge_agent.modem.serial_port import PortError, is_usb, open_port
from edge_agent.modem.setup import Identity, SetupFailed
from edge_agent.modem.trace import Trace
from edge_agent.modem.ussd import Ussd
from edge_agent.span import AgentSide

_LOG = logging.getLogger(__name__)
MAX_RESYNCS = 3  # within `Timings.settled_after`; more, and it is no accident


class Trouble(Exception):
    """The modem needs help of at least rung `lowest`."""

    def __init__(self, reason: str, lowest: Rung) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lowest = lowest


class Opened:
    """What goes wrong by itself is raised by `watch`; a step that fails raises Trouble from its own method."""

    def __init__(self, device: str, options: SpanOptions, timings: Timings, *, trace: bool = False) -> None:
        self.device = device
        self.identity: Identity | None = None
        self.imsi = ""
        self.iccid = ""
        self.driver: Driver | None = None
        self.inbox: Inbox | None = None
        self.ussd: Ussd | None = None
        self._options = options
        self._timings = timings
        self._channel = Channel(
            self, timings.resync_waits, Trace(device) if trace else None, wake_after=timings.wake_after
        )
        self._trouble: asyncio.Future[Trouble] = asyncio.get_running_loop().create_future()
        self._resyncs: deque[float] = deque(maxlen=MAX_RESYNCS)
        self._reports = ReportWatch(timings.report_patience)

    # Opening and closing

    async def open(self) -> None:
        """Raises Trouble when the port cannot be opened; does nothing when it is open."""
        if self._channel.attached:
            return
        try:
            self._channel.attach(await open_port(self.device, self._options, self._channel))
        except PortError as error:
            raise Trouble(str(error), Rung.REOPEN) from error

    def close(self) -> None:
        self._end("the span is being looked after")
        self._channel.close()

    async def watch(self) -> None:
        """Raises the first Trouble there is."""
        raise await asyncio.shield(self._trouble)

    # Setting up, in this order

    async def greet(self) -> Identity:
        """Gets in step and learns who the modem is."""
        self._end("the span is being set up")
        self._resyncs.clear()
        if not await self._channel.synchronise():
            raise Trouble("no answer to AT", Rung.REOPEN)
        try:
            self.identity = await setup.identify(self._channel)
        except SetupFailed as error:
            raise Trouble(str(error), Rung.SET_UP) from error
        self.ussd = Ussd(self._channel, self.identity.quirks)
        return self.identity

    async def unlock(self, ledger: PinLedger) -> None:
        """Raises SimNotReady."""
        await setup.switch_on(self._channel)
        who = self._known
        await sim.unlock(self._channel, who.quirks, who.imei, self._options.pin, ledger)

    async def check_sim(self) -> None:
        """Raises Trouble when it was taken out or locked meanwhile."""
        now = await sim.state(self._channel)
        if now != "READY":
            raise Trouble(f"SIM not usable: {now}", Rung.SET_UP)

    async def prepare(self, span: str, agent: AgentSide) -> None:
        """Reads the SIM's numbers and makes the modem tell what it receives. Raises Trouble."""
        row = self._known.quirks
        try:
            self.iccid = await sim.read_iccid(self._channel, row)
            self.imsi = await sim.read_imsi(self._channel)
            receiving = await setup.configure(self._channel, row, usb=is_usb(self.device))
        except SetupFailed as error:
            raise Trouble(str(error), Rung.SOFT_RESET) from error
        self._reports = ReportWatch(self._timings.report_patience)
        self.inbox = Inbox(self._channel, agent, span, self.imsi, receiving, self._reports)
        self.inbox.sweep()
        submit_s = self._options.submit_timeout_s or row.submit_s
        self.driver = Driver(self._channel, span, self.imsi, submit_s, self._reports, self._on_failures)

    # While it lives

    async def network(self) -> Network:
        return await network.look(self._channel)

    async def look_for_reports(self) -> None:
        """Has reports stored and announced instead, where direct ones never come."""
        if self.inbox is None or not self._reports.missing(asyncio.get_running_loop().time()):
            return
        _LOG.warning("%s: delivery reports never come; having them stored from now on", self.device)
        chosen = await indications.negotiate(self._channel, direct_reports=False)
        setup.set_restore(self._channel, chosen)
        self.inbox.receiving = replace(self.inbox.receiving, indications=chosen)

    def sweep(self) -> None:
        """Has the stores read, for what no notification announced."""
        if self.inbox is not None:
            self.inbox.sweep()

    @property
    def full(self) -> bool:
        """Whether a store of the SIM or modem is full and cannot be emptied."""
        return self.inbox is not None and self.inbox.full

    async def operator(self) -> tuple[str, str]:
        """Name and technology."""
        return await network.operator(self._channel)

    async def apply(self, rung: Rung) -> None:
        """The rungs that need the open port."""
        if rung is Rung.SOFT_RESET:
            await self._channel.request(commands.DEFAULT_PROFILE)
        elif rung is Rung.RADIO:
            await self._channel.request((self.identity.quirks if self.identity else PLAIN).radio_off)
            await self._channel.request(commands.RADIO_ON)
        self._trouble = asyncio.get_running_loop().create_future()

    # Told by the channel, from within the reader's callback

    def on_urc(self, urc: Urc) -> None:
        if self.inbox is not None:
            self.inbox.on_urc(urc)
        if self.ussd is not None:
            self.ussd.on_urc(urc)

    def on_trouble(self, outcome: Outcome, reason: str) -> None:
        if outcome is Outcome.GONE:
            self._raise(reason, Rung.REOPEN)
        elif outcome is Outcome.REBOOTED:
            self._raise(reason, Rung.SET_UP)
        else:
            _LOG.warning("%s: %s; resynchronising", self.device, reason)
            self._count_resync(reason)

    def _count_resync(self, reason: str) -> None:
        times = self._resyncs
        times.append(asyncio.get_running_loop().time())
        if len(times) == MAX_RESYNCS and times[-1] - times[0] < self._timings.settled_after:
            self._raise(f"{MAX_RESYNCS} times out of step, the last: {reason}", Rung.SOFT_RESET)

    def _on_failures(self, reason: str) -> None:
        self._raise(reason, Rung.SOFT_RESET)

    def _raise(self, reason: str, lowest: Rung) -> None:
        self._end(reason)
        if not self._trouble.done():
            self._trouble.set_result(Trouble(reason, lowest))

    def _end(self, reason: str) -> None:
        """Nothing set up is valid any more: a modem that restarted is in text mode."""
        if self.driver is not None:
            self.driver.end(reason)

    @property
    def _known(self) -> Identity:
        if self.identity is None:
            raise RuntimeError("greet comes first")
        return self.identity
