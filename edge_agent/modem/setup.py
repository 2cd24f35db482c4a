"""From a modem that answers AT to one that can send and tells what it receives: the dialogues, one function each."""

import asyncio
from dataclasses import dataclass

from edge_agent.modem import answers, commands, quirks
from edge_agent.modem.channel import Channel
from edge_agent.modem.commands import Command
from edge_agent.modem.quirks import Quirks
from edge_agent.modem.reply import Reply

_BUSY_TRIES = 10  # a SIM is busy for some seconds after boot
_BUSY_WAIT = 1.0


class SetupFailed(Exception):
    """The modem cannot be used as it is; the text says why."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a modem is. Without IMEI it can only be told by its port."""

    maker: str
    model: str
    imei: str

    @property
    def quirks(self) -> Quirks:
        return quirks.find(self.maker, self.model)


@dataclass(frozen=True, slots=True)
class Receiving:
    """How messages and reports come in: what CNMI negotiation ended with."""

    stores: tuple[str, ...]  # to be swept
    acknowledge: bool  # direct ones want AT+CNMA
    messages: int  # <mt> in force
    reports: int  # <ds> in force


async def ask(channel: Channel, command: Command) -> Reply:
    """One command, again while the SIM or modem says it is busy."""
    for _ in range(_BUSY_TRIES):
        reply = await channel.request(command)
        if reply.error is None or not reply.error.busy:
            break
        await asyncio.sleep(_BUSY_WAIT)
    return reply


async def identify(channel: Channel) -> Identity:
    """Quiets the dialogue first: the echo of a command must not be taken for a value."""
    for command in (commands.ECHO_OFF, commands.VERBOSE, commands.ERROR_NUMBERS):
        await channel.request(command)
    maker = await channel.request(commands.MAKER)
    model = await channel.request(commands.MODEL)
    imei = await ask(channel, commands.IMEI)
    return Identity(
        answers.bare_value(maker.lines, "+CGMI:"),
        answers.bare_value(model.lines, "+CGMM:"),
        answers.digits(imei.lines, 14, 16)[:15],
    )


async def switch_on(channel: Channel) -> None:
    """Full function, if it is not yet; asked first, since setting it makes some modems scan anew."""
    reply = await channel.request(commands.FUNCTION)
    if reply.ok and any(answers.fields(line)[:1] == ["1"] for line in reply.lines):
        return
    await channel.request(commands.RADIO_ON)


async def configure(channel: Channel, row: Quirks) -> Receiving:
    """PDU mode, stores and indications. Raises SetupFailed where nothing can be sent without."""
    for command in (*row.setup, commands.REGISTER_QUIETLY):
        await channel.request(command)
    reply = await ask(channel, commands.PDU_MODE)
    if not reply.ok:
        raise SetupFailed(f"no PDU mode: {reply.in_words}")
    stores = await _stores(channel)
    return await _indications(channel, stores)


async def _stores(channel: Channel) -> tuple[str, ...]:
    reply = await ask(channel, commands.STORES)
    known = answers.stores(reply.lines)
    swept = tuple(store for store in ("SM", "ME", "SR") if store in known)
    return swept or tuple(store for store in known if store == "MT")


async def _indications(channel: Channel, stores: tuple[str, ...]) -> Receiving:
    """Negotiates AT+CNMI: messages stored first (they survive a crash of ours), reports direct (they are quick)."""
    reply = await channel.request(commands.INDICATIONS)
    allowed = answers.values(reply.lines[-1]) if reply.lines else []
    for phase, command in ((False, commands.PHASE_2), (True, commands.PHASE_2_PLUS)):
        await channel.request(command)
        for mt, ds in ((1, 1), (2, 1)) if phase else ((1, 1),):
            if await _indicate(channel, allowed, mt, ds):
                return Receiving(stores, phase, mt, ds)
    for mt, ds in ((1, 2), (1, 0), (2, 2), (2, 0), (0, 0)):
        if await _indicate(channel, allowed, mt, ds):
            return Receiving(stores, True, mt, ds)
    return Receiving(stores, True, 0, 0)


async def _indicate(channel: Channel, allowed: list[frozenset[int]], mt: int, ds: int) -> bool:
    wanted = [(2, 1, 3, 0), (mt,), (0,), (ds,), (0, 1)]
    chosen: list[int] = []
    for position, choices in enumerate(wanted):
        possible = allowed[position] if position < len(allowed) else frozenset(choices)
        fit = next((choice for choice in choices if choice in possible), None)
        if fit is None:
            return False
        chosen.append(fit)
    return (await channel.request(commands.indicate(*chosen))).ok
