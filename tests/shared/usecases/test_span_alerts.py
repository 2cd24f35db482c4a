"""Which spans the operator hears of as lost and back, whatever their agent tells, restarts or leaves out."""

import pytest

from shared.outages import LOST_AFTER_S
from shared.ports import Unavailable
from shared.usecases.agent_line import Connection
from shared.usecases.span_alerts import tell_of_spans
from shared.wire import Spans
from tests.agent_bench import Bench
from tests.samples import NOW, agent, span

LOST = ("span lost", "acme/site-1 (Berlin) port 2 (lte-1.2): SIM PIN required")
BACK = ("span back", "acme/site-1 (Berlin) port 2 (lte-1.2): available again")


@pytest.fixture
def bench() -> Bench:
    return Bench()


def tells(bench: Bench, connection: Connection, *gone: str, **spans: str) -> None:
    """A frame of spans: `imei_2="SIM PIN required"`, an empty reason for one that is available."""
    named = {name.replace("_", ":"): reason for name, reason in spans.items()}
    changed = tuple(span(name, available=not reason, reason=reason) for name, reason in named.items())
    bench.say(connection, Spans(at=bench.clock.now(), changed=changed, gone=gone))


def swept(bench: Bench, seconds: float = 0.0) -> list[tuple[str, str]]:
    """What was told by the time so many seconds have passed, with a run of the sweeper each minute."""
    before = len(bench.alerts.told)
    until = bench.clock.now() + seconds
    while True:
        tell_of_spans(bench.accounts, bench.alerts, bench.clock, bench.clock.now() + 20)
        if bench.clock.now() >= until:
            return bench.alerts.told[before:]
        bench.clock.sleep(min(60.0, until - bench.clock.now()))


def test_a_span_that_stays_down_is_told_of_as_lost_once_and_then_as_back(bench: Bench) -> None:
    connection = bench.greeted()
    tells(bench, connection, imei_2="SIM PIN required")
    assert swept(bench, LOST_AFTER_S - 1) == []
    assert swept(bench, 3600) == [LOST]
    tells(bench, connection, imei_2="")
    assert swept(bench, 3600) == [BACK]


def test_passing_states_are_not_told_and_the_reason_is_the_last_one(bench: Bench) -> None:
    connection = bench.greeted()
    tells(bench, connection, imei_1="the modem restarted (RDY)", imei_2="the modem restarted (RDY)")
    bench.clock.sleep(20)
    tells(bench, connection, imei_1="registering", imei_2="SIM PIN required")
    bench.clock.sleep(100)
    tells(bench, connection, imei_1="")
    assert swept(bench, 3600) == [LOST]


def test_spans_lost_together_are_one_alert(bench: Bench) -> None:
    connection = bench.greeted()
    tells(bench, connection, "imei:1", "imei:2")
    ((subject, text),) = swept(bench, 300)
    assert subject == "span lost"
    assert text.splitlines() == [f"acme/site-1 (Berlin) port {n} (lte-1.{n}): no port leads to it" for n in (1, 2)]


def test_healthy_spans_are_not_told_of_however_often_their_agent_starts(bench: Bench) -> None:
    bench.greeted()
    for n in range(2, 6):
        connection = bench.greeted(f"c{n}", boot_id=f"boot-{n}", spans=())
        tells(bench, connection, imei_1="being set up", imei_2="being set up")
        bench.clock.sleep(90)
        tells(bench, connection, imei_1="", imei_2="")
        assert swept(bench, 600) == []


def test_a_span_that_comes_up_broken_after_a_restart_is_told_of(bench: Bench) -> None:
    bench.greeted()
    connection = bench.greeted("c2", boot_id="boot-2", spans=())
    tells(bench, connection, imei_1="", imei_2="not registered")
    tells(bench, connection, imei_2="SIM PIN required")
    assert swept(bench, 9000) == [LOST]
    tells(bench, connection, imei_2="")
    assert swept(bench, 60) == [BACK]


