"""What an operator does with pushes: look at them, send some again, try an endpoint out, drain the dead letters."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from shared.ports import AccountStore, Clock, PushQueue
from shared.push_event import BadPushEvent, PushEvent, PushType, from_json
from shared.push_ports import PushLog
from shared.push_record import PushRecord, PushState
from shared.push_request import wanted
from shared.push_settings import from_stored


class NotPushed(ValueError):
    """A test push would not be sent: says what is switched off."""


@dataclass(frozen=True, slots=True)
class Drained:
    """What became of the dead letters: sent again, told meanwhile, not readable (these stay)."""

    replayed: int = 0
    settled: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PushDesk:
    """The operator's view of one deployment's pushes."""

    accounts: AccountStore
    log: PushLog
    queue: PushQueue
    clock: Clock

    def pushes(
        self, account: str, start: float, end: float, states: Iterable[PushState] = PushState
    ) -> list[PushRecord]:
        """Those put into the queue between two times, oldest first; of the last 7 days."""
        wanted_states = frozenset(states)
        found = (record for record in self.log.page(account, start, end) if record.state in wanted_states)
        return sorted(found, key=lambda record: (record.first_at, record.event.id))

    def replay(self, account: str, event_id: str) -> bool:
        """Tells one event again, whatever became of it, under the same webhook-id. False when it is not known."""
        record = self.log.get(account, event_id)
        if record is not None:
            self._again(record)
        return record is not None

    def replay_between(
        self, account: str, start: float, end: float, states: Iterable[PushState] = (PushState.DEAD,)
    ) -> int:
        """Tells again what was put into the queue between two times, by default what was given up. Returns how many."""
        records = self.pushes(account, start, end, states)
        for record in records:
            self._again(record)
        return len(records)

    def send_test(self, account: str) -> PushEvent:
        """Puts a made-up event into the queue; `log.get` tells what came of it. Raises NotPushed."""
        settings, now = from_stored(self.accounts.push_settings(account)), self.clock.now()
        for event in _tests(account, now):
            if wanted(settings, event):
                self.queue.put([event])
                return event
        missing = "url_host is empty" if settings.enable else "enable is 0"
        raise NotPushed(
            missing if not (settings.enable and settings.url_host) else "every kind of push is switched off"
        )

    def drain(self, limit: int = 10_000) -> Drained:
        """Puts dead letters back into the queue, as if new; what was told meanwhile is just forgotten."""
        replayed = settled = unreadable = 0
        for receipt, body in self._dead(limit):
            try:
                event = from_json(body)
            except BadPushEvent:
                unreadable += 1
                continue
            if self._revive(event):
                replayed += 1
            else:
                settled += 1
            self.queue.forget_dead(receipt)
        return Drained(replayed, settled, unreadable)

    def _dead(self, limit: int) -> Iterator[tuple[str, str]]:
        left = limit
        while left > 0 and (letters := self.queue.exhume(left)):
            left -= len(letters)
            yield from letters

    def _revive(self, event: PushEvent) -> bool:
        record = self.log.get(event.account, event.id)
        if record and record.state in {PushState.DELIVERED, PushState.GONE}:
            return False
        now = self.clock.now()
        self._again(record or PushRecord(event=event, state=PushState.DEAD, first_at=now, next_at=now))
        return True

    def _again(self, record: PushRecord) -> None:
        now = self.clock.now()
        self.log.save(replace(record, state=PushState.WAITING, tries=0, first_at=now, next_at=now))
        self.queue.put([record.event])


def _tests(account: str, now: float) -> Iterator[PushEvent]:
    """One of each type; a report comes last, as it would wait for a result."""
    types: tuple[tuple[PushType, str], ...] = (
        ("SMS-Status-Result", "SENT"),
        ("SMS-Received", ""),
        ("SMS-Status-Report", "DELIVERD"),
    )
    for kind, status in types:
        yield PushEvent(
            type=kind, account=account, message_id=f"test-{now:.3f}", phone="+10000000000", port=0,
            port_name="test-0.0", imsi="", text="This is a test push. No message was sent.", at=now, status=status,
        )  # fmt: skip
