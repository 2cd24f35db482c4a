"""All modems of this site: discovery and one supervisor a modem, in one TaskGroup. The agent core's way in.

Rule: one modem's trouble never delays another, nor ends it, be it a fault of our own; nothing here waits for one modem
before it serves the next.
"""

import asyncio
import logging

from edge_agent.modem import discovery
from edge_agent.modem.config import ModemsConfig
from edge_agent.modem.discovery import Found, NoModem
from edge_agent.modem.pin_ledger import PinLedger
from edge_agent.modem.serial_port import PortError
from edge_agent.modem.supervisor import NotReady, Supervisor
from edge_agent.span import AgentSide, SpanStatus

__all__ = ["Fleet", "NoSuchSpan", "NotReady"]

_LOG = logging.getLogger(__name__)
_LONGEST_PAUSE = 60.0  # s between probes of a port that leads nowhere


class NoSuchSpan(LookupError):
    """No span of that identity or name is known here."""


class Fleet:
    """Runs until cancelled. Calls `agent` as edge_agent/span.py tells."""

    def __init__(self, config: ModemsConfig, agent: AgentSide) -> None:
        self._config = config
        self._agent = agent
        self._pins = PinLedger(config.pin_ledger)
        self._supervisors: dict[str, Supervisor] = {}
        self._probing: dict[str, asyncio.Task[None]] = {}
        self._leads_to: dict[str, str] = {}  # port → span
        self._unusable: dict[str, str] = {}  # port → why

    async def run(self) -> None:
        """Finds modems and keeps them alive until cancelled; ports are closed when it returns."""
        async with asyncio.TaskGroup() as group:
            for key in self._config.spans:
                if key.isdecimal():
                    self._supervise(f"imei:{key}", key, "", group)
            while True:
                self._look(group)
                await asyncio.sleep(self._config.timings.ports_every)

    def statuses(self) -> list[SpanStatus]:
        """Every span known since start, present or not, ordered by identity."""
        return [supervisor.status for _, supervisor in sorted(self._supervisors.items())]

    def unusable(self) -> dict[str, str]:
        """Ports that lead to no span, and why: held by another program, no permission, silent, …"""
        return dict(self._unusable)

    async def ussd(self, span: str, code: str) -> str:
        """Asks the network, e.g. "*100#", and gives its answer. `span` is an identity or a configured name.

        Raises NoSuchSpan, NotReady, or UssdFailed (ussd.py) with the reason in words.
        """
        for supervisor in self._supervisors.values():
            if span in {supervisor.span, supervisor.status.name}:
                return await supervisor.ussd(code)
        raise NoSuchSpan(f"no span {span!r} is known here")

    def _look(self, group: asyncio.TaskGroup) -> None:
        try:
            ports = discovery.present(self._config)
        except OSError as error:  # no descriptors left, for one; what is known stays known
            _LOG.warning("cannot look for ports: %s", error)
            return
        for gone in (self._leads_to.keys() | self._probing.keys() | self._unusable.keys()) - ports:
            self._forget(gone)
        for new in sorted(ports - self._leads_to.keys() - self._probing.keys()):
            self._probing[new] = group.create_task(self._probe(new, group), name=f"probe {new}")

    def _forget(self, port: str) -> None:
        task = self._probing.pop(port, None)
        if task is not None:
            task.cancel()
        self._unusable.pop(port, None)
        span = self._leads_to.pop(port, None)
        if span is not None:
            self._supervisors[span].withdraw(port)

    async def _probe(self, port: str, group: asyncio.TaskGroup) -> None:
        """Until it is known which modem is behind the port."""
        pause = self._config.timings.ports_every
        while True:
            try:
                return self._assign(await discovery.probe(port, self._config), group)
            except (PortError, NoModem) as error:
                self._leads_nowhere(port, str(error))
            except Exception:  # noqa: BLE001 (the border between one modem and the others)
                _LOG.exception("%s: a fault of the agent's own", port)
                self._unusable[port] = f"{port}: a fault of the agent's own, see its log"
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _leads_nowhere(self, port: str, reason: str) -> None:
        if self._unusable.get(port) != reason:
            _LOG.warning("%s", reason)
        self._unusable[port] = reason

    def _assign(self, found: Found, group: asyncio.TaskGroup) -> None:
        options = self._config.options(found.device, found.identity.imei)
        span = found.span(options)
        supervisor = self._supervise(span, found.identity.imei, found.device, group)
        self._leads_to[found.device] = span
        self._probing.pop(found.device, None)
        self._unusable.pop(found.device, None)
        supervisor.offer(found.device, best=found.best)

    def _supervise(self, span: str, imei: str, port: str, group: asyncio.TaskGroup) -> Supervisor:
        supervisor = self._supervisors.get(span)
        if supervisor is None:
            options = self._config.options(port, imei)
            supervisor = Supervisor(span, self._config, options, self._agent, self._pins, self._on_port_left)
            self._supervisors[span] = supervisor
            group.create_task(supervisor.run(), name=span)
        return supervisor

    def _on_port_left(self, port: str) -> None:
        """The port went away, or another modem is on it now: find out which."""
        self._leads_to.pop(port, None)
