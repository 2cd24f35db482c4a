"""In-memory stand-ins for every Protocol of shared/ports.py. They keep the contracts; tests of use cases need no AWS.

Each takes a `Faults`, by which a test makes the next calls raise: `faults.then(Unavailable("throttled"))`.
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared import outages
from shared.lifecycle import has_ended
from shared.message import (
    Account,
    Agent,
    AgentKey,
    Change,
    Life,
    Listed,
    Message,
    Port,
    Received,
    Site,
    Snapshot,
    after,
)
from shared.ports import Backlog, Clock, Gone, OutboxFilter, Overdue, Page, Recorded, Tally, Unposted
from shared.presence import BACK_WITHIN_S, SILENT_AFTER_S
from shared.push_event import PushEvent, to_json
from shared.push_record import PushAttempt
from shared.wire import FromCloud, SpanInfo


class FakeClock:
    """Stands still until told otherwise."""

    def __init__(self, now: float = 1_750_000_000.0) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class Faults:
    """What the next calls raise; None lets one call through."""

    waiting: deque[Exception | None] = field(default_factory=deque)

    def then(self, *faults: Exception | None) -> None:
        self.waiting.extend(faults)

    def check(self) -> None:
        fault = self.waiting.popleft() if self.waiting else None
        if fault is not None:
            raise fault


class FakeOutbox:
    """OutboxStore."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Message] = {}
        self.kept: set[tuple[str, str]] = set()  # ended, but not settled
        self.faults = Faults()
        self.writes = 0

    def add(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        self.faults.check()
        there = tuple(self.rows[(m.account, m.id)] for m in messages if (m.account, m.id) in self.rows)
        if not there:
            self.rows.update({(m.account, m.id): m for m in messages})
            self.writes += len(messages)
        return there

    def get(self, account: str, ids: Sequence[str]) -> tuple[Message, ...]:
        self.faults.check()
        return tuple(self.rows[(account, i)] for i in ids if (account, i) in self.rows)

    def look(self, account: str, ids: Sequence[str]) -> tuple[Message, ...]:
        return self.get(account, ids)

    def record(
        self, account: str, message_id: str, change: Change, *, settle: bool = True
    ) -> tuple[Recorded, Message | None]:
        self.faults.check()
        old = self.rows.get((account, message_id))
        if old is None:
            return Recorded.UNKNOWN, None
        new = after(old, change)
        if new is None:
            return Recorded.UNCHANGED, old
        self.rows[(account, message_id)] = new
        self.writes += 1
        if settle:
            self.kept.discard((account, message_id))
        elif not has_ended(old.state):
            self.kept.add((account, message_id))
        return Recorded.CHANGED, new

    def settle(self, account: str, message_id: str) -> None:
        self.faults.check()
        self.kept.discard((account, message_id))

    def pending(self, account: str, agent: str, cursor: str, limit: int) -> Page:
        self.faults.check()
        run = [m for m in self._queue(account, agent) if m.place > cursor]
        return Page(tuple(run[:limit]), run[limit - 1].place if len(run) > limit else "")

    def count_pending(self, account: str, agent: str, up_to: int) -> int:
        self.faults.check()
        return min(len(self._queue(account, agent)), up_to)

    def count_waiting(self, account: str, up_to: int) -> Mapping[int, int]:
        self.faults.check()
        return Counter([m.port for m in self._waiting() if m.account == account and not has_ended(m.state)][:up_to])

    def backlog(self, before: float) -> Backlog:
        self.faults.check()
        waiting = sorted(self._waiting(), key=lambda m: m.deadline)
        overdue = tuple(Overdue((m.account, m.agent), m.id, m.deadline) for m in waiting if m.deadline < before)
        never = [m for m in waiting if not m.posted and not has_ended(m.state) and m.deadline >= before]
        unposted = tuple(Unposted((m.account, m.agent), m.id) for m in never)
        return Backlog(len(waiting), min((m.accepted_at for m in waiting), default=None), overdue, unposted)

    def claim_posting(self, account: str, message_id: str, agent: str) -> bool:
        self.faults.check()
        m = self.rows.get((account, message_id))
        if m is None or m.posted or m.agent != agent or has_ended(m.state):
            return False
        self.rows[(account, message_id)] = replace(m, posted=True)
        self.writes += 1
        return True

    def move(self, moved: Message, *, away_from: str) -> bool:
        self.faults.check()
        m = self.rows.get((moved.account, moved.id))
        if m is None or m.posted or m.agent != away_from or has_ended(m.state):
            return False
        self.rows[(m.account, m.id)] = replace(
            m, agent=moved.agent, pool=moved.pool, spans=moved.spans, port=moved.port, port_name=moved.port_name
        )
        self.writes += 1
        return True

    def history(
        self,
        account: str,
        where: OutboxFilter,
        *,
        skip: int,
        limit: int,
        include_pending: bool,
        with_total: bool = False,
    ) -> Listed[Message]:
        self.faults.check()
        found = self._history(account, where, include_pending)
        return Listed(found[skip : skip + limit], len(found) if with_total else None)

    def _history(self, account: str, where: OutboxFilter, include_pending: bool) -> tuple[Message, ...]:
        timed = [
            (m.accepted_at if m.ended_at is None else m.ended_at, m.id, m)
            for m in self.rows.values()
            if m.account == account and (has_ended(m.state) or include_pending)
        ]
        return tuple(m for at, _, m in sorted(timed, key=lambda t: t[:2], reverse=True) if where.matches(m.to, at))

    def _waiting(self) -> list[Message]:
        return [m for k, m in self.rows.items() if not has_ended(m.state) or k in self.kept]

    def _queue(self, account: str, agent: str) -> list[Message]:
        return sorted((m for m in self._waiting() if (m.account, m.agent) == (account, agent)), key=lambda m: m.place)


class FakeInbox:
    """InboxStore."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Received] = {}
        self.faults = Faults()

    def add(self, received: Received) -> bool:
        self.faults.check()
        new = (received.account, received.id) not in self.rows
        self.rows.setdefault((received.account, received.id), received)
        return new

    def page(
        self, account: str, where: OutboxFilter, *, skip: int, limit: int, with_total: bool = False
    ) -> Listed[Received]:
        self.faults.check()
        found = self._found(account, where)
        return Listed(found[skip : skip + limit], len(found) if with_total else None)

    def _found(self, account: str, where: OutboxFilter) -> tuple[Received, ...]:
        found = [r for r in self.rows.values() if r.account == account and where.matches(r.sender, r.at)]
        return tuple(sorted(found, key=lambda r: (r.at, r.id), reverse=True))


class FakeAccounts:
    """AccountStore, without caches. Give it the clock of the test where outages matter."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.agents: dict[AgentKey, Agent] = {}
        self.expected: dict[AgentKey, float] = {}  # to be heard of before
        self.told: dict[AgentKey, dict[str, tuple[float, SpanInfo]]] = {}
        self.outages: dict[AgentKey, outages.Outages] = {}
        self.spans_at: dict[AgentKey, float] = {}  # when something is to be told of them
        self.clock: Clock = FakeClock()
        self.ports: dict[tuple[str, int], Port] = {}
        self.settings: dict[str, dict[str, str | int]] = {}
        self.faults = Faults()
        self.seen_writes = 0

    def account(self, name: str) -> Account | None:
        self.faults.check()
        return self.accounts.get(name)

    def snapshot(self, name: str) -> Snapshot | None:
        self.faults.check()
        return self._snapshot(name, {k: p for (a, k), p in self.ports.items() if a == name})

    def snapshot_of_ports(self, name: str, numbers: Sequence[int]) -> Snapshot | None:
        self.faults.check()
        ports = {n: self.ports[(name, n)] for n in numbers if (name, n) in self.ports}
        whole = self._snapshot(name, ports)
        agents = {p.agent for p in ports.values()}
        return whole and replace(whole, sites={i: s for i, s in whole.sites.items() if i in agents})

    def _snapshot(self, name: str, ports: dict[int, Port]) -> Snapshot | None:
        if name not in self.accounts:
            return None
        sites = {
            i: Site(agent, self.spans(a, i), {span: at for span, (at, _) in self.told.get((a, i), {}).items()})
            for (a, i), agent in self.agents.items()
            if a == name
        }
        return Snapshot(self.accounts[name], sites, ports)

    def put_account(self, account: Account) -> bool:
        self.faults.check()
        return self.accounts.setdefault(account.name, account) is account

    def agent(self, account: str, agent_id: str) -> Agent | None:
        self.faults.check()
        return self.agents.get((account, agent_id))

    def put_agent(self, agent: Agent) -> bool:
        self.faults.check()
        return self.agents.setdefault((agent.account, agent.id), agent) is agent

    def connected(
        self,
        account: str,
        agent_id: str,
        *,
        connection: str,
        since: float,
        at: float,
        life: Life | None = None,
    ) -> bool:
        self.faults.check()
        key = (account, agent_id)
        old = self.agents.get(key)
        if old is None or old.connected_at > since:
            return False
        self.agents[key] = replace(
            old,
            connection=connection,
            connected_at=since,
            last_seen=at,
            offline_told=False,
            life=life or old.life,
        )
        self.expected[key] = at + SILENT_AFTER_S
        return True

    def disconnected(self, account: str, agent_id: str, *, connection: str, at: float) -> bool:
        self.faults.check()
        key = (account, agent_id)
        if key not in self.agents or self.agents[key].connection != connection:
            return False
        self.agents[key] = replace(self.agents[key], connection="", last_seen=at)
        self.expected[key] = at + BACK_WITHIN_S
        return True

    def seen(self, account: str, agent_id: str, *, at: float) -> None:
        self.faults.check()
        key = (account, agent_id)
        if key in self.agents:
            self.agents[key] = replace(self.agents[key], last_seen=at)
            self.expected[key] = at + SILENT_AFTER_S
            self.seen_writes += 1

    def unheard(self, before: float) -> Sequence[AgentKey]:
        self.faults.check()
        return tuple(sorted(key for key, at in self.expected.items() if at < before))

    def count_expected(self) -> int:
        return len(self.expected)

    def missed(self, account: str, agent_id: str, *, before: float) -> Agent | None:
        self.faults.check()
        key = (account, agent_id)
        if self.expected.get(key, before) >= before:
            return None
        before_that = self.agents[key]
        self.agents[key] = replace(before_that, connection="", offline_told=True)
        return before_that

    def missed_told(self, account: str, agent_id: str) -> None:
        self.faults.check()
        if self.agents[account, agent_id].offline_told:
            self.expected.pop((account, agent_id), None)

    def trade_code(self, account: str, agent_id: str, *, code: str, credential: str, at: float) -> bool:
        self.faults.check()
        old = self.agents.get((account, agent_id))
        if old is None or not code or old.enrolment.code != code or old.enrolment.traded_at or old.enrolment.until < at:
            return False
        self.agents[(account, agent_id)] = replace(
            old,
            credential=credential,
            revoked=False,
            doubled_at=0.0,
            enrolment=replace(old.enrolment, traded_at=at),
        )
        return True

    def note_double(self, account: str, agent_id: str, *, at: float) -> None:
        self.faults.check()
        if (account, agent_id) in self.agents:
            self.agents[(account, agent_id)] = replace(self.agents[(account, agent_id)], doubled_at=at)

    def note_sim(self, port: Port, iccid: str, *, at: float) -> bool:
        self.faults.check()
        old = self.ports.get((port.account, port.number))
        if old is None or old.iccid != port.iccid:
            return False
        changed = replace(old, iccid_before=old.iccid, sim_changed_at=at) if old.iccid else old
        self.ports[(port.account, port.number)] = replace(changed, iccid=iccid)
        return True

    def spans(self, account: str, agent_id: str) -> tuple[SpanInfo, ...]:
        return tuple(info for _, info in self.told.get((account, agent_id), {}).values())

    def save_spans(
        self, account: str, agent_id: str, spans: Sequence[SpanInfo], *, at: float, whole: bool
    ) -> Sequence[tuple[SpanInfo | None, SpanInfo]]:
        self.faults.check()
        known = self.told.setdefault((account, agent_id), {})
        before = {span: info for span, (_, info) in known.items()}
        if whole:
            known.clear()
        news = []
        for info in spans:
            if not whole and info.span in known and known[info.span][0] > at:
                continue
            known[info.span] = (at, info)
            if before.get(info.span) != info:
                news.append((before.get(info.span), info))
        key = (account, agent_id)
        self._watch(key, outages.noted(self.outages.get(key, {}), before, self._infos(key), self.clock.now()))
        return tuple(news)

    def _infos(self, key: AgentKey) -> dict[str, SpanInfo]:
        return {span: info for span, (_, info) in self.told.get(key, {}).items()}

    def _watch(self, key: AgentKey, known: outages.Outages) -> None:
        self.outages[key] = known
        due = outages.due_at(known, self._infos(key))
        self.spans_at.pop(key, None)
        if due is not None:
            self.spans_at[key] = due

    def spans_due(self, before: float) -> Sequence[AgentKey]:
        self.faults.check()
        return tuple(sorted(key for key, at in self.spans_at.items() if at < before))

    def span_news(self, account: str, agent_id: str, *, at: float) -> Sequence[SpanInfo]:
        self.faults.check()
        key = (account, agent_id)
        return outages.to_tell(self.outages.get(key, {}), self._infos(key), at)

    def note_told(self, account: str, agent_id: str, news: Sequence[SpanInfo], *, at: float, done: bool) -> None:
        self.faults.check()
        key = (account, agent_id)
        self._watch(key, outages.told(self.outages.get(key, {}), self._infos(key), news, at, done=done))

    def put_off_spans(self, account: str, agent_id: str, *, until: float) -> None:
        self.faults.check()
        if (account, agent_id) in self.spans_at:
            self.spans_at[account, agent_id] = until

    def allot_ports(self, account: str, agent_id: str, spans: Sequence[SpanInfo]) -> Mapping[str, Port]:
        self.faults.check()
        for info in spans:
            if info.span not in self.ports_of(account, agent_id):
                n = 1 + max((k for a, k in self.ports if a == account), default=0)
                name = info.name or f"{info.technology or 'gsm'}-1.{n}"
                port = Port(account=account, number=n, agent=agent_id, span=info.span, name=name)
                port = replace(port, told_name=info.name, technology=info.technology)
                self.ports[(account, n)] = port
        return self.ports_of(account, agent_id)

    def ports_of(self, account: str, agent_id: str) -> Mapping[str, Port]:
        self.faults.check()
        return {p.span: p for (a, _), p in sorted(self.ports.items()) if (a, p.agent) == (account, agent_id)}

    def port_of(self, account: str, agent_id: str, span: str) -> Port | None:
        return self.ports_of(account, agent_id).get(span)

    def push_settings(self, account: str) -> Mapping[str, str | int]:
        self.faults.check()
        return dict(self.settings.get(account, {}))

    def save_push_settings(
        self, account: str, settings: Mapping[str, str | int], *, before: Mapping[str, str | int] | None = None
    ) -> bool:
        self.faults.check()
        if before is not None and before != self.settings.get(account, {}):
            return False
        self.settings[account] = dict(settings)
        return True


class FakeLink:
    """AgentLink: frames by connection, in order; a connection that was not opened is gone."""

    def __init__(self) -> None:
        self.posted: dict[str, list[FromCloud]] = {}
        self.closed: list[str] = []
        self.faults = Faults()

    def open(self, connection: str) -> None:
        self.posted[connection] = []

    def post(self, connection: str, frame: FromCloud) -> None:
        self.faults.check()
        if connection not in self.posted or connection in self.closed:
            raise Gone(connection)
        self.posted[connection].append(frame)

    def close(self, connection: str) -> None:
        self.closed.append(connection)


class FakePushQueue:
    """PushQueue: what was put, what was deferred, and the dead letters."""

    def __init__(self) -> None:
        self.events: list[PushEvent] = []
        self.deferred: dict[str, float] = {}
        self.put_backs: list[tuple[PushEvent, float]] = []
        self.dead: dict[str, str] = {}
        self.faults = Faults()

    def put(self, events: Sequence[PushEvent]) -> None:
        self.faults.check()
        self.events.extend(events)

    def defer(self, receipt: str, seconds: float) -> bool:
        self.faults.check()
        self.deferred[receipt] = seconds
        return True

    def put_back(self, event: PushEvent, seconds: float) -> None:
        self.faults.check()
        self.put_backs.append((event, seconds))

    def bury(self, body: str, account: str, reason: str) -> None:
        self.faults.check()
        self.dead[f"dead-{len(self.dead)}"] = body

    def exhume(self, limit: int) -> Sequence[tuple[str, str]]:
        self.faults.check()
        return tuple(self.dead.items())[:limit]

    def forget_dead(self, receipt: str) -> None:
        self.dead.pop(receipt, None)

    def bodies(self) -> list[str]:
        return [to_json(event) for event in self.events]


class FakeEgress:
    """Egress: answers from a list, the last one for ever; keeps what was asked."""

    def __init__(self, *answers: PushAttempt) -> None:
        self.answers = deque(answers or (PushAttempt(status=200, error="", seconds=0.01),))
        self.requests: list[tuple[str, str, Mapping[str, str], bytes]] = []

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> PushAttempt:
        self.requests.append((method, url, dict(headers), body))
        return self.answers.popleft() if len(self.answers) > 1 else self.answers[0]

    def check_host(self, host: str) -> str:
        return ""


class FakeAlerts:
    """Alerts."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.faults = Faults()

    def tell(self, subject: str, text: str) -> None:
        self.faults.check()
        self.told.append((subject, text))


class FakeSiteMetrics:
    """SiteMetrics."""

    def __init__(self) -> None:
        self.available: list[tuple[str, int]] = []

    def spans(self, account: str, agent_id: str, *, available: int) -> None:
        self.available.append((agent_id, available))


class FakeTallies:
    """TallyStore."""

    def __init__(self) -> None:
        self.rows: dict[str, Tally] = {}
        self.faults = Faults()
        self.reads = 0
        self.writes = 0

    def read(self, *keys: str) -> Tally:
        self.faults.check()
        self.reads += 1
        found = [self.rows.get(key, Tally()) for key in keys]
        return Tally(sum(one.count for one in found), max(one.at for one in found))

    def read_all(self, keys: Sequence[str]) -> Mapping[str, Tally]:
        self.faults.check()
        self.reads += len(keys)
        return {key: self.rows[key] for key in keys if key in self.rows}

    def take(self, key: str, count: int, *, most: int, at: float, until: float) -> Tally | None:
        self.faults.check()
        self.writes += 1
        there = self.rows.get(key, Tally())
        if there.count + count > most:
            return there
        self.rows[key] = Tally(there.count + count, at)
        return None

    def add(self, key: str, count: int, *, at: float, until: float) -> Tally:
        self.faults.check()
        self.writes += 1
        self.rows[key] = Tally(self.rows.get(key, Tally()).count + count, at)
        return self.rows[key]


class FakeApiLog:
    """ApiLog."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, str]] = []
        self.messages: list[str] = []
        self.broken: list[tuple[str, BaseException]] = []

    def answered(
        self, *, uri: str, code: int, http: int, account: str, reference: str, seconds: float, messages: Sequence[str]
    ) -> None:
        self.calls.append((uri, code, account))
        self.messages += messages

    def broke(self, fault: BaseException, *, uri: str, reference: str) -> None:
        self.broken.append((reference, fault))