def test_a_span_that_is_broken_in_the_hello_itself_is_told_of(bench: Bench) -> None:
    bench.greeted()
    broken = span("imei:2", available=False, reason="SIM PIN required")
    bench.greeted("c2", boot_id="boot-2", spans=(span("imei:1"), broken))
    assert swept(bench, 9000) == [LOST]


def test_a_span_that_is_not_found_any_more_is_told_of_once_over_all_restarts(bench: Bench) -> None:
    bench.greeted()
    told = []
    for n in range(2, 5):
        connection = bench.greeted(f"c{n}", boot_id=f"boot-{n}", spans=(span("imei:1"),))
        bench.clock.sleep(120)
        tells(bench, connection, "imei:2")
        told += swept(bench, 600)
    assert told == [("span lost", "acme/site-1 (Berlin) port 2 (lte-1.2): no port leads to it")]
    assert bench.accounts.spans("acme", "site-1")[1].reason == "no port leads to it"


def test_an_agent_that_dies_again_and_again_before_it_has_found_its_spans_does_not_hide_them(bench: Bench) -> None:
    bench.greeted()
    told = []
    for n in range(2, 9):
        bench.greeted(f"c{n}", boot_id=f"boot-{n}", spans=(span("imei:1"),))
        told += swept(bench, 60)
    assert [subject for subject, _ in told] == ["span lost"]


def test_frames_that_come_twice_or_late_change_nothing(bench: Bench) -> None:
    connection = bench.greeted()
    down = Spans(at=NOW + 5, changed=(span("imei:2", available=False, reason="SIM PIN required"),))
    up = Spans(at=NOW + 9, changed=(span("imei:2"),))
    for frame in (down, down, up, down, up):
        bench.say(connection, frame)
    assert swept(bench, 3600) == []


def test_of_a_site_that_is_away_nothing_is_told_until_it_is_back(bench: Bench) -> None:
    connection = bench.greeted()
    tells(bench, connection, imei_2="SIM PIN required")
    bench.hang_up(connection)
    assert swept(bench, 7200) == []
    broken = span("imei:2", available=False, reason="SIM PIN required")
    bench.greeted("c2", spans=(span("imei:1"), broken))
    assert swept(bench, 60) == [LOST]


@pytest.mark.parametrize("revoked", [True, False])
def test_of_a_site_that_was_shut_out_or_removed_nothing_is_told(bench: Bench, revoked: bool) -> None:
    tells(bench, bench.greeted(), imei_2="SIM PIN required")
    if revoked:
        bench.accounts.agents["acme", "site-1"] = agent(revoked=True, connection="c1")
    else:
        del bench.accounts.agents["acme", "site-1"]
    assert swept(bench, 7200) == []


@pytest.mark.parametrize("crash", ["alert", "before it is noted"])
def test_a_crash_repeats_an_alert_and_swallows_none(bench: Bench, crash: str) -> None:
    connection = bench.greeted()
    for reason, expected in (("SIM PIN required", LOST), ("", BACK)):
        tells(bench, connection, imei_2=reason)
        bench.clock.sleep(LOST_AFTER_S + 1)
        faults = {"alert": bench.alerts.faults, "before it is noted": bench.accounts.faults}[crash]
        faults.then(*([None] * 5 if crash != "alert" else []), Unavailable("down"))
        with pytest.raises(Unavailable):
            swept(bench)
        assert swept(bench, 600) == [expected]
    assert len(bench.alerts.told) == (2 if crash == "alert" else 4)


def test_looking_for_lost_spans_reads_only_the_sites_that_have_some(bench: Bench) -> None:
    connection = bench.greeted()
    for n in range(2, 50):
        bench.accounts.put_agent(agent(f"site-{n}", connection=f"c{n}"))
        bench.accounts.save_spans("acme", f"site-{n}", [span()], at=NOW, whole=True)
    assert bench.accounts.spans_due(NOW + 9e9) == ()
    tells(bench, connection, imei_2="SIM PIN required")
    assert bench.accounts.spans_due(NOW + 9e9) == (("acme", "site-1"),)
