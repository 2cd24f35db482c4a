"""The operator's desk on real tables (moto), with stand-ins for what is outside of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

import pytest
from moto import mock_aws

from shared.audit import Entry
from shared.aws.account_table import AccountTable
from shared.aws.audited_table import AuditedTable
from shared.aws.clients import Clients
from shared.message import Agent, Limits
from shared.usecases.administration import Desk, create_account
from shared.usecases.administration_agents import add_agent
from tests.fakes import FakeClock, FakeLink, FakeOutbox, FakePushQueue, FakeTallies
from tests.samples import NOW, span
from tests.stack_tables import create_tables


@dataclass
class Office:
    """A desk, and what a test looks at around it."""

    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    link: FakeLink = field(default_factory=FakeLink)
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    pushes: FakePushQueue = field(default_factory=FakePushQueue)

    def __post_init__(self) -> None:
        self.client = Clients(region="eu-central-1").dynamodb()
        create_tables(self.client)
        self.accounts = AccountTable(self.client, "Config", self.clock)
        self.store = AuditedTable(self.client, "Config")
        parts = {
            "accounts": self.accounts,
            "store": self.store,
            "outbox": self.outbox,
            "link": self.link,
            "pushes": self.pushes,
            "clock": self.clock,
            "tallies": FakeTallies(),
            "who": "ann",
        }
        self.desk = Desk(**{each.name: parts[each.name] for each in fields(Desk)})  # type: ignore[arg-type]

    def audit(self, account: str = "") -> list[tuple[str, str, str]]:
        """Oldest first: what was done, to whom, and the words about it."""
        return [(e.did, e.account, e.what) for e in reversed(self.entries(account))]

    def entries(self, account: str = "") -> list[Entry]:
        return list(self.store.entries(account, 0.0, 1000))

    def later(self, seconds: float = 5.0) -> None:
        """Past what a process remembers."""
        self.clock.sleep(seconds)

    def with_site(self) -> None:
        """An account with one site online and two spans."""
        create_account(self.desk, "acme", password="p", limits=Limits())
        add_agent(self.desk, "acme", "site-1", site="Berlin")
        infos = [span("imei:1"), span("imei:2")]
        self.accounts.allot_ports("acme", "site-1", infos)
        self.accounts.save_spans("acme", "site-1", infos, at=NOW, whole=True)
        self.link.open("c1")
        self.accounts.connected("acme", "site-1", connection="c1", since=NOW, at=NOW)
        self.later()

    def agent(self) -> Agent:
        found = self.accounts.agent("acme", "site-1")
        assert found
        return found


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield Office()
