import pytest

from shared.lifecycle import State
from shared.ports import Unavailable
from shared.usecases.capping import Capping
from shared.usecases.reroute import Rerouter
from shared.usecases.sweep import Sweeper
from tests.fakes import (
    FakeAccounts,
    FakeAlerts,
    FakeClock,
    FakeLink,
    FakeOutbox,
    FakePushQueue,
    FakeSiteMetrics,
    FakeTallies,
)
from tests.samples import NOW, account, agent, message, span

HOUR = 3600.0


class World:
    def __init__(self) -> None:
        self.accounts, self.outbox, self.pushes = FakeAccounts(), FakeOutbox(), FakePushQueue()
        self.alerts, self.clock = FakeAlerts(), FakeClock(NOW)
        self.accounts.clock = self.clock
        self.accounts.put_account(account())
        self.accounts.put_agent(agent())
        self.link, self.metrics, self.tallies = FakeLink(), FakeSiteMetrics(), FakeTallies()
        self.sweeper = self.made(self.accounts)

    def made(self, accounts: FakeAccounts) -> Sweeper:
        capping = Capping(self.tallies, self.clock)
        rerouter = Rerouter(accounts=accounts, outbox=self.outbox, link=self.link, capping=capping, clock=self.clock)
        return Sweeper(
            accounts=accounts,
            outbox=self.outbox,
            pushes=self.pushes,
            alerts=self.alerts,
            metrics=self.metrics,
            rerouter=rerouter,
            clock=self.clock,
        )

    def state(self, message_id: str = "m1") -> State:
        return self.outbox.rows[("acme", message_id)].state


@pytest.fixture
def world() -> World:
    return World()


def test_an_overdue_message_of_an_absent_site_expires_and_its_push_is_enqueued(world: World) -> None:
    world.outbox.add([message("m1"), message("m2", deadline=NOW + 9 * HOUR)])
    world.clock.sleep(HOUR + 61)
    swept = world.sweeper.run()
    assert (swept.expired, swept.waiting, swept.oldest_s) == (1, 2, HOUR + 61)
    assert (world.state("m1"), world.state("m2")) == (State.EXPIRED, State.QUEUED)
    (push,) = world.pushes.events
    assert (push.status, push.cause) == ("FAILED", "expired: its time was up before the site could send it")
    assert world.outbox.count_pending("acme", "site-1", 10) == 1


def test_nothing_expires_at_its_deadline_to_the_second(world: World) -> None:
    world.outbox.add([message()])
    world.clock.sleep(HOUR + 30)
    assert world.sweeper.run().expired == 0


def test_a_connected_agent_gets_its_chance_first(world: World) -> None:
    world.outbox.add([message()])
    world.accounts.connected("acme", "site-1", connection="c1", since=NOW, at=NOW + HOUR)
    world.clock.sleep(HOUR + 61)
    assert world.sweeper.run().expired == 0
    world.clock.sleep(600)
    assert world.sweeper.run().expired == 1


def test_what_the_agent_told_meanwhile_stands(world: World) -> None:
    world.outbox.add([message(state=State.SENT, ended_at=NOW)])
    world.outbox.kept.add(("acme", "m1"))
    world.clock.sleep(2 * HOUR)
    world.sweeper.run()
    assert world.state() is State.SENT
    assert world.pushes.events == []
    assert world.outbox.kept == set()


@pytest.mark.parametrize("fault_at", ["push", "settle"])
def test_a_crash_between_expiry_and_push_loses_no_push(world: World, fault_at: str) -> None:
    world.outbox.add([message()])
    world.clock.sleep(2 * HOUR)
    if fault_at == "push":
        world.pushes.faults.then(Unavailable("down"))
    else:
        world.outbox.faults.then(None, None, Unavailable("down"))
    with pytest.raises(Unavailable):
        world.sweeper.run()
    world.sweeper.run()
    assert world.state() is State.EXPIRED
    assert {e.id for e in world.pushes.events} == {"m1-result-failed-expired"}
    assert world.outbox.count_pending("acme", "site-1", 10) == 0
    assert world.sweeper.run().expired == 0


def test_a_backlog_too_long_for_one_run_is_left_for_the_next(world: World) -> None:
    world.outbox.add([message(f"m{n}") for n in range(120)])
    world.clock.sleep(2 * HOUR)
    put = world.pushes.put

    def slowly(events: object) -> None:
        world.clock.sleep(25)
        put(events)  # type: ignore[arg-type]

    world.pushes.put = slowly  # type: ignore[method-assign]
    assert world.sweeper.run().expired == 100
    assert world.sweeper.run().expired == 20


