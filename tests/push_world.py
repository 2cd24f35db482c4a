"""The push part in simulated time: a queue that hides, delays and hands out records as SQS does, a log, receivers."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.message import Account
from shared.push_event import PushEvent, result_ids, to_json
from shared.push_record import Circuit, PushAttempt, PushRecord, PushView
from shared.push_settings import PushSettings, stored
from shared.usecases.deliver_push import deliver
from shared.usecases.manage_pushes import PushDesk
from shared.usecases.push_attempt import Delivery, Pushing
from tests.fakes import FakeAccounts, FakeAlerts, FakeClock, Faults

Answer = Callable[[str, Mapping[str, str]], PushAttempt]

OK = PushAttempt(status=200, error="", seconds=0.1)
BROKEN = PushAttempt(status=500, error="answered 500", seconds=0.1)
HANGS = PushAttempt(status=None, error="no answer within 15 s", seconds=15.0)


def event(message: str = "m1", kind: str = "result", account: str = "acme", status: str = "SENT") -> PushEvent:
    types = {"result": "SMS-Status-Result", "report": "SMS-Status-Report", "received": "SMS-Received"}
    return PushEvent(
        type=types[kind],  # type: ignore[arg-type]
        account=account,
        message_id=message,
        phone="+491701234567",
        port=1,
        port_name="lte-1.1",
        imsi="262011234567890",
        text="Hello",
        at=1_749_999_000.0,
        status=status,
    )


class FakePushLog:
    """PushLog in memory."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], PushRecord] = {}
        self.circuits: dict[tuple[str, str], Circuit] = {}
        self.turns: dict[tuple[str, str, int], float] = {}
        self.faults = Faults()

    def view(self, event: PushEvent, endpoint: str) -> PushView:
        self.faults.check()
        wanted = result_ids(event.message_id) if event.type == "SMS-Status-Report" else ()
        found = (self.records.get((event.account, result)) for result in wanted)
        return PushView(
            record=self.records.get((event.account, event.id)),
            results=tuple(record for record in found if record),
            circuit=self.circuits.get((event.account, endpoint), Circuit()),
        )

    def save(self, record: PushRecord) -> None:
        self.faults.check()
        self.records[(record.event.account, record.event.id)] = record

    def get(self, account: str, event_id: str) -> PushRecord | None:
        return self.records.get((account, event_id))

    def page(self, account: str, start: float, end: float) -> Iterator[PushRecord]:
        yield from (r for (a, _), r in self.records.items() if a == account and start <= r.first_at <= end)

    def failed(self, account: str, endpoint: str, weight: int) -> Circuit:
        old = self.circuits.get((account, endpoint), Circuit())
        self.circuits[(account, endpoint)] = replace(old, failures=old.failures + weight)
        return self.circuits[(account, endpoint)]

    def open(self, account: str, endpoint: str, until: float) -> None:
        self.circuits[(account, endpoint)] = replace(self.circuits[(account, endpoint)], open_until=until)

    def claim_probe(self, account: str, endpoint: str, seen: Circuit, until: float) -> bool:
        if self.circuits[(account, endpoint)].open_until != seen.open_until:
            return False
        self.circuits[(account, endpoint)] = replace(seen, open_until=until)
        return True

    def close(self, account: str, endpoint: str) -> None:
        self.circuits.pop((account, endpoint), None)

    def take_turn(self, account: str, endpoint: str, *, turns: int, now: float, until: float) -> int | None:
        self.faults.check()
        for turn in range(turns):
            if self.turns.get((account, endpoint, turn), now) <= now:
                self.turns[(account, endpoint, turn)] = until
                return turn
        return None

    def end_turn(self, account: str, endpoint: str, turn: int) -> None:
        del self.turns[(account, endpoint, turn)]


@dataclass
class Held:
    """One record of the simulated queue."""

    id: str
    body: str
    sent_at: float
    visible_at: float
    again: bool
    taken: int = 0


