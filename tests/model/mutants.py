"""Planted bugs, each of one line or two in the product, which the model has to notice. A list to be added to."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from edge_agent import journal_tables
from edge_agent.book import Book
from edge_agent.clock import Clock
from edge_agent.held import Contents, EventRow, HeldJob, HeldPart
from edge_agent.journal import Journal
from edge_agent.sender import Handover, Sender
from edge_agent.session import Session
from edge_agent.span import NotSubmitted, Submission, Unknown
from shared import lifecycle, message
from shared.lifecycle import State
from shared.ports import OutboxStore, PushQueue, Unavailable
from shared.usecases import agent_session, draining, greeting, lost_journal, send, sweep
from shared.usecases.agent_events import EventTaker
from shared.usecases.agent_line import AgentLine
from shared.usecases.ending import result_push
from shared.wire import Ack, Events
from tests.fakes import FakePushQueue

Mutant = Callable[[], AbstractContextManager[Any]]
MUTANTS: dict[str, Mutant] = {}


def mutant(plant: Callable[[], AbstractContextManager[Any]]) -> Mutant:
    MUTANTS[plant.__name__] = plant
    return plant


# ---------------------------------------------------------------------------------------------------- cloud, events


@mutant
def ack_before_store() -> AbstractContextManager[Any]:
    take = agent_session._events

    def acknowledged_at_once(events: Events, line: AgentLine) -> None:
        line.post(Ack(event_ids=tuple(event.event_id for event in events.events)))
        take(events, line)

    return patch.object(agent_session, "_events", acknowledged_at_once)


@mutant
def ack_before_the_push_is_enqueued() -> AbstractContextManager[Any]:
    def enqueued_last(events: Events, line: AgentLine) -> None:
        behind = FakePushQueue()
        take(events, dataclasses.replace(line, ports=dataclasses.replace(line.ports, pushes=behind)))
        line.ports.pushes.put(behind.events)

    take = agent_session._events
    return patch.object(agent_session, "_events", enqueued_last)


@mutant
def ack_although_the_push_was_not_enqueued() -> AbstractContextManager[Any]:
    def taken(self: EventTaker, events: Sequence[Any]) -> tuple[str, ...]:
        pushes: list[Any] = []
        with contextlib.suppress(Unavailable):
            for event in events:
                pushes += self._store(event)
            self.pushes.put(pushes)
        return tuple(event.event_id for event in events)

    return patch.object(EventTaker, "take", taken)


@mutant
def the_rank_of_states_ignored() -> AbstractContextManager[Any]:
    return patch.object(message, "may", lambda old, new: True)


@mutant
def late_truth_after_expiry_ignored() -> AbstractContextManager[Any]:
    return patch.dict(lifecycle.TRANSITIONS, {State.EXPIRED: frozenset()})


@mutant
def an_expiry_settled_before_its_push() -> AbstractContextManager[Any]:
    def settled_first(ids: Any, change: Any, *, outbox: OutboxStore, pushes: PushQueue) -> Any:
        found = [outbox.record(account, i, change)[1] for account, i in ids]
        ended = [one for one in found if one is not None]
        pushes.put([result_push(one) for one in ended])
        return ended

    in_sweep = patch.object(sweep, "end_messages", settled_first)
    return _both(in_sweep, patch.object(lost_journal, "end_messages", settled_first))


# ---------------------------------------------------------------------------------------------------- cloud, jobs


@mutant
def no_drain() -> AbstractContextManager[Any]:
    return patch.object(AgentLine, "drain", lambda self, cursor: None)


@mutant
def held_not_compared() -> AbstractContextManager[Any]:
    return patch.object(AgentLine, "drain_if_not", lambda self, held: None)


@mutant
def a_lost_journal_not_noticed() -> AbstractContextManager[Any]:
    return patch.object(greeting, "_settle_lost_journal", lambda agent, line: None)


@mutant
def what_leaves_the_cloud_not_claimed() -> AbstractContextManager[Any]:
    def drain(account: str, agent: str, connection: str, cursor: str, *, outbox: Any, link: Any) -> int:
        class Unclaimed:
            def pending(self, *args: Any) -> Any:
                return outbox.pending(*args)

            def claim_posting(self, *args: Any) -> bool:
                return True

        return original(account, agent, connection, cursor, outbox=Unclaimed(), link=link)  # type: ignore[arg-type]

    original = draining.drain
    return patch("shared.usecases.agent_line.drain", drain)


@mutant
def what_is_posted_at_once_kept_as_if_it_had_not_left() -> AbstractContextManager[Any]:
    made = send._Sending._message
    unposted = lambda self, *args: dataclasses.replace(made(self, *args), posted=False)  # noqa: E731
    return patch.object(send._Sending, "_message", unposted)


@mutant
def a_late_disconnect_unseats_the_newer() -> AbstractContextManager[Any]:
    def give_up(self: AgentLine) -> None:
        one = self.connection
        agent = self.ports.accounts.agent(one.account, one.agent)
        if agent is not None:
            self.ports.accounts.disconnected(one.account, one.agent, connection=agent.connection, at=0.0)

    return patch.object(AgentLine, "give_up", give_up)


@mutant
def a_repeated_call_is_a_new_one() -> AbstractContextManager[Any]:
    def fresh(account: str, request_id: str, count: int) -> list[str]:
        return [secrets.token_hex(13).upper() for _ in range(count)]

    return patch.object(send.ids, "derived", fresh)


# ---------------------------------------------------------------------------------------------------- agent, sending


def _done() -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future


@mutant
def no_submitting_mark() -> AbstractContextManager[Any]:
    return patch.object(Journal, "mark", lambda self, job, part, counted: _done())


@mutant
def the_pdu_not_held_back_for_its_mark() -> AbstractContextManager[Any]:
    mark = Journal.mark

    def begun(self: Journal, job: HeldJob, part: HeldPart, counted: bool) -> Awaitable[None]:
        marking = asyncio.ensure_future(mark(self, job, part, counted))
        marking.add_done_callback(lambda done: done.cancelled() or done.exception())
        return _done()

    return patch.object(Journal, "mark", begun)


@mutant
def uncertain_sent_again_after_a_crash() -> AbstractContextManager[Any]:
    def sent_again(self: Book, job: HeldJob) -> None:
        job.parts.clear()
        self._dispatch.add(job)

    return patch.object(Book, "_interrupted", sent_again)


@mutant
def no_answer_taken_for_not_submitted() -> AbstractContextManager[Any]:
    answered = Sender._answered

    def hopeful(self: Sender, handover: Handover, outcome: Submission) -> None:
        answered(self, handover, NotSubmitted(outcome.reason) if isinstance(outcome, Unknown) else outcome)

    return patch.object(Sender, "_answered", hopeful)


@mutant
def no_answer_taken_for_a_refusal() -> AbstractContextManager[Any]:
    from edge_agent.span import Refusal

    answered = Sender._answered

    def gloomy(self: Sender, handover: Handover, outcome: Submission) -> None:
        answered(self, handover, Refusal("timeout", outcome.reason, False) if isinstance(outcome, Unknown) else outcome)

    return patch.object(Sender, "_answered", gloomy)


@mutant
def a_job_seen_before_taken_anew() -> AbstractContextManager[Any]:
    return patch.object(journal_tables, "_ADD_JOB", journal_tables._ADD_JOB.replace("IGNORE", "REPLACE"))


@mutant
def answers_not_written_down() -> AbstractContextManager[Any]:
    return patch.object(journal_tables, "answer", lambda *args, **kwargs: None)


@mutant
def a_message_taken_and_not_told_of_forgotten() -> AbstractContextManager[Any]:
    restore = Book.restore

    def forgetful(self: Book, contents: Contents) -> None:
        with patch.object(HeldJob, "taken", property(lambda job: -1)):
            restore(self, contents)

    return patch.object(Book, "restore", forgetful)


@mutant
def a_wrong_clock_believed() -> AbstractContextManager[Any]:
    return patch.object(Clock, "told", property(lambda self: True))


# ---------------------------------------------------------------------------------------------------- agent, events


@mutant
def told_before_it_is_on_disk() -> AbstractContextManager[Any]:
    def tell(self: Book, job: HeldJob, events: Sequence[EventRow]) -> None:
        self.announce(events)
        self._journal.settle(job, events, lambda: None)

    return patch.object(Book, "tell", tell)


@mutant
def events_forgotten_once_said() -> AbstractContextManager[Any]:
    take_off = Session._take_off

    def gone(self: Session, rows: Sequence[EventRow], now: float) -> Any:
        said = take_off(self, list(rows), now)
        self.facts.acknowledged([row.id for row in rows])  # type: ignore[attr-defined]
        return said

    return patch.object(Session, "_take_off", gone)


@mutant
def a_report_taken_before_it_is_on_disk() -> AbstractContextManager[Any]:
    async def at_once(self: Journal) -> None:
        return

    def kept(self: Journal, report: Any) -> None:
        return

    return _both(patch.object(Journal, "synced", at_once), patch.object(Journal, "keep_early", kept))


@contextmanager
def _both(*patches: AbstractContextManager[Any]) -> Iterator[None]:
    with ExitStack() as stack:
        for one in patches:
            stack.enter_context(one)
        yield
