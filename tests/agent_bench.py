"""The cloud's side of a talk with one agent, on stand-ins: connect, say frames, look at what came of them."""

from dataclasses import dataclass, field

from shared.message import Message
from shared.usecases.agent_line import Connection, SessionPorts
from shared.usecases.agent_session import disconnect, receive
from shared.wire import FromAgent, FromCloud, Hello, Jobs, SpanInfo, encode
from tests.fakes import (
    FakeAccounts,
    FakeAlerts,
    FakeClock,
    FakeInbox,
    FakeLink,
    FakeOutbox,
    FakePushQueue,
    FakeSiteMetrics,
    FakeTallies,
)
from tests.samples import NOW, account, agent, span


@dataclass
class Bench:
    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    inbox: FakeInbox = field(default_factory=FakeInbox)
    link: FakeLink = field(default_factory=FakeLink)
    pushes: FakePushQueue = field(default_factory=FakePushQueue)
    alerts: FakeAlerts = field(default_factory=FakeAlerts)
    metrics: FakeSiteMetrics = field(default_factory=FakeSiteMetrics)
    tallies: FakeTallies = field(default_factory=FakeTallies)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))

    def __post_init__(self) -> None:
        self.accounts.clock = self.clock
        self.accounts.put_account(account())
        self.accounts.put_agent(agent())
        self.ports = SessionPorts(
            accounts=self.accounts,
            outbox=self.outbox,
            inbox=self.inbox,
            link=self.link,
            pushes=self.pushes,
            alerts=self.alerts,
            metrics=self.metrics,
            tallies=self.tallies,
            clock=self.clock,
            heartbeat_s=240,
        )

    def open(self, connection: str, *, since: float | None = None) -> Connection:
        self.link.open(connection)
        at = self.clock.now() if since is None else since
        return Connection(account="acme", agent="site-1", id=connection, since=at)

    def say(self, connection: Connection, frame: FromAgent | str) -> list[FromCloud]:
        """What the cloud answered on that connection."""
        before = len(self.link.posted.get(connection.id, []))
        receive(frame if isinstance(frame, str) else encode(frame), connection, self.ports)
        return self.link.posted.get(connection.id, [])[before:]

    def hang_up(self, connection: Connection) -> None:
        disconnect(connection, self.ports)

    def greeted(self, name: str = "c1", **hello: object) -> Connection:
        """A connection on which hello was said."""
        connection = self.open(name)
        self.say(connection, greeting(**hello))
        self.clock.sleep(1)
        return connection

    def message(self, message_id: str = "m1") -> Message:
        return self.outbox.rows[("acme", message_id)]


def greeting(**differences: object) -> Hello:
    spans: tuple[SpanInfo, ...] = (span("imei:1"), span("imei:2"))
    usual = Hello(agent_version="1.0", boot_id="boot-1", journal_id="journal-1", spans=spans, held=0)
    return usual.model_copy(update=differences)


def job_ids(frames: list[FromCloud]) -> list[str]:
    return [job.id for frame in frames if isinstance(frame, Jobs) for job in frame.jobs]
