"""What counts against which cap, in whose day."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared import caps
from shared.caps import Cap, Room
from shared.message import Account, Limits, Port

NOW = datetime(2026, 3, 28, 23, 30, tzinfo=UTC).timestamp()
ACCOUNT = Account(name="acme", credential="", limits=Limits(parts_per_day=100, parts_per_month=1000))
PORT = Port(account="acme", number=7, agent="north", span="s7", name="lte-1.7")


def until(*moment: int) -> float:
    return datetime(*moment, tzinfo=UTC).timestamp()  # type: ignore[misc]


def test_days_and_months_are_those_of_the_accounts_time_zone() -> None:
    day, month = caps.of_account(ACCOUNT, NOW)
    assert day == Cap("parts#acme#0#2026-03-28", 100, until(2026, 3, 29), "day")
    assert month == Cap("parts#acme#0#2026-03", 1000, until(2026, 4, 1), "month")
    day, month = caps.of_account(replace(ACCOUNT, timezone="Asia/Tokyo"), NOW)
    assert (day.key, day.until) == ("parts#acme#0#2026-03-29", until(2026, 3, 29, 15))
    assert (month.key, month.until) == ("parts#acme#0#2026-03", until(2026, 3, 31, 15))


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 12, 31), 24)])
def test_a_day_is_as_long_as_it_is(day: tuple[int, int, int], hours: int) -> None:
    first = Account(name="a", credential="", timezone="Europe/Berlin", limits=Limits(parts_per_day=1))
    noon = datetime(*day, 12, tzinfo=UTC).timestamp()
    (today,) = caps.of_account(first, noon)
    (yesterday,) = caps.of_account(first, noon - 86_400)
    assert today.until - yesterday.until == hours * 3600


def test_who_has_no_caps_is_charged_nothing() -> None:
    assert caps.charges(Account(name="acme", credential=""), [PORT, PORT], 3, NOW) == {}


def test_a_message_counts_for_its_account_and_its_span_in_parts() -> None:
    capped = replace(PORT, parts_per_day=50)
    charged = caps.charges(ACCOUNT, [capped, capped, replace(PORT, number=8)], 3, NOW)
    assert {(cap.port, cap.period): parts for cap, parts in charged.items()} == {
        (0, "day"): 9,
        (0, "month"): 9,
        (7, "day"): 6,
    }


def test_what_is_left_is_never_less_than_nothing_and_says_why() -> None:
    day, month = caps.of_account(ACCOUNT, NOW)
    assert (caps.left(day, 130), caps.left(day, 130).why) == (Room(0, day.until, "day"), "daily limit reached")
    assert caps.left(month, 999).why == "monthly limit reached"
