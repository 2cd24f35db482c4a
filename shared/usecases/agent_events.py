"""What agents tell: results, reports, received messages. Ack last: stored first, then the push is enqueued.

Rule: all of it may come again, late or in any order. So nothing here depends on what was stored already, except that a
push is not made of a word which a truer one has contradicted.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.lifecycle import State, may
from shared.message import Change, Message, Port, Received
from shared.ports import AccountStore, Clock, InboxStore, OutboxStore, PushQueue, Recorded, Unavailable
from shared.push_event import PushEvent
from shared.usecases.capping import Capping, correct
from shared.usecases.ending import result_push
from shared.wire import Event, ReceivedEvent, ReportEvent, ResultEvent

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTaker:
    """Takes the events of one agent."""

    account: str
    agent: str
    accounts: AccountStore
    outbox: OutboxStore
    inbox: InboxStore
    pushes: PushQueue
    capping: Capping
    clock: Clock

    def take(self, events: Sequence[Event]) -> tuple[str, ...]:
        """Ids of events that are stored and whose pushes are enqueued: to be acknowledged. The rest comes again."""
        stored: list[str] = []
        pushes: list[PushEvent] = []
        try:
            for event in events:
                pushes += self._store(event)
                stored.append(event.event_id)
        except Unavailable as fault:
            _log.warning("events left for later", extra={"left": len(events) - len(stored), "fault": str(fault)})
        try:
            self.pushes.put(pushes)
        except Unavailable as fault:
            _log.warning("pushes left for later", extra={"left": len(pushes), "fault": str(fault)})
            return ()
        return tuple(stored)

    def _store(self, event: Event) -> Sequence[PushEvent]:
        match event:
            case ResultEvent():
                return self._result(event)
            case ReportEvent():
                return self._report(event)
            case ReceivedEvent():
                return self._received(event)

    def _result(self, event: ResultEvent) -> Sequence[PushEvent]:
        change = Change(
            state=State(event.outcome),
            at=self._not_ahead(event.at),
            imsi=event.imsi,
            parts_sent=event.parts_sent,
            cause=event.cause,
        )
        recorded, pushes = self._told(event.job_id, event.span, change)
        if recorded is not None and change.state is not State.UNCERTAIN:  # what settles that is counted
            self._count(recorded, event.span)
        return pushes

    def _count(self, message: Message, span: str) -> None:
        """Caps are guards, not bills: a tally that cannot be reached must not keep the result from being told."""
        try:
            dealt = self._port(message.spans[0]) if message.spans else None
            correct(message, dealt, self._port(span), accounts=self.accounts, by=self.capping)
        except Unavailable as fault:
            _log.warning("parts were not counted", extra={"message_id": message.id, "fault": str(fault)})

    def _report(self, event: ReportEvent) -> Sequence[PushEvent]:
        """A report implies that the modem took the message, so it may come before the result."""
        at, state = self._not_ahead(event.at), State(event.outcome)
        change = Change(
            state=state,
            at=min(event.sent_at, at),
            delivered_at=at if state is State.DELIVERED else None,
            imsi=event.imsi,
            cause=event.cause,
        )
        _, results = self._told(event.job_id, event.span, change)
        return [replace(push, type="SMS-Status-Report", at=at) for push in results]

    def _told(self, message_id: str, span: str, change: Change) -> tuple[Message | None, Sequence[PushEvent]]:
        """The message if this was news, and what is pushed: the event's own word, even if it has moved on since."""
        port = self._port(span)
        if port is not None:
            change = replace(change, port=port.number, port_name=port.name)
        recorded, message = self.outbox.record(self.account, message_id, change)
        facts = {"message_id": message_id, "told": change.state, "outcome": recorded.value}
        _log.info("an agent told of a message", extra=facts | {"state": message and message.state})
        if message is None or not (message.state is change.state or may(change.state, message.state)):
            return None, []
        return message if recorded is Recorded.CHANGED else None, [result_push(_as_told(message, change))]

    def _received(self, event: ReceivedEvent) -> Sequence[PushEvent]:
        port = self._port(event.span)
        received = Received(
            account=self.account,
            id=event.event_id,
            port=port.number if port else 0,
            port_name=port.name if port else "",
            imsi=event.imsi,
            sender=event.sender,
            text=event.text,
            at=self._not_ahead(event.at),
            parts=event.parts,
            missing=event.missing,
        )
        new = self.inbox.add(received)
        _log.info("an agent received a message", extra={"event": event.event_id, "new": new})
        return [_received_push(received)]

    def _port(self, span: str) -> Port | None:
        return self.accounts.port_of(self.account, self.agent, span) if span else None

    def _not_ahead(self, at: float) -> float:
        """A site's clock may be wrong; one that is ahead would put a message above all others for ever."""
        return min(at, self.clock.now())


def _as_told(message: Message, change: Change) -> Message:
    return replace(
        message,
        state=change.state,
        ended_at=change.at,
        cause=change.cause,
        port=message.port if change.port is None else change.port,
        port_name=change.port_name or message.port_name,
        imsi=change.imsi or message.imsi,
    )


def _received_push(received: Received) -> PushEvent:
    return PushEvent(
        type="SMS-Received",
        account=received.account,
        message_id=received.id,
        phone=received.sender,
        port=received.port,
        port_name=received.port_name,
        imsi=received.imsi,
        text=received.text,
        at=received.at,
        status="",
    )
