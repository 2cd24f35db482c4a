"""The jobs that the agent holds, from acceptance to acknowledged result: in memory as in the journal.

Rule: a job ends exactly once, and its end and the event that tells of it are one commit.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from edge_agent import telling
from edge_agent.clock import Clock
from edge_agent.dispatch import Dispatch
from edge_agent.held import LOCAL_PREFIX, Contents, EventRow, HeldJob, JobState, JournalUnavailable, PartState
from edge_agent.journal import Journal
from edge_agent.outgoing import Outgoing
from edge_agent.telling import Outcome
from shared.wire import Cause, Job

log = logging.getLogger(__name__)

_STATES: dict[Outcome, JobState] = {"sent": JobState.SENT, "uncertain": JobState.UNCERTAIN}
TOMBSTONE_S = 7 * 86_400.0
"""How long a cancelled job that never came is remembered, s: its frame may still be under way."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Which of the offered jobs are on disk now, and why the others are not."""

    job_ids: tuple[str, ...]
    refused: str = ""


class Book:
    def __init__(self, journal: Journal, dispatch: Dispatch, outgoing: Outgoing, clock: Clock, max_jobs: int) -> None:
        self._journal, self._dispatch, self._outgoing, self._clock = journal, dispatch, outgoing, clock
        self._max_jobs = max_jobs
        self._unacknowledged: set[str] = set()  # of the cloud's jobs: their result is not with it yet
        self._at_work: dict[str, HeldJob] = {}  # with a modem just now
        self._watchers: dict[str, Callable[[EventRow], None]] = {}
        self._refused = False
        # So that a restart does not begin with the references just used.
        self._ref = random.randrange(256)  # noqa: S311

    @property
    def held(self) -> int:
        """Jobs without an acknowledged result, as hello and heartbeat tell."""
        return len(self._unacknowledged)

    def open_jobs(self) -> Iterator[HeldJob]:
        """Those with a modem just now, then those that wait."""
        yield from self._at_work.values()
        yield from self._dispatch

    def restore(self, contents: Contents) -> None:
        """Goes on where the journal ends. A job that a modem may have been given is uncertain, and never sent again."""
        self.announce(contents.events)
        results = (event.id.removesuffix(".result") for event in contents.events if event.id.endswith(".result"))
        self._unacknowledged.update(job_id for job_id in results if not job_id.startswith(LOCAL_PREFIX))
        for job in contents.jobs:
            if job.state is not JobState.OPEN:
                continue
            if not job.local:
                self._unacknowledged.add(job.id)
            if telling.unanswered(job) is not None:
                self._interrupted(job)
            elif job.parts and job.taken == job.total:
                self.end(job, "sent", at=max(part.at for part in job.parts))
            else:
                self._dispatch.add(job)

    async def accept(self, jobs: Sequence[Job]) -> Acceptance:
        """Journals what was never seen before. Known ones are accepted again, and nothing else happens to them."""
        room = self._max_jobs - self.held
        if room <= 0:
            return self._refuse(jobs, f"{self.held} messages are waiting here already (journal.max_jobs)")
        held = [self._held(job) for job in jobs]
        try:
            await self._add(held, self._added)
        except JournalUnavailable as error:
            return self._refuse(jobs, str(error))
        return Acceptance(tuple(job.id for job in jobs))

    async def _add(self, jobs: Sequence[HeldJob], added: Callable[[HeldJob], None]) -> None:
        """Calls back with each that is new, also where who waits is cancelled meanwhile, as its link was lost."""

        def told(adding: "asyncio.Future[list[HeldJob]]") -> None:
            for job in adding.result() if not adding.cancelled() and adding.exception() is None else ():
                added(job)

        adding = self._journal.add_jobs(jobs)
        adding.add_done_callback(told)
        await asyncio.shield(adding)

    def _added(self, job: HeldJob) -> None:
        if not job.local:
            self._unacknowledged.add(job.id)
        self._dispatch.add(job)

    def cancel(self, job_ids: Iterable[str]) -> list[str]:
        """Takes back what waits. Returns the ids that are not held here at all."""
        unknown = []
        for job_id in job_ids:
            job = self._dispatch.remove(job_id)
            if job is not None:
                self.end(job, "cancelled", Cause(kind="cancelled", text="taken back" + telling.partly(job)))
            elif job_id not in self._unacknowledged and job_id not in self._at_work:
                unknown.append(job_id)
        return unknown

    async def bury(self, job_ids: Iterable[str]) -> None:
        """Remembers cancelled jobs that never came, so that their frame finds them ended when it comes late."""
        deadline = self._clock.now() + TOMBSTONE_S
        jobs = [HeldJob(job_id, "", "", (), deadline, False, 0) for job_id in job_ids]
        if jobs:
            await self._add(jobs, self._buried)

    def _buried(self, job: HeldJob) -> None:
        self._unacknowledged.add(job.id)
        self.end(job, "cancelled", Cause(kind="cancelled", text="taken back before it came here"))

    def expire(self) -> None:
        """Ends what is overdue, once the time is certain: a wrong clock must not end a message."""
        if self._clock.told:
            for job in self._dispatch.overdue(self._clock.now()):
                self._dispatch.remove(job.id)
                self.expired(job)

    def expired(self, job: HeldJob) -> None:
        self.end(
            job, "expired", Cause(kind="expired", text="its time was up before a modem had it" + telling.partly(job))
        )

    def give_up(self, known_spans: Iterable[str]) -> None:
        """Ends what no span of this site can ever send."""
        for job in self._dispatch.hopeless(known_spans):
            self._dispatch.remove(job.id)
            self.end(job, "unavailable", Cause(kind="unavailable", text="no modem that may send it is at this site"))

    def begin(self, job: HeldJob) -> None:
        self._at_work[job.id] = job

    def pause(self, job: HeldJob) -> None:
        """A job that was begun waits again."""
        self._at_work.pop(job.id, None)
        self._dispatch.add(job, first=True)

    def end(
        self, job: HeldJob, outcome: Outcome, cause: Cause | None = None, *, span: str = "", at: float | None = None
    ) -> None:
        """The attempt has ended, now or at `at`; this is its one result."""
        assert job.state is JobState.OPEN, f"a job ends once, and not {outcome} after {job.state}"
        self._at_work.pop(job.id, None)
        job.state = _STATES.get(outcome, JobState.ENDED)
        job.text, job.spans = "", ()
        self.tell(job, [telling.result(job, outcome, self._clock.now() if at is None else at, cause, span=span)])
        level = logging.INFO if outcome == "sent" else logging.WARNING
        log.log(level, "%s: %s%s", job.id, outcome, f" ({cause.text})" if cause else "")

    def tell(self, job: HeldJob, events: Sequence[EventRow]) -> None:
        """Stores the job's state with these events; they go out once that is on disk."""
        self._journal.settle(job, events, lambda: self.announce(events))

    def announce(self, events: Sequence[EventRow]) -> None:
        """Events that are on disk now. Those of local jobs are for the command line, not for the cloud."""
        local = [event for event in events if event.id.startswith(LOCAL_PREFIX)]
        for event in local:
            watcher = self._watchers.get(event.id.rpartition(".")[0])
            if watcher:
                watcher(event)
        if local:
            self._journal.acknowledge([event.id for event in local])
            events = [event for event in events if event not in local]
        self._outgoing.add(events)

    def acknowledge(self, event_ids: Sequence[str]) -> None:
        """The cloud has these."""
        known = self._outgoing.acknowledge(event_ids)
        if known:
            self._journal.acknowledge(known)
        for event_id in known:
            if event_id.endswith(".result"):
                self._unacknowledged.discard(event_id.removesuffix(".result"))

    def has_room_again(self) -> bool:
        """True once when work was refused and is welcome again: the cloud need not wait for the next heartbeat."""
        welcome = self.held <= self._max_jobs // 2 and not self._journal.refuses()
        again, self._refused = self._refused and welcome, self._refused and not welcome
        return again

    def watch(self, job_id: str, watcher: Callable[[EventRow], None]) -> None:
        """Calls back with each event of a local job."""
        self._watchers[job_id] = watcher

    def unwatch(self, job_id: str) -> None:
        self._watchers.pop(job_id, None)

    def _held(self, job: Job) -> HeldJob:
        self._ref += 1
        return HeldJob(job.id, job.to, job.text, job.spans, job.deadline, job.report, self._ref & 0xFF)

    def _refuse(self, jobs: Sequence[Job], reason: str) -> Acceptance:
        self._refused = True
        return Acceptance(tuple(job.id for job in jobs if job.id in self._unacknowledged), reason)

    def _interrupted(self, job: HeldJob) -> None:
        part = telling.unanswered(job)
        assert part is not None
        part.state = PartState.UNKNOWN
        self._journal.answer(job, part)
        self.end(job, "uncertain", telling.uncertain(job, part, "the agent was stopped in between"))
