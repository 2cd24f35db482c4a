"""What a run of the sweeper asks of DynamoDB, all of it, counted on real tables (moto)."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from benchmarks.fleet import WATCH_BYTES
from shared.aws import keys
from shared.aws.account_rows import agent_row
from shared.aws.account_table import AccountTable
from shared.aws.items import number, text
from shared.aws.outbox_table import OutboxTable
from shared.message import Message
from shared.outages import LOST_AFTER_S
from shared.usecases.capping import Capping
from shared.usecases.reroute import Rerouter
from shared.usecases.sweep import Sweeper
from tests.fakes import FakeAlerts, FakeClock, FakeLink, FakePushQueue, FakeSiteMetrics, FakeTallies
from tests.meter import Meter
from tests.samples import NOW, account, agent, message, span
from tests.stack_tables import stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HOUR = 3600.0
DUE, AWAY, BROKEN = "site-1", "site-2", "site-3"  # not heard of any more; not connected; with a span that is lost
QUIET_MINUTE = NOW - NOW % 300 + 120  # in which the agents are not counted


class Region:
    """So many sites, of three of which something is due."""

    def __init__(self, client: "DynamoDBClient", sites: int) -> None:
        self.clock, self.alerts = FakeClock(QUIET_MINUTE - LOST_AFTER_S - 60), FakeAlerts()
        self.accounts = AccountTable(client, "Config", self.clock)
        self.outbox = OutboxTable(client, "Outbox", retention_days=90)
        capping, link = Capping(FakeTallies(), self.clock), FakeLink()
        rerouter = Rerouter(accounts=self.accounts, outbox=self.outbox, link=link, capping=capping, clock=self.clock)
        self.sweeper = Sweeper(
            accounts=self.accounts,
            outbox=self.outbox,
            pushes=FakePushQueue(),
            alerts=self.alerts,
            metrics=FakeSiteMetrics(),
            rerouter=rerouter,
            clock=self.clock,
        )
        self.accounts.put_account(account())
        _put_sites(client, sites)
        self.accounts.disconnected("acme", AWAY, connection="c2", at=QUIET_MINUTE)
        for broken in (span(), span(available=False, reason="SIM PIN required")):
            self.accounts.save_spans("acme", BROKEN, [broken], at=0, whole=True)
        self.accounts.allot_ports("acme", BROKEN, [span()])
        self.clock.time = QUIET_MINUTE
        self._meter = Meter(client)

    def wait(self, *messages: Message) -> None:
        for each in messages:
            self.outbox.add([each])

    def run(self) -> tuple[Counter[str], float]:
        """Calls, and units of reading."""
        self.clock.sleep(5)  # past what a process remembers
        self._meter.reset()
        self.sweeper.run()
        return Counter(self._meter.calls), self._meter.reads


def _put_sites(client: "DynamoDBClient", sites: int) -> None:
    rows = []
    for n in range(1, sites + 1):
        expected = NOW - HOUR if f"site-{n}" == DUE else NOW + 9 * HOUR
        watch = {"watch": text(keys.watch_shard("acme", f"site-{n}")), "expected_by": number(expected)}
        rows.append({**agent_row(agent(f"site-{n}")), "connection": text(f"c{n}"), **watch})
    for start in range(0, len(rows), 25):
        run = rows[start : start + 25]
        client.batch_write_item(RequestItems={"Config": [{"PutRequest": {"Item": row}} for row in run]})


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator["DynamoDBClient"]:
    with stack(monkeypatch) as made:
        yield made


def _overdue(n: int) -> Message:
    return message(f"late-{n}", agent=AWAY, deadline=NOW - HOUR)


def _unposted(n: int) -> Message:
    return message(f"never-{n}", agent=AWAY, posted=False, deadline=NOW + 9 * HOUR, wanted=(1, 2))


def _waiting(n: int) -> Message:
    return message(f"waits-{n}", agent="site-4", deadline=NOW + 9 * HOUR)


def _ran(monkeypatch: pytest.MonkeyPatch, sites: int, *, counting: bool) -> tuple[Counter[str], float]:
    with stack(monkeypatch) as made:
        region = Region(made, sites)
        region.wait(*map(_overdue, range(5)), *map(_unposted, range(5)), *map(_waiting, range(5)))
        if counting:
            region.clock.time += 180
        calls, reads = region.run()
        assert [subject for subject, _ in region.alerts.told] == ["site offline", "span lost"]
        return calls, reads


def test_the_cost_follows_what_is_due_and_not_how_many_sites_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (_ran(monkeypatch, sites, counting=False) for sites in (10, 600))
    assert few == many
    calls, reads = few
    # Who is due: a Query a shard, of agents and of spans. Of the lost span: its agent, its row three times, its port.
    # Of who is silent: two writes. Of the overdue: whom they wait for, five writes and five to settle. The others: they
    # themselves, and in two reads where they might go.
    assert calls == {"Query": 18, "Scan": 1, "GetItem": 5, "BatchGetItem": 3, "UpdateItem": 14}
    assert reads <= 30


def test_only_the_count_of_agents_grows_with_them_and_by_no_more_than_the_page_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quiet, few, many = (_ran(monkeypatch, sites, counting=n > 0) for n, sites in enumerate((10, 10, 600)))
    assert many[0] == few[0] == quiet[0] + Counter({"Query": keys.WATCH_SHARDS})
    assert few[1] - quiet[1] == keys.WATCH_SHARDS / 2  # the least that a Query costs
    assert 0 < many[1] - few[1] <= 600 * WATCH_BYTES / 4096 / 2 + keys.WATCH_SHARDS / 2


def test_what_waits_for_sites_that_are_there_costs_its_share_of_the_scan_and_no_call(client: "DynamoDBClient") -> None:
    region = Region(client, 10)
    region.run()
    before = region.run()
    region.wait(*map(_waiting, range(200)))
    after = region.run()
    assert after[0] == before[0]
    assert 0 < after[1] - before[1] <= 200 * 250 / 4096 / 2


def test_what_never_left_and_may_go_nowhere_costs_a_unit_each_and_a_call_for_fifty(client: "DynamoDBClient") -> None:
    region = Region(client, 10)
    region.run()
    region.wait(_unposted(0))
    before = region.run()
    region.wait(*map(_unposted, range(1, 101)))
    calls, reads = region.run()
    assert calls - before[0] == {"BatchGetItem": 2}
    assert 100 <= reads - before[1] <= 100 + 100 * 250 / 4096 / 2 + 1
