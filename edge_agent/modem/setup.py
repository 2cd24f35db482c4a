"""From a modem that answers AT to one that can send and tells what it receives: the dialogues, one function each."""

import asyncio
from dataclasses import dataclass

from edge_agent.modem import answers, commands, indications, quirks
from edge_agent.modem.channel import Channel
from edge_agent.modem.commands import Command
from edge_agent.modem.indications import Indications
from edge_agent.modem.quirks import Quirks
from edge_agent.modem.reply import Outcome, Reply

_BUSY_TRIES = 10  # a SIM is busy for some seconds after boot
_BUSY_WAIT = 1.0
_QUIET = (commands.ECHO_OFF, commands.VERBOSE, commands.ERROR_NUMBERS)
_OWN_STORES = ("SM", "ME", "SR")
_ALL_IN_ONE = "MT"  # "SM" and "ME" together: read only where those cannot be read by themselves


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
    """How messages and reports come in."""

    stores: tuple[str, ...]  # to be swept
    indications: Indications


async def ask(channel: Channel, command: Command) -> Reply:
    """One command, again while the SIM or modem says it is busy."""
    for _ in range(_BUSY_TRIES):
        reply = await channel.request(command)
        if reply.error is None or not reply.error.busy:
            break
        await asyncio.sleep(_BUSY_WAIT)
    return reply


async def told(channel: Channel, command: Command) -> tuple[str, ...]:
    """The answer lines, none where the modem says no. Raises SetupFailed where it says nothing."""
    reply = await ask(channel, command)
    if reply.outcome not in {Outcome.OK, Outcome.ERROR}:
        raise SetupFailed(f"{command.name}: {reply.in_words}")
    return reply.lines


async def identify(channel: Channel) -> Identity:
    """Quiets the dialogue first: the echo of a command must not be taken for a value. Raises SetupFailed."""
    for command in _QUIET:
        await channel.request(command)
    maker = answers.bare_value(await told(channel, commands.MAKER), "+CGMI:")
    model = answers.bare_value(await told(channel, commands.MODEL), "+CGMM:")
    return Identity(maker, model, await _imei(channel))


async def _imei(channel: Channel) -> str:
    """15 digits, or "" where the modem has none. A span hangs on it, so one garbled answer must not make another."""
    first = answers.digits(await told(channel, commands.IMEI), 14, 16)[:15]
    if answers.luhn(first):
        return first
    again = answers.digits(await told(channel, commands.IMEI), 14, 16)[:15]
    if again != first:
        raise SetupFailed("the modem tells different IMEIs")
    return again


async def switch_on(channel: Channel) -> None:
    """Full function, if it is not yet; asked first, since setting it makes some modems scan anew."""
    reply = await channel.request(commands.FUNCTION)
    if reply.ok and any(answers.fields(line)[:1] == ["1"] for line in reply.lines):
        return
    await channel.request(commands.RADIO_ON)


async def configure(channel: Channel, row: Quirks, *, usb: bool) -> Receiving:
    """PDU mode, stores and indications. Raises SetupFailed where nothing can be sent without."""
    for command in (*row.setup, *(row.usb_setup if usb else ()), commands.REGISTER_QUIETLY):
        await channel.request(command)
    reply = await ask(channel, commands.PDU_MODE)
    if not reply.ok:
        raise SetupFailed(f"no PDU mode: {reply.in_words}")
    stores = answers.stores((await ask(channel, commands.STORES)).lines)
    chosen = await indications.negotiate(channel)
    set_restore(channel, chosen)
    swept = tuple(store for store in _OWN_STORES if store in stores)
    return Receiving(swept or tuple(store for store in stores if store == _ALL_IN_ONE), chosen)


def set_restore(channel: Channel, chosen: Indications) -> None:
    """What is set again whenever the dialogue was out of step: the modem may have restarted without a word."""
    channel.restore = (*_QUIET, commands.PDU_MODE, *chosen.restore)
