"""Bugs planted in the agent; see mutants.py."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from edge_agent import journal_tables, telling
from edge_agent.book import Book
from edge_agent.clock import Clock
from edge_agent.held import Contents, EventRow, HeldJob, HeldPart, JobState
from edge_agent.inbox import Inbox
from edge_agent.journal import Journal
from edge_agent.sender import Handover, Sender
from edge_agent.session import Session
from edge_agent.span import Cut, NotSubmitted, Submission, Unknown
from tests.model.mutants import AGAIN, EXPIRED_AND_SENT, NO_REASON, both, mutant

# ---------------------------------------------------------------------------------------------------- agent, sending


def _done() -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future


@mutant(AGAIN)
def no_submitting_mark() -> AbstractContextManager[Any]:
    return patch.object(Journal, "mark", lambda self, job, part, counted: _done())


@mutant(AGAIN)
def the_pdu_not_held_back_for_its_mark() -> AbstractContextManager[Any]:
    mark = Journal.mark

    def begun(self: Journal, job: HeldJob, part: HeldPart, counted: bool) -> Awaitable[None]:
        marking = asyncio.ensure_future(mark(self, job, part, counted))
        marking.add_done_callback(lambda done: done.cancelled() or done.exception())
        return _done()

    return patch.object(Journal, "mark", begun)


@mutant(AGAIN)
def uncertain_sent_again_after_a_crash() -> AbstractContextManager[Any]:
    def sent_again(self: Book, job: HeldJob) -> None:
        job.parts.clear()
        self._dispatch.add(job)

    return patch.object(Book, "_interrupted", sent_again)


@mutant(AGAIN)
def no_answer_taken_for_not_submitted() -> AbstractContextManager[Any]:
    answered = Sender._answered

    def hopeful(self: Sender, handover: Handover, outcome: Submission) -> None:
        answered(self, handover, NotSubmitted(outcome.reason) if isinstance(outcome, Unknown) else outcome)

    return patch.object(Sender, "_answered", hopeful)


@mutant(r"\(refused, (\d) of \1 on the air\): is on the air")
def no_answer_taken_for_a_refusal() -> AbstractContextManager[Any]:
    from edge_agent.span import Refusal

    answered = Sender._answered

    def gloomy(self: Sender, handover: Handover, outcome: Submission) -> None:
        answered(self, handover, Refusal("timeout", outcome.reason, False) if isinstance(outcome, Unknown) else outcome)

    return patch.object(Sender, "_answered", gloomy)


@mutant(AGAIN)
def a_job_seen_before_taken_anew() -> AbstractContextManager[Any]:
    return patch.object(journal_tables, "_ADD_JOB", journal_tables._ADD_JOB.replace("IGNORE", "REPLACE"))


@mutant(NO_REASON)
def answers_not_written_down() -> AbstractContextManager[Any]:
    return patch.object(journal_tables, "answer", lambda *args, **kwargs: None)


@mutant(AGAIN)
def a_message_of_which_a_part_is_out_begun_again() -> AbstractContextManager[Any]:
    restore = Book.restore

    def anew(self: Book, contents: Contents) -> None:
        for job in contents.jobs:
            if job.state is JobState.OPEN and telling.unanswered(job) is None and job.taken < job.total:
                job.parts.clear()
        restore(self, contents)

    return patch.object(Book, "restore", anew)


@mutant(NO_REASON)
def what_is_known_of_a_part_cut_off_ignored() -> AbstractContextManager[Any]:
    cut = Sender._cut
    return patch.object(Sender, "_cut", lambda self, handover, _: cut(self, handover, asyncio.CancelledError()))


@mutant(AGAIN)
def a_part_cut_off_taken_for_not_submitted() -> AbstractContextManager[Any]:
    cut = Sender._cut
    not_submitted = Cut(NotSubmitted("the modem was lost"))
    return patch.object(Sender, "_cut", lambda self, handover, _: cut(self, handover, not_submitted))


@mutant("was expired before its time")
def a_wrong_clock_believed() -> AbstractContextManager[Any]:
    return patch.object(Clock, "told", property(lambda self: True))


# ---------------------------------------------------------------------------------------------------- agent, events


@mutant("one event, two stories")
def told_before_it_is_on_disk() -> AbstractContextManager[Any]:
    def tell(self: Book, job: HeldJob, events: Sequence[EventRow]) -> None:
        self.announce(events)
        self._journal.settle(job, events, lambda: None)

    return patch.object(Book, "tell", tell)


@mutant(EXPIRED_AND_SENT)
def events_forgotten_once_said() -> AbstractContextManager[Any]:
    take_off = Session._take_off

    def gone(self: Session, rows: Sequence[EventRow], now: float) -> Any:
        said = take_off(self, list(rows), now)
        self.facts.acknowledged([row.id for row in rows])  # type: ignore[attr-defined]
        return said

    return patch.object(Session, "_take_off", gone)


@mutant(r"received \[.*, and told \[")
def a_received_message_acknowledged_before_it_is_on_disk() -> AbstractContextManager[Any]:
    take = Inbox.take

    async def at_once(self: Inbox, span: str, imsi: str, pdu: str) -> None:
        writing = asyncio.ensure_future(take(self, span, imsi, pdu))
        writing.add_done_callback(lambda done: done.cancelled() or done.exception())

    return patch.object(Inbox, "take", at_once)


@mutant("the network has reported that it was delivered")
def a_report_taken_before_it_is_on_disk() -> AbstractContextManager[Any]:
    async def at_once(self: Journal) -> None:
        return

    def kept(self: Journal, report: Any) -> None:
        return

    return both(patch.object(Journal, "synced", at_once), patch.object(Journal, "keep_early", kept))
