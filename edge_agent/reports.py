"""Delivery reports: from a raw SMS-STATUS-REPORT to what is now known of a message.

Rule: a report that is acknowledged to the modem is on disk, or belongs to nothing of ours. What is no report, though a
modem called it one, is the inbox's to keep.
"""

import logging
import math
from datetime import datetime

from edge_agent import telling
from edge_agent.book import Book
from edge_agent.clock import Clock
from edge_agent.held import Contents, EarlyReport, HeldJob, HeldPart, JobState, PartState
from edge_agent.journal import Journal
from edge_agent.matching import Candidate, Known, Matcher, Reported
from edge_agent.modem.pdu import MalformedPdu, Outcome, StatusReport, decode
from shared.wire import Cause

log = logging.getLogger(__name__)

FORGET_AFTER_S = 86_400.0
"""How long past a message's deadline its report is awaited. The deadline is also its validity on the air (TP-VP),
after which the service centre gives up and says so at once."""


class Reports:
    def __init__(self, journal: Journal, book: Book, clock: Clock) -> None:
        self._journal, self._book, self._clock = journal, book, clock
        self._matcher = Matcher()
        self._matcher.sure_since = math.inf  # until the time is told
        self._early: dict[int, list[tuple[EarlyReport, StatusReport]]] = {}  # by the part in flight they may be of

    def restore(self, contents: Contents) -> None:
        """Goes on waiting; must follow Book.restore, which settles what was in flight."""
        for job in contents.jobs:
            if job.report and job.state in {JobState.SENT, JobState.UNCERTAIN, JobState.OPEN}:
                for part in job.parts:
                    self._matcher.add(job, part)
                self.conclude(job, self._clock.now())  # one part of what is uncertain now may have failed before
        for early in contents.early_reports:
            self._take(early.sim, _decode(early.pdu))
            self._journal.forget_early(early)

    def expect(self, job: HeldJob, part: HeldPart) -> None:
        """A part is about to be handed over; its report may come before its answer."""
        if job.report:
            self._matcher.add(job, part)

    def answered(self, job: HeldJob, part: HeldPart) -> None:
        """Its answer came, or never will; reports that waited for it are looked at again."""
        if job.report:
            self._matcher.answered(job, part)
            self._review(part)

    def not_handed(self, part: HeldPart) -> None:
        """The part is not with the network, so what waited belongs to another, or to nothing of ours."""
        self._matcher.discard(part)
        self._review(part)

    def take(self, span: str, imsi: str, pdu: str) -> bool:
        """A raw report, which may be a repeated one or nothing of ours. False when it is none, and not taken."""
        report = _decode(pdu)
        if report is None:
            return False
        sim = imsi or span
        found = self._find(sim, report)
        if isinstance(found, Candidate) and found.in_flight:
            early = EarlyReport(sim, pdu, self._clock.now())
            self._early.setdefault(id(found.part), []).append((early, report))
            self._journal.keep_early(early)
        elif found is None:
            log.info("%s: a delivery report that fits no message of ours", span)
        else:
            self._apply(found, report)
        return True

    def time_told(self) -> None:
        """From now on the clock is right, so that the service centre's can be compared with it."""
        self._matcher.sure_since = min(self._matcher.sure_since, self._clock.now())

    def forget_old(self) -> None:
        self._matcher.forget(self._clock.now() - FORGET_AFTER_S)

    def conclude(self, job: HeldJob, at: float, words: str = "") -> bool:
        """Tells the network's last word on a message once there is one; whether that was so."""
        if not job.report or job.state not in {JobState.SENT, JobState.UNCERTAIN}:
            return False
        failed = next((part for part in job.parts if part.state is PartState.FAILED), None)
        if failed is not None:
            where = f"part {failed.number + 1} of {failed.total}: " if failed.total > 1 else ""
            rest = telling.partly(job) if job.taken < job.total else ""
            cause = Cause(kind="undelivered", text=where + (words or "the network gave up") + rest)
            job.state = JobState.REPORTED
            self._book.tell(job, [telling.report(job, "undelivered", at, cause)])
        elif len([part for part in job.parts if part.state is PartState.DELIVERED]) == job.total:
            job.state = JobState.REPORTED
            self._book.tell(job, [telling.report(job, "delivered", at, None)])
        return job.state is JobState.REPORTED

    def _find(self, sim: str, report: StatusReport) -> Known | None:
        taken_at = _epoch(report.scts)
        return self._matcher.find(sim, report.tp_mr, report.recipient.number, taken_at, self._clock.now())

    def _review(self, part: HeldPart) -> None:
        for early, report in self._early.pop(id(part), ()):
            self._take(early.sim, report)
            self._journal.forget_early(early)

    def _take(self, sim: str, report: StatusReport | None) -> None:
        found = self._find(sim, report) if report is not None else None
        if report is not None and found is not None and not found.in_flight:
            self._apply(found, report)

    def _apply(self, found: Known, report: StatusReport) -> None:
        if isinstance(found, Reported):
            return  # told before
        job, part = found.job, found.part
        if part.mr is None:
            self._proved(job, part, report)
        outcome = report.outcome
        if outcome is Outcome.DELIVERED or outcome is Outcome.FAILED:
            part.state = PartState.DELIVERED if outcome is Outcome.DELIVERED else PartState.FAILED
            self._matcher.reported(part)
            if not self.conclude(job, self._discharge(job, report), f"{report.words} (TP-ST {report.status})"):
                self._journal.answer(job, part)  # of a message that is concluded no part is asked for any more

    def _proved(self, job: HeldJob, part: HeldPart, report: StatusReport) -> None:
        """The network has a part whose answer never came, or told no reference: this is the one it got."""
        self._matcher.discard(part)
        part.state, part.mr = PartState.TAKEN, report.tp_mr
        self._matcher.add(job, part)
        self._journal.answer(job, part)
        if job.state is JobState.UNCERTAIN and job.taken == job.total:
            job.state = JobState.SENT
            self._book.tell(job, [telling.settled(job, self._clock.now())])
            log.info("%s: was uncertain, and a delivery report shows that the network has it", job.id)

    def _discharge(self, job: HeldJob, report: StatusReport) -> float:
        """When the network was done with it, unless its clock is plainly wrong."""
        now, told = self._clock.now(), _epoch(report.discharge)
        earliest = min(part.at for part in job.parts) - 3600.0
        return told if told is not None and earliest <= told <= now + 3600.0 else now


def _decode(pdu: str) -> StatusReport | None:
    try:
        report = decode(pdu)
    except MalformedPdu:
        return None
    return report if isinstance(report, StatusReport) else None


def _epoch(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment is not None else None
