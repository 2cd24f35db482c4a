"""What can befall a modem as a command reaches it, in the order in which it is asked about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.simulator import noise
from edge_agent.simulator.results import cme

if TYPE_CHECKING:
    from edge_agent.simulator.faults import Params
    from edge_agent.simulator.modem import Modem


@dataclass(frozen=True, slots=True)
class Wish:
    """For the shell: take the port away, for `seconds`, and bring it back as `link`; None is a fresh name."""

    seconds: float
    link: str | None = ""
    power_lost: bool = True


def befalls(modem: Modem, idle: float) -> bool:
    """True if the command is not to be carried out. `idle` is how long none was heard, in seconds."""
    for name in ("first_command_lost", "falls_asleep"):
        sleeps = modem.faults.armed(name)
        if sleeps and idle >= sleeps.number("idle") and modem.faults.strikes(name, modem.command):
            return True
    for name, (only, happens) in _ACCIDENTS.items():
        params = modem.faults.strikes(name, modem.command) if only in modem.command else None
        if params is not None and happens(modem, params):
            return True
    return False


def unplug(modem: Modem, params: Params, *, power_lost: bool = True) -> bool:
    link = params["link"]
    modem.wishes.append(Wish(params.number("seconds"), None if link is None else str(link), power_lost))
    return True


def _storm(modem: Modem, params: Params) -> bool:
    lines, seconds = int(params.number("lines")), params.number("seconds")
    for number in range(lines):
        modem.later(seconds * number / lines, lambda: modem.say(noise.notice(modem)))
    return False


def _hang(modem: Modem, params: Params) -> bool:
    modem.power.hang(params.number("seconds"))
    return True


def _reboot(modem: Modem, params: Params) -> bool:
    modem.power.reboot()
    return True


def _unknown(modem: Modem, params: Params) -> bool:
    modem.answer([], "COMMAND NOT SUPPORT")
    return True


def _busy(modem: Modem, params: Params) -> bool:
    modem.fail(cme(int(params.number("code"))))
    return True


def _no_final(modem: Modem, params: Params) -> bool:
    modem.say(f"\r\n+CPIN: {modem.sim.state}\r\n".encode())
    return True


def _glitch(modem: Modem, params: Params) -> bool:
    return unplug(modem, params, power_lost=False)


# With the command that a fault concerns, so that it isn't used up by another.
_ACCIDENTS: dict[str, tuple[str, Callable[[Modem, Params], bool]]] = {
    "urc_storm": ("", _storm),
    "hang": ("", _hang),
    "reboot_mid_command": ("", _reboot),
    "unplug": ("", unplug),
    "replug": ("", unplug),
    "usb_eio": ("", _glitch),
    "command_not_support": ("", _unknown),
    "busy": ("", _busy),
    "cmgl_hangs": ("+CMGL=", _hang),
    "cpin_without_ok": ("+CPIN?", _no_final),
}
