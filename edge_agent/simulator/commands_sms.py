"""The SMS commands of 3GPP TS 27.005 §3, in PDU mode."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from edge_agent.simulator.at_line import Call
from edge_agent.simulator.commands_general import Handler
from edge_agent.simulator.results import cms
from edge_agent.simulator.stores import READ, Store, Stored

if TYPE_CHECKING:
    from edge_agent.simulator.modem import Modem


def _need_sms(modem: Modem) -> None:
    """§3.2.5: 310 no card, 311 and 316 locked, 314 not ready yet after the start."""
    if not modem.sim.inserted:
        raise cms(310)
    if not modem.sim.unlocked:
        raise cms(311 if modem.sim.pin_attempts else 316)
    if modem.now < modem.power.sms_ready_at or (modem.faults and modem.faults.strikes("sms_not_ready")):
        raise cms(314)


def _format(modem: Modem, call: Call) -> list[str]:
    if call.form == "=?":
        return ["+CMGF: (0,1)"]
    if call.form == "?":
        return [f"+CMGF: {modem.settings.cmgf}"]
    modem.settings.cmgf = call.number(0, 0)
    return []


def _service(modem: Modem, call: Call) -> list[str]:
    """§3.2.1: 1 is phase 2+, in which direct routing waits for +CNMA."""
    if call.form == "=?":
        return ["+CSMS: (0,1)"]
    if call.form == "?":
        return [f"+CSMS: {modem.settings.csms},1,1,1"]
    modem.settings.csms = call.number(0, 0)
    return ["+CSMS: 1,1,1"]


def _more(modem: Modem, call: Call) -> list[str]:
    if call.form == "=?":
        return ["+CMMS: (0-2)"]
    if call.form == "?":
        return [f"+CMMS: {modem.settings.cmms}"]
    modem.settings.cmms = call.number(0, 0)
    return []


def _storage(modem: Modem, call: Call) -> list[str]:
    """§3.2.2: mem1 is read and deleted from, mem2 written to, mem3 takes what comes in."""
    _need_sms(modem)
    names = modem.settings.stores
    if call.form == "=?":
        reading = ",".join(f'"{name}"' for name in modem.stores)
        others = ",".join(f'"{name}"' for name in modem.stores if name != "SR")
        return [f"+CPMS: ({reading}),({others}),({others})"]
    if call.form == "=":
        chosen = tuple(call.arg(place).upper() or kept for place, kept in enumerate(names))
        if not set(chosen) <= set(modem.stores) or "SR" in chosen[1:]:
            raise cms(302)
        first, second, third = chosen
        modem.settings.stores = (first, second, third)
        modem.inbox.room_made()
        return ["+CPMS: " + ",".join(_fill(modem.stores[name]) for name in chosen)]
    return ["+CPMS: " + ",".join(f'"{name}",{_fill(modem.stores[name])}' for name in names)]


def _fill(store: Store) -> str:
    return f"{len(store.slots)},{store.capacity}"


def _indications(modem: Modem, call: Call) -> list[str]:
    """§3.4.1; which values a modem takes is its maker's choice."""
    if call.form == "=?":
        return [f"+CNMI: {modem.vendor.cnmi}"]
    if call.form == "?":
        return ["+CNMI: " + ",".join(map(str, modem.settings.cnmi))]
    wanted = tuple(call.number(place, kept) for place, kept in enumerate(modem.settings.cnmi))
    _check_indications(modem, wanted)
    modem.settings.cnmi = wanted
    if wanted[0]:
        modem.inbox.flush(keep=wanted[4] == 0)
    return []


@cache
def _ranges(said: str) -> list[set[int]]:
    """Each bracket of a +CNMI=? answer as the values in it: "(0-2),(0,1)" is {0, 1, 2} and {0, 1}."""
    return [_values(bracket) for bracket in re.findall(r"\(([^)]*)\)", said)]


def _values(bracket: str) -> set[int]:
    values: set[int] = set()
    for low, high in re.findall(r"(\d)(?:-(\d))?", bracket):
        values |= set(range(int(low), int(high or low) + 1))
    return values


def _check_indications(modem: Modem, wanted: tuple[int, ...]) -> None:
    if any(value not in allowed for value, allowed in zip(wanted, _ranges(modem.vendor.cnmi), strict=True)):
        raise cms(303)
    if not modem.faults:
        return
    refused = modem.faults.strikes("ds_refused") if wanted[3] else None
    if refused and str(wanted[3]) in refused.text("values"):
        raise cms(303)
    needs_phase_2 = wanted[1] == 2 or wanted[3] == 1
    if needs_phase_2 and modem.settings.csms == 0 and modem.faults.strikes("cds_needs_cnma"):
        raise cms(302)


def _acknowledge(modem: Modem, call: Call) -> list[str]:
    if call.form == "=?":
        return ["+CNMA: (0-2)"]
    if modem.settings.csms == 0 or not modem.inbox.acknowledge():
        raise cms(340)
    return []


def _centre(modem: Modem, call: Call) -> list[str]:
    _need_sms(modem)
    if call.form == "?":
        return [f'+CSCA: "{modem.sim.centre}",145']
    if call.form == "=":
        modem.sim.centre = call.arg(0)
    return []


def _send(modem: Modem, call: Call) -> list[str] | None:
    if call.form == "=?":
        return []
    _need_sms(modem)
    if modem.settings.cmgf:
        raise cms(305)  # text mode isn't simulated
    octets = call.number(0, 0)
    if not 1 <= octets <= 255:
        raise cms(304)
    modem.submission.begin(octets)
    return None


def _list(modem: Modem, call: Call) -> list[str]:
    if call.form == "=?":
        return ["+CMGL: (0-4)"]
    _need_sms(modem)
    lines = []
    for index, kept in _current(modem).listed(call.number(0, 0)):
        lines.append(f"+CMGL: {index},{_shown(kept)}")
    return lines


def _read(modem: Modem, call: Call) -> list[str]:
    """An empty slot answers a bare OK or an error; §3.4.3 leaves it open."""
    if call.form == "=?":
        return []
    _need_sms(modem)
    kept = _current(modem).slots.get(call.number(0, 0))
    if kept is None and modem.vendor.empty_slot_is_error:
        raise cms(321)
    return [] if kept is None else [f"+CMGR: {_shown(kept)}"]


def _current(modem: Modem) -> Store:
    return modem.stores[modem.settings.stores[0]]


def _shown(kept: Stored) -> str:
    """<stat>,[<alpha>],<length> and the PDU on the next line; reading makes it read."""
    status, kept.status = kept.status, READ
    return f"{status},,{kept.tpdu_octets}\r\n{kept.pdu.hex().upper()}"


def _delete(modem: Modem, call: Call) -> list[str]:
    store = _current(modem)
    if call.form == "=?":
        return [f"+CMGD: ({','.join(map(str, sorted(store.slots)))}),(0-4)"]
    _need_sms(modem)
    index, flag = call.number(0, 0), call.number(1, 0)
    if not store.first <= index < store.first + store.capacity and not flag:
        raise cms(321)
    store.delete(index, flag)
    modem.inbox.room_made()
    return []


HANDLERS: dict[str, Handler] = {
    "+CMGF": _format,
    "+CSMS": _service,
    "+CMMS": _more,
    "+CPMS": _storage,
    "+CNMI": _indications,
    "+CNMA": _acknowledge,
    "+CSCA": _centre,
    "+CMGS": _send,
    "+CMGL": _list,
    "+CMGR": _read,
    "+CMGD": _delete,
}
