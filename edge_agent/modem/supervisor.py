"""The life of one span: absent → probing → SIM PIN → registering → ready ↔ sending, and the way back from trouble.

Rule: every change that a person would care about is told once, at once; every step of recovery is logged once, with its
cause. READY and SENDING change with every message, so SENDING is only seen by who asks (`status`).
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from edge_agent.modem import usb
from edge_agent.modem.config import ModemsConfig, SpanOptions
from edge_agent.modem.ladder import Ladder, Rung
from edge_agent.modem.opened import Opened, Trouble
from edge_agent.modem.pin_ledger import PinLedger
from edge_agent.modem.sim import SimNotReady
from edge_agent.modem.ussd import UssdFailed
from edge_agent.span import AgentSide, SpanState, SpanStatus

_LOG = logging.getLogger(__name__)


class Stranger(Exception):
    """Another modem than ours is on the port."""


class NotReady(RuntimeError):
    """The span cannot do this now; the text says why."""


class Supervisor:
    """One span. Ports are offered and withdrawn by discovery; `run` does the rest until cancelled."""

    def __init__(
        self,
        span: str,
        config: ModemsConfig,
        options: SpanOptions,
        agent: AgentSide,
        ledger: PinLedger,
        on_stranger: Callable[[str], None],
    ) -> None:
        self.span = span
        self._timings = config.timings
        self._trace = config.trace
        self._options = options
        self._agent = agent
        self._pins = ledger
        self._on_stranger = on_stranger
        self._ports: list[str] = []
        self._ports_changed = asyncio.Event()
        self._ladder = Ladder(config.timings, usb_reset=options.usb_reset)
        self._modem: Opened | None = None
        self._balance_at = 0.0
        imei = span.removeprefix("imei:") if span.startswith("imei:") else ""
        self._status = SpanStatus(
            span=span, state=SpanState.ABSENT, reason="no port leads to it", name=options.name, imei=imei
        )

    # For the fleet

    def offer(self, device: str, *, best: bool = False) -> None:
        """This port leads to the modem; `best` if it is the one that its make uses for commands."""
        if device not in self._ports:
            self._ports.insert(0 if best else len(self._ports), device)
            self._ports_changed.set()

    def withdraw(self, device: str) -> None:
        """The port is not there any more."""
        if device in self._ports:
            self._ports.remove(device)
            self._ports_changed.set()

    @property
    def status(self) -> SpanStatus:
        driver = self._modem.driver if self._modem else None
        if self._status.state is SpanState.READY and driver is not None and driver.sending:
            return replace(self._status, state=SpanState.SENDING)
        return self._status

    async def ussd(self, code: str) -> str:
        """Raises NotReady or UssdFailed."""
        if self._status.state is not SpanState.READY or self._modem is None or self._modem.ussd is None:
            raise NotReady(self._status.reason or "the span is not ready")
        return await self._modem.ussd.ask(code)

    async def run(self) -> None:
        self._agent.status_changed(self._status)
        while True:
            device = await self._a_port()
            try:
                await self._attend(device)
            except Trouble as trouble:
                await self._from_outside(device, trouble)
            except Stranger:
                self.withdraw(device)
                self._on_stranger(device)

    # A port

    async def _a_port(self) -> str:
        while not self._ports:
            self._tell(SpanState.ABSENT, "no port leads to it", device="", signal_dbm=None)
            self._ports_changed.clear()
            await self._ports_changed.wait()
        return self._ports[0]

    async def _attend(self, device: str) -> None:
        """Until a trouble that the open port cannot mend."""
        modem = self._modem = Opened(device, self._options, self._timings, trace=self._trace)
        self._tell(SpanState.PROBING, "being set up", device=device)
        try:
            await modem.open()
            while True:
                await self._mend(modem, await self._until_trouble(modem))
        finally:
            self._modem = None
            modem.close()

    async def _until_trouble(self, modem: Opened) -> Trouble:
        """Lives until then. Raises Stranger; whatever else ends a life is a fault of ours and ends the agent."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._live(modem, group))
                await modem.watch()
        except BaseExceptionGroup as ended:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError from ended  # a TaskGroup of 3.11 forgets it when both happen at once
            return _trouble(ended)
        raise RuntimeError("a span's life ends with trouble only")

    async def _mend(self, modem: Opened, trouble: Trouble) -> None:
        """Climbs; raises the trouble again when the port has to be left."""
        if not _present(modem.device):
            raise trouble
        rung = self._climb(trouble)
        if rung not in {Rung.SET_UP, Rung.SOFT_RESET, Rung.RADIO}:
            raise Trouble(trouble.reason, rung)
        await modem.apply(rung)

    def _climb(self, trouble: Trouble) -> Rung:
        rung = self._ladder.next(asyncio.get_running_loop().time(), trouble.lowest)
        _LOG.warning("%s: %s; %s", self.span, trouble.reason, rung.value)
        self._tell(SpanState.RECOVERING, trouble.reason)
        return rung

    async def _from_outside(self, device: str, trouble: Trouble) -> None:
        """The rungs that need the port closed."""
        if not _present(device):
            _LOG.warning("%s: %s; waiting for it to come back", self.span, trouble.reason)
            self.withdraw(device)
            return
        rung = trouble.lowest
        if rung is Rung.REOPEN:
            self._ports.append(self._ports.pop(self._ports.index(device)))  # another port of it may fare better
            await asyncio.sleep(self._timings.port_pause)
        elif rung is Rung.USB_RESET:
            self._reset_usb(device)
            await asyncio.sleep(self._timings.port_pause)
        else:
            await self._quarantine(trouble.reason)

    def _reset_usb(self, device: str) -> None:
        node = usb.device_node(device)
        if node is None:
            return
        try:
            usb.reset(node)
        except OSError as error:
            _LOG.warning("%s: cannot reset %s: %s", self.span, node, error.strerror)

    async def _quarantine(self, reason: str) -> None:
        wait = self._ladder.quarantine_s()
        self._tell(SpanState.QUARANTINED, f"{reason}; tried again in {wait:.0f} s")
        self._ports_changed.clear()
        try:
            async with asyncio.timeout(wait):
                await self._ports_changed.wait()  # plugged anew: no need to wait longer
        except TimeoutError:
            return

    # A life

    async def _live(self, modem: Opened, group: asyncio.TaskGroup) -> None:
        await self._set_up(modem)
        if modem.inbox is not None:
            group.create_task(modem.inbox.run())
        while True:
            await self._until_registered(modem)
            await self._while_ready(modem)

    async def _set_up(self, modem: Opened) -> None:
        self._tell(SpanState.PROBING, "being set up", device=modem.device)
        identity = await modem.greet()
        if self._status.imei and identity.imei != self._status.imei:
            raise Stranger
        await self._until_unlocked(modem)
        await modem.prepare(self.span, self._agent)
        self._tell(SpanState.REGISTERING, "registering", imsi=modem.imsi, iccid=modem.iccid)

    async def _until_unlocked(self, modem: Opened) -> None:
        while True:
            try:
                return await modem.unlock(self._pins)
            except SimNotReady as reason:
                self._tell(SpanState.SIM_PIN, str(reason))
            await asyncio.sleep(self._timings.sim_every)

    async def _until_registered(self, modem: Opened) -> None:
        loop = asyncio.get_running_loop()
        limit = loop.time() + self._timings.registration_limit
        while True:
            network = await modem.network()
            if network.registered:
                break
            self._tell(SpanState.REGISTERING, network.reason, signal_dbm=network.signal_dbm)
            if loop.time() >= limit:
                raise Trouble(f"not registered: {network.reason}", Rung.RADIO)
            await asyncio.sleep(self._timings.registering_every)
        await self._ready(modem, network.roaming)

    async def _ready(self, modem: Opened, roaming: bool) -> None:
        name, technology = await modem.operator()
        shown = f"{name} (roaming)" if roaming else name
        self._ladder.well(asyncio.get_running_loop().time())
        self._tell(SpanState.READY, "", operator=shown, technology=technology)

    async def _while_ready(self, modem: Opened) -> None:
        """Runs the agent's worker until registration is lost, or the worker wants the span checked."""
        if modem.driver is None:
            return
        async with asyncio.TaskGroup() as group:
            work = group.create_task(self._agent.work(modem.driver))
            try:
                await self._look_after(modem, work)
            finally:
                work.cancel()

    async def _look_after(self, modem: Opened, work: asyncio.Task[None]) -> None:
        loop = asyncio.get_running_loop()
        sweep_at = loop.time() + self._timings.sweep_every
        operator_at = loop.time() + self._timings.operator_every
        while True:
            await self._check_balance(modem)
            await asyncio.wait({work}, timeout=self._timings.status_every)
            network = await modem.network()
            if not network.registered or work.done():
                return
            self._tell(SpanState.READY, "", signal_dbm=network.signal_dbm, sim_full=_full(modem))
            if loop.time() >= sweep_at and modem.inbox is not None:
                modem.inbox.sweep()
                sweep_at = loop.time() + self._timings.sweep_every
            if loop.time() >= operator_at:
                await self._ready(modem, network.roaming)
                operator_at = loop.time() + self._timings.operator_every

    async def _check_balance(self, modem: Opened) -> None:
        loop = asyncio.get_running_loop()
        if not self._options.balance_ussd or loop.time() < self._balance_at or modem.ussd is None:
            return
        self._balance_at = loop.time() + self._options.balance_every_s
        try:
            balance = await modem.ussd.ask(self._options.balance_ussd)
        except UssdFailed as error:
            balance = f"not told: {error}"
        self._tell(self._status.state, self._status.reason, balance=balance)

    def _tell(self, state: SpanState, reason: str, **facts: object) -> None:
        status = replace(self._status, state=state, reason=reason, **facts)  # type: ignore[arg-type]
        changed = status != self._status
        self._status = status
        if changed:
            self._agent.status_changed(status)


def _full(modem: Opened) -> bool:
    return modem.inbox is not None and modem.inbox.full


def _present(device: str) -> bool:
    return device.startswith("socket://") or Path(device).exists()


def _trouble(ended: BaseExceptionGroup[BaseException]) -> Trouble:
    """The trouble that ended a life, when nothing worse did."""
    troubles, others = ended.split(Trouble)
    if others is not None:
        _, worse = others.split(Stranger)
        raise worse or Stranger from ended
    found: BaseException = troubles or ended
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    if not isinstance(found, Trouble):
        raise found
    return found
