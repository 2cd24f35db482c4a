"""A simulated modem's ups and downs: hanging, resetting, booting, coming onto the network."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge_agent.simulator.state import factory_settings

if TYPE_CHECKING:
    from edge_agent.simulator.modem import Modem

_BOOT_LINE_GAP_S = 0.02


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
        modem.settings = factory_settings(modem.vendor)
        modem.radio.function = 1
        modem.sim.unlocked = modem.sim.pin is None
        boot = modem.traits.boot
        self.hang(boot)
        self.sms_ready_at = self.deaf_until + _BOOT_LINE_GAP_S * len(modem.vendor.boot)
        self.registered_from = self.deaf_until + modem.traits.register
        modem.later(boot, self._boot_lines)
        modem.later(boot + modem.traits.register, self.registration_changed)

    def _boot_lines(self) -> None:
        """As far as the SIM lets the modem come; what is after +CPIN follows the PIN."""
        lines = self._modem.vendor.boot
        reached = next((n for n, text in enumerate(lines) if text.startswith("+CPIN")), len(lines))
        self._say(lines[:reached])
        state = self._modem.sim.state
        self._say((f"+CPIN: {state}", *(lines[reached + 1 :] if state == "READY" else ())), reached)

    def _say(self, lines: tuple[str, ...], position: int = 0) -> None:
        for text in lines:
            self._modem.later(position * _BOOT_LINE_GAP_S, lambda text=text: self._modem.urc(text))  # type: ignore[misc]
            position += 1

    def sim_opened(self) -> None:
        """The right PIN came: the rest of the boot lines, and the network."""
        modem = self._modem
        lines = modem.vendor.boot
        self._say(lines[next((n for n, text in enumerate(lines) if text.startswith("+CPIN")), 0) :])
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
