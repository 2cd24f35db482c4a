"""One plugged modem as tests and the control socket see it: every deed takes effect at once."""

import asyncio
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_agent.simulator import conditions
from edge_agent.simulator.accidents import Wish
from edge_agent.simulator.fault_rows import Value
from edge_agent.simulator.faults import Chance
from edge_agent.simulator.identity import Sim
from edge_agent.simulator.modem import Modem
from edge_agent.simulator.pty_port import PtyPort


class Handle:
    """`fresh_link` gives a name that no modem has used, as the next ttyUSB number would be."""

    def __init__(
        self, core: Modem, port: PtyPort, loop: asyncio.AbstractEventLoop, fresh_link: Callable[[], Path]
    ) -> None:
        self.core, self.port = core, port
        self._loop, self._fresh_link = loop, fresh_link
        self._powered = True
        port.on_wish = self._grant

    def fault(self, name: str, *, count: int | None = None, on: str = "", **params: Value) -> None:
        """Arms a fault of fault_rows; UnknownFault says which there are."""
        self._sync()
        conditions.arm(self.core, name, params, count=count, on=on)
        self.port.flush()

    def risk(self, name: str, probability: float, *, on: str = "", **params: Value) -> None:
        """The fault may strike each time from now on."""
        self.core.faults.risk(Chance(name, probability, tuple(params.items())), on)

    def clear(self, name: str | None = None) -> None:
        self._sync()
        conditions.clear(self.core, name)
        self.port.flush()

    def receive(self, text: str, originator: str, *, order: Sequence[int] = (), wide: bool = False) -> None:
        """A message arrives from the network, in parts where it's long; `order` counts them from 1."""
        self._sync()
        self.core.network.send(originator, text, order=order, wide=wide)
        self.port.flush()

    def receive_tpdu(self, tpdu: bytes) -> None:
        """Whatever a network may send, without a service centre address in front."""
        self._sync()
        self.core.network.send_tpdu(tpdu)
        self.port.flush()

    def unplug(self, seconds: float = math.inf, link: str | None = "", *, power_lost: bool = True) -> None:
        """Takes the port away; it comes back after `seconds`, under its old name unless `link` says another."""
        self._sync()
        self.port.unplug()
        if power_lost:
            self._powered = False
            self.core.power.off()
        if seconds != math.inf:
            self._loop.call_later(seconds, self.replug, link)

    def replug(self, link: str | None = "") -> None:
        """Back again; without power before, the modem boots. A modem that is plugged is taken out first."""
        if self.port.plugged:
            self.unplug()
        self._sync()
        self.port.plug(self._fresh_link() if link is None else self.port.link.with_name(link or self.port.link.name))
        if not self._powered:
            self._powered = True
            self.core.power.reboot()
        self.port.flush()

    def reboot(self) -> None:
        self._sync()
        self.core.power.reboot()
        self.port.flush()

    def wake(self) -> None:
        """Ends a hang."""
        self._sync()
        self.core.power.wake()
        self.port.flush()

    def swap_sim(self, sim: Sim, pin: str | None = None) -> None:
        """Another card, with its own stores and counters; the modem starts again."""
        self._sync()
        self.core.insert(sim, pin)
        self.core.power.reboot()
        self.port.flush()

    def _grant(self, wish: Wish) -> None:
        self.unplug(wish.seconds, wish.link, power_lost=wish.power_lost)

    def _sync(self) -> None:
        self.core.now = self._loop.time()
