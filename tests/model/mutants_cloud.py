"""Bugs planted in the cloud's use cases, or in the stand-ins of what they use; see mutants.py."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from shared import ids, lifecycle, message
from shared.lifecycle import State
from shared.message import Agent, Message
from shared.ports import OutboxStore, PushQueue, Unavailable
from shared.usecases import agent_session, draining, greeting, lost_journal, send, sweep
from shared.usecases.agent_events import EventTaker
from shared.usecases.agent_line import AgentLine
from shared.usecases.ending import result_push
from shared.wire import Ack, Events
from tests.fakes import FakeOutbox, FakePushQueue
from tests.model.mutants import AGAIN, EXPIRED_AND_SENT, NOT_SENT, both, mutant

# ---------------------------------------------------------------------------------------------------- cloud, events


@mutant(EXPIRED_AND_SENT)
def ack_before_store() -> AbstractContextManager[Any]:
    take = agent_session._events

    def acknowledged_at_once(events: Events, line: AgentLine) -> None:
        line.post(Ack(event_ids=tuple(event.event_id for event in events.events)))
        take(events, line)

    return patch.object(agent_session, "_events", acknowledged_at_once)


@mutant("was never pushed")
def ack_before_the_push_is_enqueued() -> AbstractContextManager[Any]:
    def enqueued_last(events: Events, line: AgentLine) -> None:
        behind = FakePushQueue()
        take(events, dataclasses.replace(line, ports=dataclasses.replace(line.ports, pushes=behind)))
        line.ports.pushes.put(behind.events)

    take = agent_session._events
    return patch.object(agent_session, "_events", enqueued_last)


@mutant("was never pushed")
def ack_although_the_push_was_not_enqueued() -> AbstractContextManager[Any]:
    def taken(self: EventTaker, events: Sequence[Any]) -> tuple[str, ...]:
        pushes: list[Any] = []
        with contextlib.suppress(Unavailable):
            for event in events:
                pushes += self._store(event)
            self.pushes.put(pushes)
        return tuple(event.event_id for event in events)

    return patch.object(EventTaker, "take", taken)


@mutant("the network has reported that it was delivered")
def the_rank_of_states_ignored() -> AbstractContextManager[Any]:
    return patch.object(message, "may", lambda old, new: True)


@mutant(EXPIRED_AND_SENT)
def late_truth_after_expiry_ignored() -> AbstractContextManager[Any]:
    return patch.dict(lifecycle.TRANSITIONS, {State.EXPIRED: frozenset()})


@mutant(r"\((expired|cancelled), .* says that 0 parts went out")
def what_a_site_adds_to_an_end_by_the_cloud_ignored() -> AbstractContextManager[Any]:
    return patch.object(message, "applies", lambda row, change: lifecycle.may(row.state, change.state))


@mutant(r"was never pushed: \S+ expired")
def an_expiry_settled_before_its_push() -> AbstractContextManager[Any]:
    def settled_first(ids: Any, change: Any, *, outbox: OutboxStore, pushes: PushQueue) -> Any:
        found = [outbox.record(account, i, change)[1] for account, i in ids]
        ended = [one for one in found if one is not None]
        pushes.put([result_push(one) for one in ended])
        return ended

    in_sweep = patch.object(sweep, "end_messages", settled_first)
    return both(in_sweep, patch.object(lost_journal, "end_messages", settled_first))


# ---------------------------------------------------------------------------------------------------- cloud, jobs


@mutant(NOT_SENT)
def no_drain() -> AbstractContextManager[Any]:
    return patch.object(AgentLine, "drain", lambda self, cursor: None)


@mutant(NOT_SENT)
def held_not_compared() -> AbstractContextManager[Any]:
    return patch.object(AgentLine, "drain_if_not", lambda self, held: None)


@mutant(AGAIN)
def a_lost_journal_not_noticed() -> AbstractContextManager[Any]:
    return patch.object(greeting, "_settle_lost_journal", lambda agent, line: None)


@mutant(AGAIN)
def a_lost_journal_looked_at_only_once() -> AbstractContextManager[Any]:
    def once(agent: Agent, *, outbox: OutboxStore, pushes: PushQueue, clock: Any) -> int:
        return lost_journal._end(agent, clock.now(), outbox, pushes)

    return patch.object(greeting, "end_what_was_lost", once)


@mutant("were not sent within a heartbeat of their site's return")
def nothing_drained_after_the_first_batch() -> AbstractContextManager[Any]:
    return patch.object(agent_session, "_accepted", lambda accepted, line: None)


@mutant(AGAIN)
def what_has_left_the_cloud_moved_to_another_site() -> AbstractContextManager[Any]:
    """Planted in the stand-in; the table's own condition is held by tests/shared/aws/test_outbox_table.py."""

    def moved(self: FakeOutbox, after: Message, *, away_from: str) -> bool:
        key = (after.account, after.id)
        self.rows[key] = dataclasses.replace(after, posted=self.rows[key].posted, state=self.rows[key].state)
        return True

    return patch.object(FakeOutbox, "move", moved)


@mutant(AGAIN)
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


@mutant(AGAIN)
def what_is_posted_at_once_kept_as_if_it_had_not_left() -> AbstractContextManager[Any]:
    made = send._Sending._message
    unposted = lambda self, *args: dataclasses.replace(made(self, *args), posted=False)  # noqa: E731
    return patch.object(send._Sending, "_message", unposted)


@mutant("a late .disconnect unseated a newer connection")
def a_late_disconnect_unseats_the_newer() -> AbstractContextManager[Any]:
    def give_up(self: AgentLine) -> None:
        one = self.connection
        agent = self.ports.accounts.agent(one.account, one.agent)
        if agent is not None:
            self.ports.accounts.disconnected(one.account, one.agent, connection=agent.connection, at=0.0)

    return patch.object(AgentLine, "give_up", give_up)


@mutant(AGAIN)
def a_repeated_call_is_a_new_one() -> AbstractContextManager[Any]:
    def fresh(account: str, request_id: str, count: int) -> list[str]:
        return ids.fresh(0.0, count)

    return patch.object(ids, "derived", fresh)
