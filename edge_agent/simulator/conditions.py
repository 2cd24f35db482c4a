"""Faults armed and cleared: a condition of the SIM or of the network shows at once and not at the next command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.simulator.fault_rows import Value

if TYPE_CHECKING:
    from edge_agent.simulator.modem import Modem

_OF_THE_SIM = {"sim_pin", "sim_missing"}
_OF_THE_NETWORK = {"not_registered", "registration_denied"}


def arm(modem: Modem, name: str, params: dict[str, Value], *, count: int | None = None, on: str = "") -> None:
    modem.faults.arm(name, params, count=count, on=on)
    if name in _OF_THE_SIM:
        apply_to_sim(modem)
    _shows(modem, name)


def clear(modem: Modem, name: str | None = None) -> None:
    """One fault, or all."""
    gone = modem.faults.names if name is None else [name]
    modem.faults.clear(name)
    if "sim_missing" in gone:
        modem.sim.inserted = True
    if "sim_pin" in gone:
        modem.sim.take_off_lock()
    for each in gone:
        _shows(modem, each)
    modem.inbox.room_made()
    modem.inbox.pump()


def apply_to_sim(modem: Modem) -> None:
    """At a start of the modem too, when a probability may strike."""
    modem.sim.inserted = modem.faults.strikes("sim_missing") is None
    if locked := modem.faults.strikes("sim_pin"):
        modem.sim.lock(locked.text("pin"))


def _shows(modem: Modem, name: str) -> None:
    if name in _OF_THE_SIM | _OF_THE_NETWORK:
        modem.power.registration_changed()
