"""A span that is ready: hands TPDUs to the modem. Implements `ReadyModem` of edge_agent/span.py."""

from collections.abc import Awaitable, Callable

from edge_agent.modem import commands
from edge_agent.modem.channel import Channel
from edge_agent.modem.pdu import SubmitPdu
from edge_agent.modem.reply import Outcome, Reply
from edge_agent.modem.submission import References, judge
from edge_agent.span import NotSubmitted, Refusal, Submission, Taken

MAX_FAILURES = 5  # in a row, none of them the recipient's fault: then the modem is looked after


class Driver:
    """One per setup of a modem: when the modem restarts or goes, it is ended and another made."""

    def __init__(
        self, channel: Channel, span: str, imsi: str, submit_s: float, on_failures: Callable[[str], None]
    ) -> None:
        self.span = span
        self.imsi = imsi
        self.sending = False
        self._channel = channel
        self._submit_s = submit_s
        self._on_failures = on_failures
        self._references = References()
        self._keeps_link = True  # AT+CMMS is understood
        self._linked = False
        self._failures = 0
        self._ended = ""

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
        command = commands.submit(pdu.hex, pdu.tpdu_length, self._submit_s)
        self.sending = True
        try:
            reply = await self._channel.submit(command, mark)
        finally:
            self.sending = False
        return self._note(judge(reply), reply)

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
