"""docs/scale.md is what the code says, and a fleet that was cut off at once comes back."""

import pytest

from benchmarks import scale
from benchmarks.fleet import Fleet, dollars, heat, hello_reads, lines, misses, month, storm_heat
from benchmarks.reconnect_storm import GATEWAY_PER_S, storm
from shared.aws.account_table import AccountTable
from shared.aws.keys import spans_shards
from shared.aws.outbox_table import OutboxTable
from shared.outages import LOST_AFTER_S
from shared.usecases.span_alerts import tell_of_spans
from shared.wire import SpanInfo, Spans
from tests.agent_bench import Bench
from tests.fakes import FakeClock
from tests.meter import Meter
from tests.samples import NOW
from tests.stack_tables import stack


def test_the_page_is_what_the_code_generates() -> None:
    assert scale.PAGE.read_text() == scale.as_markdown()


@pytest.mark.parametrize("away_s", [0.0, 10.0, 60.0, 600.0])
def test_ten_thousand_agents_are_back_within_minutes_of_the_gateway(away_s: float) -> None:
    came = storm(10_000, away_s=away_s)
    assert came.attempts - came.refused == 10_000
    assert 10_000 / GATEWAY_PER_S - 1 <= came.all_s <= 300
    assert came.half_s <= came.most_s <= came.all_s


def test_after_a_long_outage_agents_come_spread_out_and_hardly_any_is_refused() -> None:
    came = storm(10_000, away_s=600.0)
    assert came.busiest_s < GATEWAY_PER_S
    assert came.refused == 0


def test_the_gateways_quota_is_never_passed_and_a_larger_one_helps() -> None:
    assert storm(2_000, per_s=100).all_s > storm(2_000, per_s=1000).all_s
    assert storm(2_000, per_s=100).all_s >= 2_000 / 100 - 1


def test_what_grows_with_messages_grows_with_them_and_what_idles_does_not() -> None:
    one, two = (month(Fleet(messages_s=rate, received_s=0.0)) for rate in (100.0, 200.0))
    assert two["HTTP API calls"] == pytest.approx(2 * one["HTTP API calls"])
    assert two["WebSocket connection minutes"] == one["WebSocket connection minutes"]
    assert 1.8 < two["DynamoDB write units"] / one["DynamoDB write units"] <= 2


def test_a_send_writes_no_more_than_its_row_and_its_place_in_the_queue() -> None:
    (send, *_) = lines(Fleet())
    assert send.writes == 2


def test_naming_spans_spares_a_large_account_its_other_sites() -> None:
    assert dollars(Fleet(explicit=1.0))["DynamoDB read units"] < dollars(Fleet())["DynamoDB read units"] / 4


def test_no_partition_is_full_at_the_load_that_the_page_promises() -> None:
    assert max(one.share for one in heat(Fleet(), scale.HOT_ACCOUNT_S)) < 0.5
    storming = {one.where: one.share for one in storm_heat(Fleet(), GATEWAY_PER_S)}
    assert max(share for where, share in storming.items() if "all agents in one account" not in where) < 0.2
    assert max(storming.values()) <= 1


def test_the_hellos_of_a_storm_are_counted_with_what_they_read() -> None:
    """10,000 sites of one account read more than they write."""
    heats = {one.where: one.units for one in storm_heat(Fleet(), 500.0)}
    assert heats["Config `account`, all agents in one account: reads"] == 500 * (1 + hello_reads(32)["account"])
    assert heats["Config `account#slots`, all agents in one account: reads"] == 500 * hello_reads(32)["account#slots"]


def test_what_a_hello_and_a_change_of_a_span_read_is_what_the_page_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    with stack(monkeypatch) as client:
        clock = FakeClock(NOW)
        outbox = OutboxTable(client, "Outbox", retention_days=90)
        bench = Bench(accounts=AccountTable(client, "Config", clock), outbox=outbox, clock=clock)
        spans = tuple(_told(n) for n in range(32))
        bench.greeted("c1", spans=spans)
        clock.sleep(6300)
        meter = Meter(client)
        connection = bench.greeted("c2", spans=spans)
        assert meter.reads == sum(hello_reads(32).values())
        clock.sleep(300)
        meter.reset()
        lost = spans[3].model_copy(update={"available": False, "reason": "not registered"})
        bench.say(connection, Spans(at=clock.now(), changed=(lost,)))
        clock.sleep(LOST_AFTER_S + 60)
        tell_of_spans(bench.accounts, bench.alerts, clock, clock.now() + 20)
        looking = len(spans_shards()) / 2
        (change,) = [line for line in lines(Fleet()) if line.what == "spans changed"]
        assert meter.reads == change.reads + looking
        assert [subject for subject, _ in bench.alerts.told] == ["span lost"]


def _told(n: int) -> SpanInfo:
    imei = f"3512345678901{n:02}"
    return SpanInfo(
        span=f"imei:{imei}", available=True, technology="lte", operator="Example Mobile", signal_dbm=-71,
        imsi="262011234567890", iccid="8949000000000000000", imei=imei,
    )  # fmt: skip


def test_a_memory_that_lasts_saves_all_but_the_first_read() -> None:
    assert misses(10.0, 1.0, 0.0) == 1
    assert misses(1000.0, 1.0, 3.0) < 0.001
