"""The worker of a span: takes its next job, hands it over part by part, and writes down what became of each.

Rule: the journal has a part's mark before its first byte goes out, and a part whose answer is not known is never
handed over again by anybody.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable

from edge_agent import telling
from edge_agent.book import Book
from edge_agent.clock import Clock
from edge_agent.dispatch import Dispatch
from edge_agent.held import HeldJob, HeldPart, PartState
from edge_agent.journal import Journal
from edge_agent.lanes import Lane, Lanes
from edge_agent.modem.pdu import SubmitPdu, encode_message
from edge_agent.reports import Reports
from edge_agent.span import Cut, NotSubmitted, ReadyModem, Refusal, Submission, Taken, Unknown
from shared import segments
from shared.wire import Cause

log = logging.getLogger(__name__)

REST_S = 60.0
"""A span whose pacing makes it wait longer than this lets others of the pool have its jobs."""
CLOCK_POLL_S = 5.0
HELD_UP_S = 5.0
"""A span that is with one message for longer than this has its queue helped out with by idle ones. Networks mostly
answer within this; a modem that hangs keeps its message for up to three minutes."""


class Handover:
    """One part on its way to a modem: `mark` is what the modem side calls before the first byte."""

    __slots__ = ("_sender", "job", "lane", "marked", "part")

    def __init__(self, sender: "Sender", lane: Lane, job: HeldJob, part: HeldPart) -> None:
        self._sender, self.lane, self.job, self.part = sender, lane, job, part
        self.marked: Awaitable[None] | None = None

    def mark(self) -> Awaitable[None]:
        self.marked = self._sender.mark(self)
        return self.marked

    @property
    def handed(self) -> bool:
        """Whether a byte of the PDU may be out: its mark is on disk."""
        marked = self.marked
        if not isinstance(marked, asyncio.Future) or not marked.done() or marked.cancelled():
            return False
        return marked.exception() is None


class Sender:
    def __init__(
        self, journal: Journal, book: Book, reports: Reports, dispatch: Dispatch, lanes: Lanes, clock: Clock
    ) -> None:
        self._journal, self._book, self._reports = journal, book, reports
        self._dispatch, self._lanes, self._clock = dispatch, lanes, clock
        self._closing = False
        self._submitting: dict[str, HeldJob] = {}  # by span
        self._seen: dict[str, tuple[HeldJob, float]] = {}  # the same when last looked at, and since when
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def work(self, modem: ReadyModem) -> None:
        """Runs while the span is ready; returns when the span should be looked at first."""
        lane = await self._lanes.open(modem.span)
        await asyncio.sleep(lane.pause_s)
        self._dispatch.able(modem.span)
        try:
            while await self._send(lane, await self._next(modem.span, lane), modem):
                pass
        finally:
            self._dispatch.unable(modem.span)

    async def close(self, budget_s: float) -> None:
        """Starts nothing new, and waits for what is in flight as long as the budget lasts."""
        self._closing = True
        self._lanes.wake_all()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(budget_s):
                await self._quiet.wait()

    def relieve(self) -> None:
        """Asked about every second, so that no message pays for it: lets idle spans help out those that are held up."""
        now, before = self._clock.elapsed(), self._seen
        self._seen = {}
        for span, job in self._submitting.items():
            known = before.get(span)
            self._seen[span] = known if known is not None and known[0] is job else (job, now)
        late = [(since, span) for span, (_, since) in self._seen.items() if now - since >= HELD_UP_S]
        self._dispatch.held_up(span for _, span in sorted(late))

    def mark(self, handover: Handover) -> Awaitable[None]:
        """Begins to write the mark; what it returns is awaited before the first byte of the PDU."""
        part, job = handover.part, handover.job
        part.at = self._clock.now()
        job.parts.append(part)
        self._reports.expect(job, part)
        handover.lane.pace.count(part.at)
        return self._journal.mark(job, part, counted=handover.lane.pace.limits.any)

    async def _next(self, span: str, lane: Lane) -> HeldJob:
        """Waits until there is a job that may go out now."""
        while True:
            lane.bell.clear()
            if self._closing:
                await asyncio.get_running_loop().create_future()
            if self._journal.trouble:
                await self._journal.usable()
            if not self._clock.plausible:
                await asyncio.sleep(CLOCK_POLL_S)
                continue
            job = self._dispatch.take(span)
            if job is None:
                await lane.bell.wait()
            elif self._may_go(job):
                wait_s = self._paced(lane, job)
                if wait_s <= 0:
                    return job
                await self._rest(span, job, wait_s)

    def _may_go(self, job: HeldJob) -> bool:
        """Whether its time is not up. It is only ended for that once the time is certain."""
        if job.deadline > self._clock.now():
            return True
        if self._clock.told:
            self._book.expired(job)
        else:
            self._dispatch.doubt(job)
        return False

    def _paced(self, lane: Lane, job: HeldJob) -> float:
        """How long pacing makes this job wait, s."""
        if not lane.pace.limits.any:
            return 0.0
        now = self._clock.now()
        return lane.pace.next_at(now, segments.count(job.text) - len(job.parts)) - now

    async def _rest(self, span: str, job: HeldJob, wait_s: float) -> None:
        """Waits for the pace; for long, only after all that others can send has gone to them."""
        self._dispatch.add(job, first=True)
        if wait_s > REST_S:
            self._dispatch.unable(span)
        await asyncio.sleep(min(wait_s, REST_S))  # short sleeps, since clocks and limits may change
        self._dispatch.able(span)

    async def _send(self, lane: Lane, job: HeldJob, modem: ReadyModem) -> bool:
        """One job, from where it stands. False when the span should be looked at before the next."""
        if job.parts and job.parts[0].imsi != modem.imsi:
            text = "the SIM was changed before the message was whole" + telling.partly(job)
            self._book.end(job, "refused", Cause(kind="refused", text=text))
            return True
        try:
            pdus = self._encode(job)
        except ValueError as error:
            self._book.end(job, "refused", Cause(kind="refused", text=f"cannot be encoded: {error}"), span=modem.span)
            return True
        self._book.begin(job)
        for number in range(len(job.parts), len(pdus)):
            handover = Handover(self, lane, job, HeldPart(number, len(pdus), modem.span, modem.imsi, 0.0))
            outcome = await self._submit(handover, pdus[number], modem)
            if isinstance(outcome, Taken) and number + 1 == len(pdus):
                # Noted after the next message's AT+CMGS, for which the modem waits, and with its mark's commit.
                asyncio.get_running_loop().call_soon(self._taken, handover, outcome)
                break
            self._answered(handover, outcome)
            if not isinstance(outcome, Taken):
                return isinstance(outcome, Refusal)
        return True

    def _taken(self, handover: Handover, outcome: Taken) -> None:
        self._answered(handover, outcome)
        self._sent(handover.job)

    def _sent(self, job: HeldJob) -> None:
        """The modem has the whole message."""
        self._book.end(job, "sent")
        self._reports.conclude(job, self._clock.now())

    def _encode(self, job: HeldJob) -> tuple[SubmitPdu, ...]:
        """The same parts each time: a message may be gone on with after a restart."""
        left_s = max(1, int(job.deadline - self._clock.now()))
        return encode_message(job.to, job.text, ref=job.ref, validity_s=left_s, status_report=job.report)

    async def _submit(self, handover: Handover, pdu: SubmitPdu, modem: ReadyModem) -> Submission:
        self._submitting[modem.span] = handover.job
        self._quiet.clear()
        more = handover.part.number + 1 < handover.part.total
        try:
            return await modem.submit(pdu, handover.mark, more=more)
        except asyncio.CancelledError as cancelled:
            self._cut(handover, cancelled)
            raise
        finally:
            self._submitting.pop(modem.span, None)
            if not self._submitting:
                self._quiet.set()

    def _cut(self, handover: Handover, cancelled: asyncio.CancelledError) -> None:
        """The worker is ended in the middle of a part; what it had to do next is done here."""
        reason = "the modem was lost or the agent stopped"
        known: Submission = Unknown(reason) if handover.handed else NotSubmitted(reason)
        outcome = cancelled.known if isinstance(cancelled, Cut) else known
        self._answered(handover, outcome)
        if isinstance(outcome, Taken):
            if handover.part.number + 1 == handover.part.total:
                self._sent(handover.job)
            else:
                self._book.pause(handover.job)

    def _answered(self, handover: Handover, outcome: Submission) -> None:
        """Writes down what the modem side knows of the part now."""
        lane, job, part = handover.lane, handover.job, handover.part
        lane.failures = lane.failures + 1 if isinstance(outcome, NotSubmitted) else 0
        match outcome:
            case Taken(mr):
                part.state, part.mr, part.at = PartState.TAKEN, mr, self._clock.now()
                self._journal.answer(job, part, soon=True)
                self._reports.answered(job, part)
            case Unknown(reason):
                part.state = PartState.UNKNOWN
                self._journal.answer(job, part, soon=True)
                self._book.end(job, "uncertain", telling.uncertain(job, part, reason))
                self._reports.answered(job, part)
                self._reports.conclude(job, self._clock.now())  # one part may have failed already
            case Refusal():
                self._take_back(handover)
                self._refused(job, part, outcome)
            case NotSubmitted(reason):
                log.info("%s: not handed to %s: %s", job.id, part.span, reason)
                self._take_back(handover)
                job.tried = (*job.tried, part.span)
                self._book.pause(job)

    def _take_back(self, handover: Handover) -> None:
        """The part is certainly not on the air."""
        if handover.marked is not None:
            handover.job.parts.remove(handover.part)
            self._journal.unmark(handover.job, handover.part)
            self._reports.not_handed(handover.part)

    def _refused(self, job: HeldJob, part: HeldPart, refusal: Refusal) -> None:
        """Another span of the pool is tried, unless part of the message is out already."""
        job.tried = (*job.tried, part.span)
        if refusal.elsewhere and not job.parts and self._dispatch.others(job):
            log.info("%s: refused by %s (%s), another span is tried", job.id, part.span, refusal.code)
            self._book.pause(job)
            return
        cause = Cause(kind="refused", text=refusal.text + telling.partly(job), code=refusal.code)
        self._book.end(job, "refused", cause, span=part.span)
