"""A simulated modem's ups and downs: hanging, resetting, booting, coming onto the network."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from edge_agent.simulator import conditions
from edge_agent.simulator.state import factory_settings

if TYPE_CHECKING:
    from edge_agent.simulator.modem import Modem

_LINE_GAP_S = 0.02


class Power:
    """`boots` counts resets: what was planned before one doesn't happen after it."""

    def __init__(self, modem: Modem) -> None:
        self._modem = modem
        self.boots = 0
        self.deaf_until = -math.inf
        self.sms_ready_at = -math.inf
        self.registered_from = -math.inf

    @property
    def deaf(self) -> bool:
        return self._modem.now < self.deaf_until

    def hang(self, seconds: float) -> None:
        """Hears nothing for so long; the command in flight is never answered."""
        modem = self._modem
        modem.drop_input()
        self.deaf_until = modem.now + seconds
        if seconds != math.inf:
            modem.later(seconds, modem.inbox.pump)

    def wake(self) -> None:
        self.deaf_until = -math.inf
        self._modem.inbox.pump()

    def reboot(self) -> None:
        """Everything but the stores and the SIM's counters is gone; boot lines follow."""
        modem = self._modem
        self.boots += 1
        modem.line.cut()
        modem.inbox.reset()
        modem.settings = factory_settings(modem.vendor)
        modem.radio.function = 1
        modem.sim.unlocked = modem.sim.pin is None
        if modem.faults:
            conditions.apply_to_sim(modem)
        boot = modem.traits.boot
        self.hang(boot)
        self.sms_ready_at = self.deaf_until + _LINE_GAP_S * len(modem.vendor.boot + modem.vendor.sim_open)
        self.registered_from = self.deaf_until + modem.traits.register
        modem.later(boot, self._booted)
        modem.later(boot + modem.traits.register, self.registration_changed)

    def off(self) -> None:
        """Without power: deaf until it is switched on again by `reboot`."""
        self.reboot()
        self.boots += 1  # and nothing of that start will happen
        self.deaf_until = math.inf

    def _booted(self) -> None:
        """The boot lines, as far as the SIM lets the modem come."""
        modem = self._modem
        lines = modem.vendor.sim_open
        if not (modem.sim.inserted and modem.sim.unlocked):
            locked = f"+CPIN: {modem.sim.state}" if modem.sim.inserted else "+CPIN: NOT INSERTED"
            lines = (locked,) if "+CPIN: READY" in lines else ()
        self._say(modem.vendor.boot + lines)

    def _say(self, lines: tuple[str, ...]) -> None:
        for position, text in enumerate(lines):
            self._modem.later(position * _LINE_GAP_S, partial(self._modem.urc, text))

    def sim_opened(self) -> None:
        """The right PIN came: the rest of the boot lines, and the network."""
        lines = self._modem.vendor.sim_open
        self.sms_ready_at = self._modem.now + _LINE_GAP_S * len(lines)
        self._say(lines)
        self.radio_on()

    def radio_on(self) -> None:
        modem = self._modem
        self.registered_from = modem.now + modem.traits.register
        modem.later(modem.traits.register, self.registration_changed)

    def registration_changed(self) -> None:
        """+CREG and its like tell a change where they were asked to (27.007 §7.2)."""
        modem = self._modem
        for name, level in modem.settings.registration.items():
            if level:
                modem.urc(f"{name}: {modem.registration}")
        modem.inbox.pump()
