"""A span that is ready: hands TPDUs to the modem. Implements `ReadyModem` of edge_agent/span.py."""

import asyncio
from collections.abc import Awaitable, Callable

from edge_agent.modem import commands
from edge_agent.modem.channel import Channel, Mark, Request
from edge_agent.modem.commands import Command
from edge_agent.modem.pdu import SubmitPdu
from edge_agent.modem.reply import Outcome, Reply
from edge_agent.modem.report_watch import ReportWatch
from edge_agent.modem.submission import References, judge
from edge_agent.span import Cut, NotSubmitted, Refusal, Submission, Taken, Unknown

_LOST = "the modem was lost or the agent stopped"
MAX_FAILURES = 5  # in a row, none of them the recipient's fault: then the modem is looked after
_BUSY_TRIES = 6  # a SIM that is read, a call that is set up: seconds at most
_BUSY_PAUSE = 0.5
_REPORT_ASKED = 0x20  # TP-SRR in the first octet (23.040 §9.2.2.2), behind the empty message centre


class Driver:
    """One per setup of a modem: when the modem restarts or goes, it is ended and another made."""

    def __init__(
        self,
        channel: Channel,
        span: str,
        imsi: str,
        submit_s: float,
        reports: ReportWatch,
        on_failures: Callable[[str], None],
    ) -> None:
        self.span = span
        self.imsi = imsi
        self.sending = False
        self._channel = channel
        self._submit_s = submit_s
        self._reports = reports
        self._on_failures = on_failures
        self._references = References()
        self._keeps_link = True  # AT+CMMS is understood
        self._linked = False
        self._failures = 0
        self._ended = ""
        self._request: Request | None = None

    def end(self, reason: str) -> None:
        """From now on nothing is written: the modem is not set up any more."""
        self._ended = self._ended or reason

    async def submit(self, pdu: SubmitPdu, mark: Callable[[], Awaitable[None]], *, more: bool = False) -> Submission:
        """See ReadyModem.submit."""
        if more and not self._linked and self._keeps_link:
            await self._keep_link()
        self._linked = more
        if self._ended:
            return NotSubmitted(self._ended)
        self.sending = True
        try:
            reply = await self._submit(pdu, mark)
        except asyncio.CancelledError as cancelled:
            raise Cut(self._known()) from cancelled
        finally:
            self.sending = False
        submission = self._note(judge(reply), reply)
        if isinstance(submission, Taken) and int(pdu.hex[2:4], 16) & _REPORT_ASKED:
            self._reports.asked(asyncio.get_running_loop().time())
        return submission

    async def _submit(self, pdu: SubmitPdu, mark: Mark) -> Reply:
        """Again where the modem is too busy for a prompt; the mark stands."""
        command = commands.submit(pdu.hex, pdu.tpdu_length, self._submit_s)
        reply = await self._hand_over(command, mark)
        for _ in range(_BUSY_TRIES):
            if reply.payload_sent or reply.error is None or not reply.error.busy or self._ended:
                break
            await asyncio.sleep(_BUSY_PAUSE)
            reply = await self._hand_over(command, _marked)
        return reply

    async def _hand_over(self, command: Command, mark: Mark) -> Reply:
        self._request = self._channel.submit(command, mark)
        return await self._request.future

    def _known(self) -> Submission:
        """Of the part whose submission is cancelled just now: its answer may be here, or its PDU never went out."""
        request = self._request
        if request is None or not request.released:
            return NotSubmitted(_LOST)
        if request.future.cancelled() or not request.future.done():
            return Unknown(_LOST)
        return self._references.believed(judge(request.future.result()))

    async def _keep_link(self) -> None:
        """27.005 §3.5.6: the radio link stays up between parts. Once a message; the modem ends it by itself."""
        reply = await self._channel.request(commands.KEEP_LINK)
        self._keeps_link = reply.outcome is not Outcome.ERROR

    def _note(self, submission: Submission, reply: Reply) -> Submission:
        if isinstance(submission, Taken):
            self._failures = 0
            return self._references.believed(submission)
        if not isinstance(submission, Refusal) or submission.elsewhere:
            self._failures += 1
            if self._failures >= MAX_FAILURES:
                self._failures = 0
                self._on_failures(f"{MAX_FAILURES} messages in a row failed, the last: {reply.in_words}")
        return submission


async def _marked() -> None:
    """What was marked before."""
