"""Commands about the network: registration, operator, signal, USSD (3GPP TS 27.007 §7 and §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.simulator.at_line import Call
from edge_agent.simulator.commands_general import Handler, need_sim
from edge_agent.simulator.results import cme

if TYPE_CHECKING:
    from edge_agent.simulator.modem import Modem

_LTE = 7  # <AcT>, 27.007 §7.3


def _registration(modem: Modem, call: Call) -> list[str]:
    asked = modem.settings.registration
    if call.form == "=?":
        return [f"{call.name}: (0-2)"]
    if call.form == "=":
        asked[call.name] = call.number(0, 0)
        return []
    level = asked.get(call.name, 0)
    return [f"{call.name}: {level},{registration_state(modem, level)}"]


def registration_state(modem: Modem, level: int) -> str:
    """<stat>, with area and cell from level 2 on."""
    stat = modem.registration
    return f'{stat},"1A2B","01C3D4E5",{_LTE}' if level == 2 and stat in (1, 5) else str(stat)


def _operator(modem: Modem, call: Call) -> list[str]:
    if call.form == "=?":
        return [f'+COPS: (2,"{modem.radio.operator}","{modem.radio.operator}","00101",{_LTE}),,(0-4),(0-2)']
    if call.form == "=":
        return []
    return [f'+COPS: 0,0,"{modem.radio.operator}",{_LTE}' if modem.registered else "+COPS: 0"]


def _signal(modem: Modem, call: Call) -> list[str]:
    """§8.5: 99 is unknown, which it is without radio."""
    if call.form == "=?":
        return ["+CSQ: (0-31,99),(0-7,99)"]
    return [f"+CSQ: {modem.radio.csq if modem.radio.function == 1 else 99},99"]


def _ussd(modem: Modem, call: Call) -> list[str]:
    """§7.15: the answer comes later, unsolicited. <n> 2 ends the dialogue."""
    if call.form == "=?":
        return ["+CUSD: (0-2)"]
    if call.form == "?":
        return [f"+CUSD: {modem.settings.cusd}"]
    modem.settings.cusd = call.number(0, 0)
    if call.arg(1):
        need_sim(modem)
        if not modem.registered:
            raise cme(30)
        modem.ussd.ask(call.arg(1))
    elif modem.settings.cusd == 2:
        modem.ussd.end()
    return []


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("+CREG", "+CGREG", "+CEREG"), _registration),
    "+COPS": _operator,
    "+CSQ": _signal,
    "+CUSD": _ussd,
}
