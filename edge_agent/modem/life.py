"""The good life of a span on an open port: set up → SIM unlocked → registering → ready, with the agent's worker on it.

Rule: it ends by cancellation, by `Trouble`, or by `Stranger` only; what is done about those is the supervisor's.
"""

import asyncio
from collections.abc import Callable

from edge_agent.modem.config import Timings
from edge_agent.modem.ladder import Rung
from edge_agent.modem.opened import Opened, Trouble
from edge_agent.modem.pin_ledger import PinLedger
from edge_agent.modem.sim import SimNotReady
from edge_agent.modem.status_keeper import StatusKeeper
from edge_agent.modem.ussd import UssdFailed
from edge_agent.span import AgentSide, SpanState

_SHORT_WORK = 1.0  # s; a worker that ends sooner than this is not started again at once, lest nothing else gets done


class Stranger(Exception):
    """Another modem than ours is on the port."""


class Every:
    """Due once in `period` seconds. Holds no timer: it is asked."""

    def __init__(self, period: float, *, first_at: float = 0.0) -> None:
        self._period = period
        self._next = first_at

    def due(self, now: float) -> bool:
        if now < self._next:
            return False
        self._next = now + self._period
        return True


class Life:
    """One from opening to trouble."""

    def __init__(
        self,
        modem: Opened,
        keeper: StatusKeeper,
        agent: AgentSide,
        pins: PinLedger,
        timings: Timings,
        balance_code: str,
        balance: Every,
    ) -> None:
        """`balance` outlives this life: it tells when `balance_code` is to be asked."""
        self._modem = modem
        self._keeper = keeper
        self._agent = agent
        self._pins = pins
        self._timings = timings
        self._balance_code = balance_code
        self._balance = balance
        self._now = asyncio.get_running_loop().time

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Raises Trouble or Stranger. `on_ready` is called each time the span has become ready."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._live(group, on_ready))
                await self._modem.watch()
        except BaseExceptionGroup as ended:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError from ended  # a TaskGroup of 3.11 forgets it when both happen at once
            raise _gravest(ended) from ended

    async def _live(self, group: asyncio.TaskGroup, on_ready: Callable[[], None]) -> None:
        await self._set_up()
        if self._modem.inbox is not None:
            group.create_task(self._modem.inbox.run())
        while True:
            await self._until_registered()
            on_ready()
            await self._while_ready()

    async def _set_up(self) -> None:
        modem, keeper = self._modem, self._keeper
        keeper.tell(SpanState.PROBING, "being set up", device=modem.device)
        imei = (await modem.greet()).imei
        if keeper.status.imei and not imei:
            raise Trouble("the modem does not tell its IMEI", Rung.SET_UP)
        if keeper.status.imei and imei != keeper.status.imei:
            raise Stranger
        await self._until_unlocked()
        await modem.prepare(keeper.status.span, self._agent)
        keeper.tell(SpanState.REGISTERING, "registering", imsi=modem.imsi, iccid=modem.iccid)

    async def _until_unlocked(self) -> None:
        while True:
            try:
                return await self._modem.unlock(self._pins)
            except SimNotReady as reason:
                self._keeper.tell(SpanState.SIM_PIN, str(reason))
            await asyncio.sleep(self._timings.sim_every)

    async def _until_registered(self) -> None:
        limit = self._now() + self._timings.registration_limit
        while True:
            network = await self._modem.network()
            if network.registered:
                return await self._tell_ready(network.roaming)
            self._keeper.tell(SpanState.REGISTERING, network.reason, signal_dbm=network.signal_dbm)
            await self._modem.check_sim()
            if self._now() >= limit:
                raise Trouble(f"not registered: {network.reason}", Rung.RADIO)
            await asyncio.sleep(self._timings.registering_every)

    async def _tell_ready(self, roaming: bool) -> None:
        name, technology = await self._modem.operator()
        shown = f"{name} (roaming)" if roaming else name
        self._keeper.tell(SpanState.READY, operator=shown, technology=technology)

    async def _while_ready(self) -> None:
        """Runs the agent's worker until registration is lost, or the worker wants the span checked."""
        if self._modem.driver is None:
            return
        began = self._now()
        async with asyncio.TaskGroup() as group:
            work = group.create_task(self._agent.work(self._modem.driver))
            try:
                await self._look_after(work)
            finally:
                work.cancel()
        if self._now() - began < _SHORT_WORK:
            await asyncio.sleep(_SHORT_WORK)

    async def _look_after(self, work: asyncio.Task[None]) -> None:
        sweep = Every(self._timings.sweep_every, first_at=self._now() + self._timings.sweep_every)
        operator = Every(self._timings.operator_every, first_at=self._now() + self._timings.operator_every)
        while not work.done():
            await self._check_balance()
            await asyncio.wait({work}, timeout=self._timings.status_every)
            network = await self._modem.network()
            if not network.answered:
                continue  # the modem is being resynchronised; if that is in vain, there is trouble
            if not network.registered:
                return
            self._keeper.note(signal_dbm=network.signal_dbm, sim_full=self._modem.full)
            await self._modem.look_for_reports()
            if sweep.due(self._now()):
                self._modem.sweep()
            if operator.due(self._now()):
                await self._tell_ready(network.roaming)

    async def _check_balance(self) -> None:
        if self._modem.ussd is None or not self._balance_code or not self._balance.due(self._now()):
            return
        try:
            told = await self._modem.ussd.ask(self._balance_code)
        except UssdFailed as error:
            told = f"not told: {error}"
        self._keeper.note(balance=told)


def _gravest(ended: BaseExceptionGroup[BaseException]) -> BaseException:
    """What ended a life: a fault of ours before a stranger, a stranger before trouble."""
    _, ours = ended.split((Trouble, Stranger))
    if ours is not None:
        return ours
    strangers, troubles = ended.split(Stranger)
    found: BaseException = strangers or troubles or ended
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
