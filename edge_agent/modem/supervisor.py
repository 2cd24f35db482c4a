"""One span, whatever becomes of its modem: which port leads to it, its life there, and the way back from trouble.

Rule: each step of recovery is logged once, with its cause. READY and SENDING change with every message, so SENDING is
only seen by who asks (`status`); the other states are told as they come.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from edge_agent.modem import usb
from edge_agent.modem.config import ModemsConfig, SpanOptions
from edge_agent.modem.ladder import Ladder, Rung
from edge_agent.modem.life import Every, Life, Stranger
from edge_agent.modem.opened import Opened, Trouble
from edge_agent.modem.pin_ledger import PinLedger
from edge_agent.modem.status_keeper import StatusKeeper
from edge_agent.span import AgentSide, SpanState, SpanStatus
from shared.wire import NOT_THERE

_LOG = logging.getLogger(__name__)


class NotReady(RuntimeError):
    """The span cannot do this now; the text says why."""


class Supervisor:
    """Ports are offered and withdrawn by discovery; `run` does the rest until cancelled."""

    def __init__(
        self,
        span: str,
        config: ModemsConfig,
        options: SpanOptions,
        agent: AgentSide,
        pins: PinLedger,
        on_port_left: Callable[[str], None],
    ) -> None:
        self.span = span
        self._config = config
        self._options = options
        self._agent = agent
        self._pins = pins
        self._on_port_left = on_port_left
        self._ports: list[str] = []
        self._ports_changed = asyncio.Event()
        self._ladder = Ladder(config.timings, usb_reset=options.usb_reset)
        self._balance = Every(options.balance_every_s)
        self._modem: Opened | None = None
        imei = span.removeprefix("imei:") if span.startswith("imei:") else ""
        first = SpanStatus(span=span, state=SpanState.ABSENT, reason=NOT_THERE, name=options.name, imei=imei)
        self._keeper = StatusKeeper(first, agent)

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
        status, modem = self._keeper.status, self._modem
        if status.state is SpanState.READY and modem is not None and modem.driver is not None and modem.driver.sending:
            return replace(status, state=SpanState.SENDING)
        return status

    async def ussd(self, code: str) -> str:
        """Raises NotReady or UssdFailed."""
        if self._keeper.status.state is not SpanState.READY or self._modem is None or self._modem.ussd is None:
            raise NotReady(self._keeper.status.reason or "the span is not ready")
        return await self._modem.ussd.ask(code)

    async def run(self) -> None:
        """Until cancelled. A fault of our own is trouble of this modem's, and nothing to the others."""
        step = self._turn
        while True:
            try:
                await step()
                step = self._turn
            except Exception:  # noqa: BLE001 (the border between one modem and the others)
                _LOG.exception("%s: a fault of the agent's own", self.span)
                await asyncio.sleep(self._config.timings.port_pause)
                step = self._rest_after_fault

    async def _turn(self) -> None:
        """One life on one port, and what is to be done after it."""
        device = await self._a_port()
        try:
            rung = await self._attend(device)
        except Stranger:
            _LOG.warning("%s: another modem answers on %s", self.span, device)
            self._leave(device)
        else:
            await self._mend_closed(device, rung)

    async def _a_port(self) -> str:
        while not self._ports:
            self._keeper.tell(SpanState.ABSENT, NOT_THERE, device="", signal_dbm=None)
            self._ports_changed.clear()
            await self._ports_changed.wait()
        return self._ports[0]

    async def _attend(self, device: str) -> Rung | None:
        """Until a trouble that an open port cannot mend; the rung to be taken then, None when the port is gone."""
        modem = self._modem = Opened(device, self._options, self._config.timings, trace=self._config.trace)
        code, timings = self._options.balance_ussd, self._config.timings
        life = Life(modem, self._keeper, self._agent, self._pins, timings, code, self._balance)
        try:
            while True:
                trouble = await self._until_trouble(modem, life)
                if not _present(device):
                    _LOG.warning("%s: %s; waiting for it to come back", self.span, trouble.reason)
                    return None
                rung = self._climb(trouble)
                if rung not in _WITH_PORT:
                    return rung
                await modem.apply(rung)
        finally:
            self._modem = None
            modem.close()

    async def _until_trouble(self, modem: Opened, life: Life) -> Trouble:
        try:
            await modem.open()
            await life.run(self._well)
        except Trouble as trouble:
            return trouble
        raise RuntimeError("a life ends with trouble")

    def _well(self) -> None:
        self._ladder.well(asyncio.get_running_loop().time())

    # The ladder

    def _climb(self, trouble: Trouble) -> Rung:
        rung = self._ladder.next(asyncio.get_running_loop().time(), trouble.lowest)
        _LOG.warning("%s: %s; %s", self.span, trouble.reason, rung.value)
        self._keeper.tell(SpanState.RECOVERING, trouble.reason)
        return rung

    async def _mend_closed(self, device: str, rung: Rung | None) -> None:
        """The rungs that need the port closed."""
        if rung is None:
            self._leave(device)
        elif rung is Rung.QUARANTINE:
            await self._quarantine()
        else:
            if rung is Rung.USB_RESET:
                await self._reset_usb(device)
            self._try_another(device)
            await asyncio.sleep(self._config.timings.port_pause)

    async def _rest_after_fault(self) -> None:
        self._climb(Trouble("a fault of the agent's own, see its log", Rung.QUARANTINE))
        await self._quarantine()

    def _leave(self, device: str) -> None:
        """Discovery must find out anew where the port leads, even when it is back before it was missed."""
        self.withdraw(device)
        self._on_port_left(device)

    def _try_another(self, device: str) -> None:
        """Another port of the modem may fare better."""
        if device in self._ports:
            self._ports.remove(device)
            self._ports.append(device)

    async def _reset_usb(self, device: str) -> None:
        try:
            await usb.reset_behind(device)
        except OSError as error:
            _LOG.warning("%s: %s", self.span, error)

    async def _quarantine(self) -> None:
        wait = self._ladder.quarantine_s()
        self._keeper.tell(SpanState.QUARANTINED, f"{self._keeper.status.reason}; tried again in {wait:.0f} s")
        self._ports_changed.clear()
        try:
            async with asyncio.timeout(wait):
                await self._ports_changed.wait()  # plugged anew: no need to wait longer
        except TimeoutError:
            return


_WITH_PORT = frozenset({Rung.SET_UP, Rung.SOFT_RESET, Rung.RADIO})


def _present(device: str) -> bool:
    return device.startswith("socket://") or Path(device).exists()
