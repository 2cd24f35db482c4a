"""Which job each span sends next. Pure: time is an argument, waking a span's worker is a callback.

Rule: a job waits in the queue of the first span of its pool that is able, and moves on to another when that one no
longer is, or would not take it. A job that no able span may send waits aside until one is. While a span is held up by
one message for long, others of the pool that have nothing to do take what waits behind it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from edge_agent.held import HeldJob, JobState


class Dispatch:
    def __init__(self, wake: Callable[[str], None] = lambda span: None) -> None:
        self._wake = wake
        self._queues: dict[str, deque[HeldJob]] = {}  # of able spans; jobs ended meanwhile are skipped
        self._aside: dict[str, HeldJob] = {}
        self._doubted: list[HeldJob] = []
        self._jobs: dict[str, HeldJob] = {}  # all that wait, by id
        self._held_up: list[str] = []  # spans that others may help out

    def add(self, job: HeldJob, *, first: bool = False) -> None:
        """Takes a new job, or (`first`) one back that was taken out."""
        self._jobs[job.id] = job
        span = self._choose(job)
        if not span:
            job.home = ""
            self._aside[job.id] = job
            return
        job.home = span
        if first:
            self._queues[span].appendleft(job)
        else:
            self._queues[span].append(job)
        self._wake(span)

    def doubt(self, job: HeldJob) -> None:
        """Keeps a job that was taken out from every span, until `trust` or its removal."""
        self._jobs[job.id] = job
        job.home = ""
        self._doubted.append(job)

    def trust(self) -> None:
        """Offers the doubted ones again."""
        doubted, self._doubted = self._doubted, []
        for job in doubted:
            if self._jobs.get(job.id) is job:
                self.add(job)

    def take(self, span: str) -> HeldJob | None:
        """The next job for this span, taken out."""
        queue = self._queues.get(span)
        while queue:
            job = queue.popleft()
            if self._waits(job, span):
                del self._jobs[job.id]
                return job
        return self._help_out(span) if self._held_up and queue is not None else None

    def held_up(self, spans: Iterable[str]) -> None:
        """These, and no others any more, have been with one message for long; whose wait is longest is helped first."""
        self._held_up = [span for span in spans if self._queues.get(span)]
        if self._held_up:
            for idle in [span for span, queue in self._queues.items() if not queue]:
                self._wake(idle)

    def able(self, span: str) -> None:
        """This span can send now."""
        if span in self._queues:
            return
        self._queues[span] = deque()
        for job in [job for job in self._aside.values() if span in job.spans]:
            del self._aside[job.id]
            self.add(job)

    def unable(self, span: str) -> None:
        """This span cannot send for a while: what waited for it looks for another."""
        for job in self._queues.pop(span, ()):
            if self._waits(job, span):
                self.add(job)

    def remove(self, job_id: str) -> HeldJob | None:
        """Takes a waiting job out (cancelled, expired); None when it does not wait here."""
        job = self._jobs.pop(job_id, None)
        if job is not None:
            self._aside.pop(job.id, None)
            job.home = ""
        return job

    def others(self, job: HeldJob) -> bool:
        """Whether an able span of its pool has not been tried yet."""
        return any(span in self._queues and span not in job.tried for span in job.spans)

    def overdue(self, now: float) -> list[HeldJob]:
        return [job for job in self._jobs.values() if job.deadline <= now]

    def hopeless(self, known: Iterable[str]) -> list[HeldJob]:
        """Jobs aside whose pool holds no known span at all."""
        spans = set(known)
        return [job for job in self._aside.values() if spans.isdisjoint(job.spans)]

    def waiting(self) -> dict[str, int]:
        """How many jobs wait for each span; those aside are counted for the first of their pool."""
        counts: dict[str, int] = {}
        for job in self._jobs.values():
            span = job.home or (job.spans[0] if job.spans else "")
            counts[span] = counts.get(span, 0) + 1
        return counts

    def __iter__(self) -> Iterator[HeldJob]:
        return iter(self._jobs.values())

    def __len__(self) -> int:
        return len(self._jobs)

    def _waits(self, job: HeldJob, span: str) -> bool:
        return job.home == span and job.state is JobState.OPEN and self._jobs.get(job.id) is job

    def _help_out(self, idle: str) -> HeldJob | None:
        """The first job behind a span that is held up, if this one may send it as well: none of it is out."""
        for span in self._held_up:
            queue = self._queues.get(span, deque())
            for job in queue:
                if idle in job.spans and idle not in job.tried and not job.parts and self._waits(job, span):
                    queue.remove(job)
                    del self._jobs[job.id]
                    return job
        return None

    def _choose(self, job: HeldJob) -> str:
        """A message that has begun stays with its span: a receiver joins only parts of one sender."""
        if job.parts:
            bound = job.parts[0].span
            return bound if bound in self._queues else ""
        untried = (span for span in job.spans if span in self._queues and span not in job.tried)
        return next(untried, "") or next((span for span in job.spans if span in self._queues), "")