def test_a_site_that_stays_away_is_told_of_once(world: World) -> None:
    world.accounts.connected("acme", "site-1", connection="c1", since=NOW, at=NOW)
    world.accounts.disconnected("acme", "site-1", connection="c1", at=NOW + 60)
    world.clock.sleep(300)
    assert world.sweeper.run().offline == 0
    world.clock.sleep(120)
    assert world.sweeper.run().offline == 1
    assert world.sweeper.run().offline == 0
    assert world.alerts.told == [("site offline", "acme/site-1 (Berlin) was last heard of at 2025-06-15 15:07:40 UTC")]


def test_a_topic_out_of_reach_swallows_no_alert_and_keeps_nothing_else_from_being_done(world: World) -> None:
    for n in (1, 2):
        world.accounts.agents["acme", f"site-{n}"] = agent(f"site-{n}")
        world.accounts.connected("acme", f"site-{n}", connection=f"c{n}", since=NOW, at=NOW)
    world.outbox.add([message()])
    world.clock.sleep(5 * HOUR)
    world.alerts.faults.then(Unavailable("throttled"), None, Unavailable("throttled"))
    assert (world.sweeper.run().expired, world.state()) == (1, State.EXPIRED)
    assert {one.connection for one in world.accounts.agents.values()} == {""}
    assert [world.sweeper.run().offline for _ in range(4)] == [1, 1, 0, 0]
    assert [text.partition(" ")[0] for _, text in world.alerts.told] == ["acme/site-1", "acme/site-2"]


def test_a_crash_after_an_alert_repeats_it(world: World) -> None:
    world.accounts.connected("acme", "site-1", connection="c1", since=NOW, at=NOW)
    world.clock.sleep(5 * HOUR)
    world.accounts.faults.then(None, None, Unavailable("down"))
    with pytest.raises(Unavailable):
        world.sweeper.run()
    world.sweeper.run()
    world.sweeper.run()
    assert [subject for subject, _ in world.alerts.told] == ["site offline"] * 2


def test_who_came_back_while_it_was_told_of_is_watched_again(world: World) -> None:
    world.accounts.connected("acme", "site-1", connection="c1", since=NOW, at=NOW)
    world.clock.sleep(5 * HOUR)
    world.accounts.missed("acme", "site-1", before=world.clock.now())
    world.accounts.connected("acme", "site-1", connection="c2", since=world.clock.now(), at=world.clock.now())
    world.accounts.missed_told("acme", "site-1")
    world.clock.sleep(5 * HOUR)
    assert world.sweeper.run().offline == 1


def test_a_site_that_the_operator_shut_out_is_not_told_of(world: World) -> None:
    world.accounts.connected("acme", "site-1", connection="c1", since=NOW, at=NOW)
    world.accounts.agents["acme", "site-1"] = agent(revoked=True, connection="c1")
    world.accounts.disconnected("acme", "site-1", connection="c1", at=NOW + 1)
    world.clock.sleep(HOUR)
    world.sweeper.run()
    assert world.alerts.told == [] and world.accounts.unheard(world.clock.now()) == ()
    assert world.metrics.available == [("site-1", 0)]


def test_a_silent_site_whose_connection_never_closed_is_no_longer_posted_to(world: World) -> None:
    world.accounts.connected("acme", "site-1", connection="c1", since=NOW, at=NOW)
    world.clock.sleep(1201)
    world.sweeper.run()
    assert world.accounts.agents[("acme", "site-1")].connection == ""


def test_what_waits_for_an_absent_site_goes_to_one_that_is_there(world: World) -> None:
    for n, site in enumerate(("site-1", "site-2"), start=1):
        if site != "site-1":
            world.accounts.put_agent(agent(site))
        world.accounts.save_spans("acme", site, [span(f"imei:{n}")], at=NOW, whole=True)
        world.accounts.allot_ports("acme", site, [span(f"imei:{n}")])
    world.accounts.connected("acme", "site-2", connection="c2", since=NOW, at=NOW)
    world.link.open("c2")
    world.outbox.add([message(posted=False), message("m2")])
    swept = world.sweeper.run()
    assert (swept.moved, swept.waiting) == (1, 2)
    assert world.outbox.rows["acme", "m1"].agent == "site-2"
    assert world.outbox.rows["acme", "m2"].agent == "site-1"
    assert len(world.link.posted["c2"]) == 1


def test_a_site_that_went_away_counts_as_one_without_spans(world: World) -> None:
    world.accounts.connected("acme", "site-1", connection="c1", since=NOW, at=NOW)
    world.clock.sleep(1201)
    world.sweeper.run()
    assert world.metrics.available == [("site-1", 0)]
