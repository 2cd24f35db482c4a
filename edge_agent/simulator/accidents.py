"""What can befall a modem as a command reaches it, in the order in which it is asked about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_agent.simulator.faults import Params
    from edge_agent.simulator.modem import Modem


@dataclass(frozen=True, slots=True)
class Wish:
    """For the shell: take the port away, for `seconds`, and bring it back as `link` ("" is the same name)."""

    seconds: float
    link: str = ""


def befalls(modem: Modem, idle: float) -> bool:
    """True if the command is not to be carried out."""
    lost = modem.faults.strikes("first_command_lost", modem.command)
    if lost and idle >= lost.number("idle"):
        return True
    for name, happens in _ACCIDENTS.items():
        params = modem.faults.strikes(name, modem.command)
        if params is not None and happens(modem, params):
            return True
    return False


def _hang(modem: Modem, params: Params) -> bool:
    modem.power.hang(params.number("seconds"))
    return True


def _reboot(modem: Modem, params: Params) -> bool:
    modem.power.reboot()
    return True


_ACCIDENTS: dict[str, Callable[[Modem, Params], bool]] = {
    "hang": _hang,
    "reboot_mid_command": _reboot,
}
