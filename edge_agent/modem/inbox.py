"""What a modem receives: direct, announced, or lying in a store since nobody listened.

Rule: a message or report is acknowledged (AT+CNMA) or deleted (AT+CMGD) only after the agent has it on disk. Everything
goes through one task a span, in order, so reading and deleting never mix up the selected store.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable
from itertools import pairwise

from edge_agent.modem import answers, commands
from edge_agent.modem.channel import Channel
from edge_agent.modem.reply import Outcome, Reply, Urc
from edge_agent.modem.report_watch import ReportWatch
from edge_agent.modem.setup import Receiving
from edge_agent.span import AgentSide

_LOG = logging.getLogger(__name__)
_REPORT = "+CDS:"
_DIRECT = ("+CMT:", _REPORT)
_ANNOUNCED = ("+CMTI:", "+CDSI:")
_FULL = ("^SMMEMFULL", "+SMS FULL", '+CIEV: "SMSFULL"', "%SMSFULL", '+QIND: "smsfull"')
_RECEIVED = {"0", "1", ""}  # <stat> of received messages, unread and read (27.005 §3.1); 2 and 3 are a person's own
_NO_ACK_EXPECTED = 340
_MTI_REPORT = 2  # 23.040 §9.2.3.1, SC to MS

_Item = Urc | None  # None: sweep


class Inbox:
    """Feed it URCs by `on_urc`; run `run` as a task of the session."""

    def __init__(
        self, channel: Channel, agent: AgentSide, span: str, imsi: str, receiving: Receiving, reports: ReportWatch
    ) -> None:
        self._channel = channel
        self._agent = agent
        self._span = span
        self._imsi = imsi
        self.receiving = receiving
        self._reports = reports
        self._items: deque[_Item] = deque()
        self._wake: asyncio.Future[None] | None = None
        self._selected = ""  # the store that is read and deleted from …
        self._selected_in = -1  # … in this span of being in step: a restart selects another one
        self._listing = True  # AT+CMGL works
        self._acknowledge = commands.ACKNOWLEDGE
        self._deleted = 0  # messages, ever
        self.full = False  # a store is full even after it was swept

    def on_urc(self, urc: Urc) -> None:
        """Cheap: only notes what is to be done."""
        if urc.text.startswith(_REPORT) and not self.receiving.indications.acknowledge:
            # The modem keeps nothing of it, so nothing waits for the disk; a prompt that came with it is first.
            asyncio.get_running_loop().call_soon(self._report, urc.pdu)
        elif urc.text.startswith((*_DIRECT, *_ANNOUNCED)):
            self._add(urc)
        elif urc.text.startswith(_FULL):
            self.sweep()

    def sweep(self) -> None:
        """Asks for the stores to be read, for what no notification announced."""
        if None not in self._items:
            self._add(None)

    async def run(self) -> None:
        while True:
            while self._items:
                await self._handle(self._items.popleft())
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake

    def _add(self, item: _Item) -> None:
        self._items.append(item)
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _handle(self, item: _Item) -> None:
        if item is None:
            await self._sweep()
        elif item.pdu:
            await self._direct(item)
        else:
            await self._announced(item.text)

    # Direct

    async def _direct(self, urc: Urc) -> None:
        await self._hand_over(urc.pdu, is_report=urc.text.startswith(_REPORT))
        if self.receiving.indications.acknowledge:
            await self._confirm()

    async def _confirm(self) -> None:
        """Every one, whatever is in it, or the modem's SMS service gets stuck (modem-notes 13)."""
        reply = await self._channel.request(self._acknowledge, urgent=True)
        if reply.outcome is not Outcome.ERROR:
            return
        if reply.error is not None and reply.error.number == _NO_ACK_EXPECTED:
            await self._indicate_again()
        elif self._acknowledge is commands.ACKNOWLEDGE:
            self._acknowledge = commands.ACKNOWLEDGE_0
            await self._confirm()
        else:
            _LOG.warning("%s: acknowledgement refused: %s", self._span, reply.in_words)

    async def _indicate_again(self) -> None:
        """We were too late: 27.005 §3.4.4 has the modem stop telling (<mt> and <ds> 0), and the network sends again."""
        for command in self.receiving.indications.restore:
            await self._channel.request(command)

    async def _hand_over(self, pdu: str, *, is_report: bool) -> None:
        await (self._report(pdu) if is_report else self._agent.delivered(self._span, self._imsi, pdu))

    def _report(self, pdu: str) -> Awaitable[None]:
        self._reports.came()
        return self._agent.status_report(self._span, self._imsi, pdu)

    # Stored

    async def _announced(self, text: str) -> None:
        told = answers.fields(text)
        index = answers.number(told[-1]) if told else None
        store = told[0] if len(told) > 1 else ""
        pdu = await self._take(store, index) if store and index is not None else None
        if pdu is None or is_report(pdu) != text.startswith("+CDSI:"):
            # Kept in another store than announced, where something else may have that index: look everywhere.
            await self._sweep()

    async def _take(self, store: str, index: int) -> str | None:
        """Reads, hands over and deletes one message; None when there was none to be read."""
        selected = store == self._selected and self._in_step
        if not selected and await self._select(store) is None:
            return None
        reply = await self._channel.request(commands.read_message(index))
        pdu = _pdu_after(reply, "+CMGR:")
        if pdu is not None:
            await self._keep_and_delete(index, pdu)
        return pdu

    async def _keep_and_delete(self, index: int, pdu: str) -> None:
        await self._hand_over(pdu, is_report=is_report(pdu))
        if not self._in_step:
            self.sweep()  # the index may mean another message now; read again, this one is known as a repeated one
            return
        reply = await self._channel.request(commands.delete_message(index))
        self._deleted += reply.ok
        if reply.outcome is Outcome.ERROR:
            _LOG.warning("%s: message %d stays in %s: %s", self._span, index, self._selected, reply.in_words)

    async def _select(self, store: str) -> Reply | None:
        """Makes `store` the one that is read; None when the modem refuses."""
        reply = await self._channel.request(commands.use_store(store))
        self._selected, self._selected_in = store if reply.ok else "", self._channel.upsets
        return reply if reply.ok else None

    @property
    def _in_step(self) -> bool:
        """Whether what was selected is certainly still selected."""
        return self._selected != "" and self._selected_in == self._channel.upsets

    async def _sweep(self) -> None:
        full = False
        for store in self.receiving.stores:
            selected = await self._select(store)
            if selected is None:
                continue
            used, total = _usage(selected)
            if used:
                before = self._deleted
                await self._empty(used, total)
                full = full or used - (self._deleted - before) >= total
        self.full = full

    async def _empty(self, used: int, total: int) -> None:
        """Takes all received messages out of the selected store, as far as the modem lets them go."""
        if self._listing:
            reply = await self._channel.request(commands.LIST_ALL)
            if reply.ok:
                return await self._take_listed(reply.lines)
            self._listing = False  # some modems hang on it (modem-notes 19); one by one then
        return await self._take_one_by_one(self._selected, used, total)

    async def _take_listed(self, lines: tuple[str, ...]) -> None:
        for header, pdu in pairwise(lines):
            told = answers.fields(header) if header.startswith("+CMGL:") else []
            index = answers.number(told[0]) if len(told) > 1 else None
            if index is None or pdu.startswith("+CMGL:") or told[1] not in _RECEIVED:
                continue
            await self._keep_and_delete(index, pdu)

    async def _take_one_by_one(self, store: str, used: int, total: int) -> None:
        """Indexes begin at 0 or 1 (modem-notes 17); an empty slot answers bare OK or an error."""
        taken = 0
        for index in range(total + 1):
            if taken >= used:
                break
            taken += await self._take(store, index) is not None


def is_report(pdu: str) -> bool:
    """Whether a stored PDU is a STATUS-REPORT, by TP-MTI; the store's name does not tell on all modems."""
    try:
        octets = bytes.fromhex(pdu)
        return octets[octets[0] + 1] & 0b11 == _MTI_REPORT
    except (ValueError, IndexError):
        return False


def _usage(reply: Reply) -> tuple[int, int]:
    """Used and total of mem1 from `+CPMS: 3,50,…`."""
    for line in reply.lines:
        told = [answers.number(field) for field in answers.fields(line)]
        plain = [value for value in told if value is not None]
        if len(plain) >= 2:
            return plain[0], plain[1]
    return 0, 0


def _pdu_after(reply: Reply, prefix: str) -> str | None:
    """The PDU of a received message in the answer to +CMGR; None for an empty slot or a person's own draft."""
    for header, pdu in pairwise(reply.lines):
        told = answers.fields(header) if header.startswith(prefix) else []
        if told and told[0] in _RECEIVED:
            return pdu
    return None