class SimQueue:
    """PushQueue in simulated time. `longest` is what it will hide a record for."""

    def __init__(self, clock: FakeClock, visibility: float = 360.0, longest: float = 43200.0) -> None:
        self._clock, self._visibility, self.longest = clock, visibility, longest
        self._numbers = itertools.count()
        self.held: dict[str, Held] = {}
        self.dead: dict[str, tuple[str, str]] = {}
        self.hidden_most = 0

    def put(self, events: Sequence[PushEvent]) -> None:
        for one in events:
            self.put_raw(to_json(one))

    def put_raw(self, body: str, seconds: float = 0.0, again: bool = False) -> None:
        name, now = f"r{next(self._numbers)}", self._clock.now()
        self.held[name] = Held(name, body, now, now + round(seconds), again)

    def put_back(self, event: PushEvent, seconds: float) -> None:
        assert 0 <= round(seconds) <= 900  # SQS quota: DelaySeconds
        self.put_raw(to_json(event), seconds, again=True)

    def defer(self, receipt: str, seconds: float) -> bool:
        if seconds > self.longest:
            return False
        self.held[receipt].visible_at = self._clock.now() + round(seconds)
        return True

    def bury(self, body: str, account: str, reason: str) -> None:
        assert reason
        self.dead[f"d{next(self._numbers)}"] = (body, reason)

    def exhume(self, limit: int) -> Sequence[tuple[str, str]]:
        given = [(name, body) for name, (body, _) in self.dead.items() if not name.startswith("!")][: min(limit, 10)]
        for name, _ in given:
            self.dead["!" + name] = self.dead.pop(name)
        return given

    def forget_dead(self, receipt: str) -> None:
        del self.dead["!" + receipt]

    def take(self, most: int = 10) -> list[Delivery]:
        now = self._clock.now()
        taken = [held for held in self.held.values() if held.visible_at <= now][:most]
        for held in taken:
            held.taken += 1
            held.visible_at = now + self._visibility
        self.hidden_most = max(self.hidden_most, sum(h.taken > 0 and h.visible_at > now for h in self.held.values()))
        return [
            Delivery(id=h.id, receipt=h.id, body=h.body, handed_at=h.sent_at, taken=h.taken, again=h.again)
            for h in taken
        ]

    def next_at(self) -> float | None:
        return min((held.visible_at for held in self.held.values()), default=None)


@dataclass
class FakeMetrics:
    told: list[tuple[str, int, int, float]] = field(default_factory=list)

    def pushes(self, account: str, *, attempts: int, failures: int, oldest_s: float) -> None:
        self.told.append((account, attempts, failures, oldest_s))


class FakeReceivers:
    """Egress: one function answers for all receivers; keeps (time, webhook-id, url)."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.answer: Answer = lambda _url, _headers: OK
        self.got: list[tuple[float, str, str]] = []

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> PushAttempt:
        self.got.append((self._clock.now(), headers["webhook-id"], url))
        return replace(self.answer(url, headers), at=self._clock.now())

    def check_host(self, host: str) -> str:
        return ""

    def ids(self) -> list[str]:
        return [event_id for _, event_id, _ in self.got]


class PushWorld:
    """Everything that delivering needs, and time that passes only when nothing is left to do."""

    def __init__(self, **settings: object) -> None:
        self.clock = FakeClock()
        self.accounts = FakeAccounts()
        self.log, self.metrics = FakePushLog(), FakeMetrics()
        self.queue, self.receivers = SimQueue(self.clock), FakeReceivers(self.clock)
        self.chance, self.alerts = 0.5, FakeAlerts()
        self.by = Pushing(
            accounts=self.accounts, log=self.log, queue=self.queue, egress=self.receivers, metrics=self.metrics,
            alerts=self.alerts, clock=self.clock, chance=lambda: self.chance,
        )  # fmt: skip
        self.desk = PushDesk(accounts=self.accounts, log=self.log, queue=self.queue, clock=self.clock)
        self.account("acme", **settings)

    def account(self, name: str, **settings: object) -> None:
        if self.accounts.account(name) is None:
            self.accounts.put_account(Account(name=name, credential=""))
        base: dict[str, object] = {"enable": 1, "url_host": f"{name}.example"}
        self.accounts.save_push_settings(name, stored(PushSettings(**(base | settings))))  # type: ignore[arg-type]

    def round(self) -> list[str]:
        """One batch; the ids it kept."""
        batch = self.queue.take()
        kept = deliver(batch, self.by)
        for delivery in batch:
            if delivery.id not in kept:
                del self.queue.held[delivery.id]
        return kept

    def run(self, seconds: float) -> None:
        """All that happens within this time."""
        end = self.clock.now() + seconds
        while (at := self.queue.next_at()) is not None and at <= end:
            self.clock.time = max(self.clock.time, at)
            self.round()
        self.clock.time = end
