"""The parts of the agent put together: all that works without a cloud, for `run`, local tests and benchmarks alike."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Iterable, Sequence

from edge_agent import release
from edge_agent.book import Acceptance, Book
from edge_agent.clock import Clock
from edge_agent.config import Config
from edge_agent.dispatch import Dispatch
from edge_agent.held import EventRow, JournalBroken, JournalUnavailable
from edge_agent.inbox import Inbox
from edge_agent.journal import Journal
from edge_agent.lanes import Lanes
from edge_agent.outgoing import Outgoing
from edge_agent.ownership import hand_over, is_kept_from_us, kept_out
from edge_agent.pacing import Limits
from edge_agent.reports import FORGET_AFTER_S, Reports
from edge_agent.sender import Sender
from edge_agent.span import ReadyModem, SpanStatus
from edge_agent.span_board import SpanBoard
from edge_agent.uplink import Uplink
from shared.wire import Hello, Job, Signal

log = logging.getLogger(__name__)

TICK_S = 1.0
PRUNE_EVERY_S = 600.0
NOTE_TIME_EVERY_S = 60.0
DISCOVERY_S = 120.0
"""How long after its start the agent does not call a span unknown: USB modems take up to a minute to appear."""


class Core:
    """Everything but the cloud. Implements span.AgentSide for the modem side and connection.Link for the uplink."""

    def __init__(self, config: Config, journal: Journal, clock: Clock) -> None:
        self._config, self._clock, self.journal = config, clock, journal
        self._boot_id = uuid.uuid4().hex
        self._started = clock.elapsed()
        self.outgoing = Outgoing()
        self.lanes = Lanes(journal, clock, self._limits)
        self.dispatch = Dispatch(self.lanes.wake)
        self.book = Book(journal, self.dispatch, self.outgoing, clock, config.journal.max_jobs)
        self.reports = Reports(journal, self.book, clock)
        self.inbox = Inbox(journal, self.book.announce, clock)
        self.sender = Sender(journal, self.book, self.reports, self.dispatch, self.lanes, clock)
        self.board = SpanBoard(
            journal.refuses, self.lanes.next_at, self.dispatch.waiting, clock.now, lambda: self._searching
        )
        self._searching = True
        self._ports: Iterable[str] = ()  # spans that the cloud has a port for
        self.uplink: Uplink | None = None
        self.outgoing.listen(self._new_events)
        journal.watch(lambda trouble: self.tell_spans())
        self._restore()

    def _restore(self) -> None:
        contents = self.journal.contents
        self._clock.not_before(contents.last_seen)
        self.book.restore(contents)
        self.reports.restore(contents)
        self.inbox.restore(contents)

    def now(self) -> float:
        return self._clock.now()

    # For the modem side (span.AgentSide).

    async def work(self, modem: ReadyModem) -> None:
        await self.sender.work(modem)

    def status_report(self, span: str, imsi: str, pdu: str) -> Awaitable[None]:
        if self.reports.take(span, imsi, pdu):
            return self.journal.synced()
        log.warning("%s: what it gave as a delivery report is none", span)
        return asyncio.ensure_future(self.inbox.take(span, imsi, pdu))  # begun now, though some never wait for it

    async def delivered(self, span: str, imsi: str, pdu: str) -> None:
        await self.inbox.take(span, imsi, pdu)

    def status_changed(self, status: SpanStatus) -> None:
        self.board.put(status)
        self.tell_spans()

    # For the cloud's side (connection.Link).

    def hello(self) -> Hello:
        return Hello(
            agent_version=release.version(),
            boot_id=self._boot_id,
            journal_id=self.journal.contents.journal_id,
            spans=self.board.infos(),
            held=self.book.held,
        )

    def held(self) -> int:
        return self.book.held

    def signals(self) -> tuple[Signal, ...]:
        return self.board.signals()

    def events(self) -> Iterable[EventRow]:
        return self.outgoing

    async def take_jobs(self, jobs: Sequence[Job]) -> Acceptance:
        return await self.book.accept(jobs)

    async def cancel_jobs(self, job_ids: Sequence[str]) -> None:
        unknown = self.book.cancel(job_ids)
        with contextlib.suppress(JournalUnavailable):
            await self.book.bury(unknown)

    def acknowledged(self, event_ids: Sequence[str]) -> None:
        self.book.acknowledge(event_ids)

    def welcomed(self, server_time: float, ports: dict[str, int]) -> None:
        ahead = self._clock.tell(server_time)
        if abs(ahead) > 60.0:
            log.warning("this machine's clock is wrong by %.0f s; the cloud's time is used, but set it (NTP)", ahead)
        self._ports = ports.keys()
        self._tell_missing()
        self.journal.note_time(server_time)
        self.reports.time_told()
        self.book.expire()
        self.dispatch.trust()

    # Time.

    async def tick(self) -> None:
        """Expiry, unknown spans, status changes that come with time alone, and housekeeping; until cancelled."""
        due = {self._note_time: 0.0, self._prune: 0.0}
        every = {self._note_time: NOTE_TIME_EVERY_S, self._prune: PRUNE_EVERY_S}
        while True:
            now = self._clock.elapsed()
            self.sender.relieve()
            self.book.expire()
            if now > self._started + DISCOVERY_S:
                self._found_all()
                self.book.give_up(self.board.known)
            self.tell_spans()
            if self.uplink is not None and self.book.has_room_again():
                self.uplink.beat()
            # Only once the time is certain: a clock that is ahead would forget what may still come.
            for chore in [chore for chore, at in due.items() if now >= at and self._clock.told]:
                await chore()
                due[chore] = now + every[chore]
            await asyncio.sleep(TICK_S)

    def tell_spans(self) -> None:
        if self.uplink is not None:
            differences = self.board.differences()
            if differences:
                self.uplink.spans_changed(differences)

    def _found_all(self) -> None:
        if self._searching:
            self._searching = False
            self._tell_missing()

    def _tell_missing(self) -> None:
        """Of spans that the cloud knows and this process does not."""
        missing = set(self._ports).difference(self.board.known)
        if self.uplink is not None and missing and not self._searching:
            self.uplink.spans_gone(missing)

    async def _note_time(self) -> None:
        self.journal.note_time(self._clock.now())

    async def _prune(self) -> None:
        self.reports.forget_old()
        self.inbox.give_up()
        with contextlib.suppress(JournalUnavailable):
            await self.journal.prune(self._clock.now())

    def _new_events(self) -> None:
        if self.uplink is not None:
            self.uplink.poke()

    def _limits(self, span: str) -> Limits:
        status = self.board.status(span)
        return self._config.limits_of(status.device if status else "", span.removeprefix("imei:"))


def open_journal(config: Config, clock: Clock) -> Journal:
    """Raises AlreadyRunning or JournalBroken."""
    folder = config.journal.path.parent
    if is_kept_from_us(folder):
        raise JournalBroken(kept_out(folder))
    try:
        return Journal.open(config.journal, now=clock.now(), reports_since=clock.now() - FORGET_AFTER_S)
    finally:
        hand_over(config.journal.files, folder)
