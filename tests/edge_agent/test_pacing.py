"""Pacing, as arithmetic and as what it makes of a span."""

import asyncio
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.pacing import DAY, HOUR, MINUTE, Limits, Pace, day_of
from tests.edge_agent.rig import NOW, SPAN, FakeModem, Hands, Rig, job

MIDNIGHT = (NOW // DAY + 1) * DAY


def sent(pace: Pace, *times: float) -> Pace:
    for at in times:
        pace.count(at)
    return pace


def test_without_limits_a_span_may_always_send() -> None:
    assert sent(Pace(Limits()), *[NOW] * 1000).next_at(NOW) == NOW


def test_the_least_gap_is_kept() -> None:
    assert sent(Pace(Limits(min_gap_s=5)), NOW).next_at(NOW + 1) == NOW + 5


def test_a_minute_slides() -> None:
    pace = sent(Pace(Limits(per_minute=2)), NOW, NOW + 10)
    assert pace.next_at(NOW + 20) == NOW + MINUTE
    assert pace.next_at(NOW + MINUTE) == NOW + MINUTE
    assert pace.next_at(NOW + 20, parts=2) == NOW + 10 + MINUTE


def test_a_message_with_more_parts_than_a_period_may_have_waits_for_a_whole_period() -> None:
    pace = Pace(Limits(per_hour=2))
    assert pace.next_at(NOW, parts=5) == NOW
    assert sent(pace, NOW).next_at(NOW + 1, parts=5) == NOW + HOUR


def test_a_day_and_a_month_are_those_of_the_calendar() -> None:
    assert sent(Pace(Limits(per_day=1)), NOW).next_at(NOW) == MIDNIGHT
    assert sent(Pace(Limits(per_day=1)), NOW).next_at(MIDNIGHT) == MIDNIGHT
    december = 1_797_500_000.0
    assert day_of(december) == "2026-12-17"
    assert day_of(sent(Pace(Limits(per_month=1)), december).next_at(december)) == "2027-01-01"


def test_a_clock_that_jumps_back_forgets_no_count() -> None:
    pace = sent(Pace(Limits(per_day=2)), NOW, NOW - DAY)
    assert pace.next_at(NOW) == MIDNIGHT


@given(limit=st.integers(1, 5), gaps=st.lists(st.floats(0, 40), min_size=1, max_size=40), parts=st.integers(1, 3))
def test_no_minute_ever_holds_more_than_its_limit(limit: int, gaps: list[float], parts: int) -> None:
    pace, now, times = Pace(Limits(per_minute=limit)), NOW, []
    for gap in gaps:
        now = max(now + gap, pace.next_at(now + gap, parts))
        for _ in range(min(parts, limit)):
            pace.count(now)
            times.append(now)
    for start in times:
        assert sum(1 for at in times if start <= at < start + MINUTE - 0.001) <= limit


def test_the_next_allowed_time_is_told_and_a_long_wait_makes_the_span_unavailable(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path, limits=Limits(per_day=1)) as rig:
            rig.plug(FakeModem())
            await rig.take(job())
            await rig.event("j1.result")
            (info,) = rig.core.board.infos()
            assert (info.available, info.reason, info.next_at) == (False, "sending limit reached", MIDNIGHT)

    asyncio.run(main())


def test_what_a_span_sent_before_a_restart_counts(tmp_path: Path) -> None:
    async def main() -> None:
        hands = Hands()
        async with Rig(tmp_path, hands, limits=Limits(per_day=2)) as rig:
            rig.plug(FakeModem())
            await rig.take(job("j1"), job("j2"))
            await rig.event("j2.result")
            rig.acknowledge_all()
        async with Rig(tmp_path, hands, limits=Limits(per_day=2)) as rig:
            modem = FakeModem()
            rig.plug(modem)
            await rig.take(job("j3"))
            await asyncio.sleep(0.05)
            assert modem.on_air == []
            assert rig.core.lanes.next_at(SPAN) == MIDNIGHT

    asyncio.run(main())


def test_a_span_at_its_limit_leaves_its_messages_to_the_others_of_the_pool(tmp_path: Path) -> None:
    async def main() -> None:
        other = "imei:490154203237526"
        async with Rig(tmp_path, limits=Limits(per_hour=2)) as rig:
            rig.plug(FakeModem())
            rig.plug(FakeModem(span=other))
            await rig.able(2)
            await rig.take(*(job(f"j{number}", spans=(SPAN, other)) for number in range(5)))
            spans = [(await rig.event(f"j{number}.result"))["span"] for number in range(5)]
            assert spans.count(SPAN) == 2

    asyncio.run(main())
