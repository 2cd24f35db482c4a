"""USSD: asks the network a short code and waits for its answer (27.007 §7.15). One at a time on a modem."""

import asyncio

from edge_agent.modem import answers, commands
from edge_agent.modem.channel import Channel
from edge_agent.modem.quirks import Quirks
from edge_agent.modem.reply import Urc
from edge_agent.modem.ussd_text import decode, encode

_ANSWER_S = 60.0  # networks end a session that hangs for about a minute
_DEFAULT_ALPHABET = 15  # 23.038 §5, language unspecified
_ACTION_REQUIRED = 1
_ENDS = {
    3: "another client of the modem answered",
    4: "the network or the subscription does not support it",
    5: "the network did not answer in time",
}


class UssdFailed(Exception):
    """No answer; the text says why."""


class Ussd:
    """Feed it URCs by `on_urc`."""

    def __init__(self, channel: Channel, row: Quirks) -> None:
        self._channel = channel
        self._row = row
        self._turn = asyncio.Lock()
        self._answer: asyncio.Future[str] | None = None

    def on_urc(self, urc: Urc) -> None:
        if urc.text.startswith("+CUSD:") and self._answer is not None and not self._answer.done():
            self._answer.set_result(urc.text)

    async def ask(self, code: str) -> str:
        """Raises UssdFailed."""
        if not code or not set(code) <= set("0123456789*#"):
            raise UssdFailed("a USSD code has digits, * and # only")
        async with self._turn:
            self._answer = asyncio.get_running_loop().create_future()
            try:
                return await self._ask(code, self._answer)
            finally:
                self._answer = None

    async def _ask(self, code: str, answer: asyncio.Future[str]) -> str:
        await self._channel.request(commands.GSM_CHARSET)
        written = encode(code, packed=self._row.ussd_packed)
        reply = await self._channel.request(commands.ussd(written, _DEFAULT_ALPHABET))
        if not reply.ok:
            raise UssdFailed(reply.in_words)
        try:
            async with asyncio.timeout(_ANSWER_S):
                told = answers.fields(await answer)
        except TimeoutError:
            await self._channel.request(commands.USSD_CANCEL)
            raise UssdFailed("the network did not answer in time") from None
        return await self._read(told)

    async def _read(self, told: list[str]) -> str:
        kind = answers.number(told[0]) if told else None
        if kind == _ACTION_REQUIRED:
            await self._channel.request(commands.USSD_CANCEL)  # a menu: nobody will choose from it
        text = told[1] if len(told) > 1 else ""
        if not text:
            raise UssdFailed(_ENDS.get(kind or 0, "the network ended it without an answer"))
        dcs = answers.number(told[2]) if len(told) > 2 else None
        return decode(text, dcs, packed=self._row.ussd_packed)
