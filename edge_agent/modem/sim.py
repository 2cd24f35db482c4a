"""The SIM: its state, its numbers, and its PIN. Rule: a PIN is entered once, and not at all when few tries are left."""

import asyncio

from edge_agent.modem import answers, commands
from edge_agent.modem.channel import Channel
from edge_agent.modem.pin_ledger import PinAttemptForbidden, PinLedger
from edge_agent.modem.quirks import Quirks
from edge_agent.modem.reply import Outcome
from edge_agent.modem.setup import ask, told

_FEWEST_TRIES = 2  # with one left, a wrong PIN asks for the PUK
_UNLOCK_POLLS = 20
_UNLOCK_WAIT = 1.0  # s; modems read the unlocked SIM for some seconds


class SimNotReady(Exception):
    """The span waits for a person; the text says what for."""


async def state(channel: Channel) -> str:
    """What +CPIN? tells, e.g. "READY", "SIM PIN", "SIM PUK"; an error's words where it tells no state."""
    reply = await ask(channel, commands.PIN_STATE)
    for line in reversed(reply.lines):
        name = line.removeprefix("+CPIN:").strip().strip('"')
        if name:
            return name.upper()
    if reply.error is not None and reply.error.code in {"CME 11", "CMS 311"}:
        return "SIM PIN"
    if reply.error is not None and reply.error.code in {"CME 12", "CMS 316"}:
        return "SIM PUK"
    return reply.in_words


async def unlock(channel: Channel, row: Quirks, imei: str, pin: str, ledger: PinLedger) -> None:
    """Returns when the SIM is ready. Raises SimNotReady."""
    now = await state(channel)
    # Both, since a locked SIM's number can be read of some modems only, and not at any time.
    owners = tuple(owner for owner in (await read_iccid(channel, row), imei) if owner) or ("",)
    if now == "SIM PIN":
        await _enter(channel, row, pin, owners, ledger)
    elif now != "READY":
        raise SimNotReady(f"{now} required" if now.startswith("SIM P") else f"SIM not usable: {now}")
    ledger.succeeded(owners)


async def read_iccid(channel: Channel, row: Quirks) -> str:
    """19 or 20 digits (E.118); can be read of a locked SIM on most modems, "" where not."""
    return answers.digits((await ask(channel, row.iccid)).lines, 18, 22)


async def read_imsi(channel: Channel) -> str:
    """Raises SetupFailed where the modem says nothing: messages under way hang on it."""
    return answers.digits(await told(channel, commands.IMSI), 14, 15)


async def _enter(channel: Channel, row: Quirks, pin: str, owners: tuple[str, ...], ledger: PinLedger) -> None:
    await _check(channel, row, pin)
    try:
        ledger.begin(owners, pin)
    except PinAttemptForbidden as reason:
        raise SimNotReady(f"SIM PIN required; {reason}") from reason
    reply = await channel.request(commands.enter_pin(pin))
    if reply.outcome is Outcome.ERROR:
        raise SimNotReady(f"SIM PIN refused: {reply.in_words}; it is not tried again until another is configured")
    for _ in range(_UNLOCK_POLLS):
        if await state(channel) == "READY":
            return
        await asyncio.sleep(_UNLOCK_WAIT)
    raise SimNotReady("SIM PIN entered, but the SIM did not become ready")


async def _check(channel: Channel, row: Quirks, pin: str) -> None:
    """Raises SimNotReady when there is no PIN worth entering."""
    if not pin:
        raise SimNotReady("SIM PIN required, and none is configured")
    if not (pin.isdecimal() and pin.isascii() and 4 <= len(pin) <= 8):
        raise SimNotReady("SIM PIN required; the configured one is not 4 to 8 digits")
    left = await _tries_left(channel, row)
    if left is not None and left < _FEWEST_TRIES:
        raise SimNotReady(f"SIM PIN required; only {left} tries are left, so a person must enter it")


async def _tries_left(channel: Channel, row: Quirks) -> int | None:
    reply = await channel.request(row.pin_tries.command)
    return answers.number_at(reply.lines, row.pin_tries.position)
