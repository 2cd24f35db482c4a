"""Commands about the device and its SIM: ITU-T V.250 §6, 3GPP TS 27.007 §5 and §8."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from edge_agent.simulator.at_line import Call
from edge_agent.simulator.results import cme
from edge_agent.simulator.state import factory_settings
from edge_agent.simulator.vendors import Query

if TYPE_CHECKING:
    from edge_agent.simulator.modem import Modem

Handler = Callable[["Modem", Call], "list[str] | None"]


def _accept(modem: Modem, call: Call) -> list[str]:
    return []


def _echo(modem: Modem, call: Call) -> list[str]:
    modem.settings.echo = call.arg(0) == "1"
    return []


def _reset(modem: Modem, call: Call) -> list[str]:
    modem.settings = factory_settings(modem.vendor)
    return []


def _information(modem: Modem, call: Call) -> list[str]:
    return [modem.vendor.maker, modem.vendor.model, f"Revision: {modem.vendor.revision}"]


def _fact(read: Callable[[Modem], str]) -> Handler:
    def handler(modem: Modem, call: Call) -> list[str]:
        return [] if call.form == "=?" else [read(modem)]

    return handler


def _maker(modem: Modem) -> str:
    return modem.vendor.maker


def _model(modem: Modem) -> str:
    return modem.vendor.model


def _revision(modem: Modem) -> str:
    return modem.vendor.revision_line.format(modem.vendor.revision)


def _imei(modem: Modem) -> str:
    return modem.identity.imei


def _number(modem: Modem) -> str:
    return f'+CNUM: ,"{modem.sim.who.number}",145'


def need_sim(modem: Modem) -> None:
    """27.007 §9.2: 10 without a card, 11 or 12 while it is locked."""
    if not modem.sim.inserted:
        raise cme(10)
    if not modem.sim.unlocked:
        raise cme(11 if modem.sim.pin_attempts else 12)


def _imsi(modem: Modem, call: Call) -> list[str]:
    if call.form == "=?":
        return []
    need_sim(modem)
    return [modem.sim.who.imsi]


def own_query(modem: Modem, query: Query, call: Call) -> list[str]:
    """A vendor's own command. It works with a locked SIM, unlike +CIMI."""
    if call.form == "=?":
        return []
    sim = modem.sim
    if not sim.inserted:
        raise cme(10)
    if call.form != query.form:
        raise cme(4)
    pin, puk = sim.pin_attempts, sim.puk_attempts
    return [query.answer.format(iccid=sim.who.iccid, pin=pin, puk=puk, state=sim.state)]


def _errors(modem: Modem, call: Call) -> list[str]:
    if call.form == "=?":
        return ["+CMEE: (0-2)"]
    if call.form == "?":
        return [f"+CMEE: {modem.settings.cmee}"]
    level = call.number(0, 0)
    if level not in (0, 1, 2):
        raise cme(50)
    modem.settings.cmee = level
    return []


def _pin(modem: Modem, call: Call) -> list[str]:
    sim = modem.sim
    if not sim.inserted:
        raise cme(10)
    if call.form == "?":
        return [f"+CPIN: {sim.state}"]
    if call.form != "=":
        return []
    if sim.unlocked:
        raise cme(3)
    _unlock(modem, call)
    modem.later(0.0, modem.power.sim_opened)
    return []


def _unlock(modem: Modem, call: Call) -> None:
    sim = modem.sim
    if sim.pin_attempts:
        opened = sim.try_pin(call.arg(0))
    elif len(call.args) == 2:
        opened = sim.try_puk(call.arg(0), call.arg(1))
    else:
        raise cme(12)
    if not opened:
        raise cme(16 if sim.pin_attempts else 12)


def _attempts(modem: Modem, call: Call) -> list[str]:
    """27.007 §8.65"""
    return [f"+CPINR: SIM PIN,{modem.sim.pin_attempts},3", f"+CPINR: SIM PUK,{modem.sim.puk_attempts},10"]


def _function(modem: Modem, call: Call) -> list[str] | None:
    """27.007 §8.2: 0 and 4 turn the radio off, 1 on; a second argument of 1 resets first."""
    if call.form == "=?":
        return ["+CFUN: (0,1,4),(0,1)"]
    if call.form == "?":
        return [f"+CFUN: {modem.radio.function}"]
    wanted, reset = call.number(0, 1), call.number(1, 0)
    if wanted not in (0, 1, 4):
        raise cme(50)
    if reset:
        modem.answer([])
        modem.power.reboot()
        return None
    was, modem.radio.function = modem.radio.function, wanted
    if wanted == 1 and was != 1:
        modem.power.radio_on()
    return []


def _clock(modem: Modem, call: Call) -> list[str]:
    return [] if call.form == "=" else [f'+CCLK: "{time.strftime("%y/%m/%d,%H:%M:%S", time.gmtime(modem.time))}+00"']


def _charset(modem: Modem, call: Call) -> list[str]:
    if call.form == "=?":
        return ['+CSCS: ("GSM","IRA","UCS2")']
    if call.form == "?":
        return [f'+CSCS: "{modem.settings.cscs}"']
    modem.settings.cscs = call.arg(0).upper()
    return []


HANDLERS: dict[str, Handler] = {
    "E": _echo,
    "Z": _reset,
    "&F": _reset,
    "I": _information,
    **dict.fromkeys(
        ("V", "Q", "X", "H", "&C", "&D", "&W", "S0", "S3", "S4", "+IPR", "+IFC", "+CLIP", "+CSDH"), _accept
    ),
    **dict.fromkeys(("+CGMI", "+GMI"), _fact(_maker)),
    **dict.fromkeys(("+CGMM", "+GMM"), _fact(_model)),
    **dict.fromkeys(("+CGMR", "+GMR"), _fact(_revision)),
    **dict.fromkeys(("+CGSN", "+GSN"), _fact(_imei)),
    "+GCAP": _fact(lambda modem: "+GCAP: +CGSM"),
    "+CBC": _fact(lambda modem: "+CBC: 0,100,4100"),
    "+CPAS": _fact(lambda modem: "+CPAS: 0"),
    "+CNUM": _fact(_number),
    "+CIMI": _imsi,
    "+CMEE": _errors,
    "+CPIN": _pin,
    "+CPINR": _attempts,
    "+CFUN": _function,
    "+CCLK": _clock,
    "+CSCS": _charset,
}
