"""Times as callers write and read them."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import timestamps


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-09 08:07:06",
        "2026/03/09 08:07:06",
        "26-03-09 08:07:06",
        "26/3/9 8:7:6",
        " 2026-03-09 08:07:06 ",
        "2026-03-09T08:07:06",
    ],
)
def test_a_time_is_read_with_slashes_short_years_and_single_digits(text: str) -> None:
    assert timestamps.parse(text) == datetime(2026, 3, 9, 8, 7, 6)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-13-01",
        "2026-02-30",
        "2026-01-01 24:00:00",
        "2026-1-1 1:61",
        "1-1-1",
        "٢٠٢٦-01-01",
        "0-0-0",
    ],
)
def test_what_is_no_time_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be a time like|no day or time that exists"):
        timestamps.parse(text)


def test_a_day_alone_starts_at_its_first_and_ends_at_its_last_moment() -> None:
    assert timestamps.parse("2026-01-31") == datetime(2026, 1, 31)
    assert timestamps.parse("2026-01-31", last=True) == datetime(2026, 1, 31, 23, 59, 59, 999999)


def test_the_end_of_a_second_is_in_it() -> None:
    end = timestamps.to_epoch(timestamps.parse("1970-01-01 00:00:01", last=True), "UTC", last=True)
    assert 1.999 < end < 2


def test_a_time_is_of_the_accounts_zone() -> None:
    assert timestamps.to_epoch(datetime(2026, 7, 1, 14), "Europe/Berlin") == 1782907200.0
    assert timestamps.render(1782907200.0, "Europe/Berlin") == "2026-07-01 14:00:00"
    assert timestamps.render(1782907200.0, "Asia/Kolkata") == "2026-07-01 17:30:00"


def test_an_hour_that_comes_twice_is_covered_whole() -> None:
    """Berlin, 25 October 2026: 02:30 is at 00:30 and again at 01:30 UTC."""
    twice = datetime(2026, 10, 25, 2, 30)
    first, second = (timestamps.to_epoch(twice, "Europe/Berlin", last=last) for last in (False, True))
    assert second - first == 3600


@pytest.mark.parametrize(
    ("zone", "start", "end", "shown_from", "shown_to"),
    [
        ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 03:15", "2026-03-29 03:00:00", "2026-03-29 03:15:59"),
        ("Europe/Berlin", "2026-03-29 01:30", "2026-03-29 02:30", "2026-03-29 01:30:00", "2026-03-29 01:59:59"),
        ("Europe/Berlin", "2026-03-29 02:00", "2026-03-29 02:59", "2026-03-29 03:00:00", "2026-03-29 01:59:59"),
        ("Australia/Lord_Howe", "2026-10-04 02:10", "2026-10-04 02:10", "2026-10-04 02:30:00", "2026-10-04 01:59:59"),
        ("Pacific/Apia", "2011-12-30", "2011-12-30", "2011-12-31 00:00:00", "2011-12-29 23:59:59"),
    ],
)
def test_what_the_clock_jumps_over_begins_and_ends_at_the_jump(
    zone: str, start: str, end: str, shown_from: str, shown_to: str
) -> None:
    """Berlin goes from 01:59:59 to 03:00:00, Lord Howe by half an hour, and Samoa left out a day."""
    assert timestamps.render(timestamps.to_epoch(timestamps.parse(start), zone), zone) == shown_from
    last = timestamps.to_epoch(timestamps.parse(end, last=True), zone, last=True)
    assert timestamps.render(last, zone) == shown_to


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    try:
        moment = timestamps.parse(text, last=True)
    except ValueError:
        return
    timestamps.to_epoch(moment, "Pacific/Auckland")


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)), st.booleans())
def test_every_time_that_can_be_written_has_an_epoch(moment: datetime, last: bool) -> None:
    timestamps.to_epoch(moment, "America/St_Johns", last=last)


@given(st.integers(min_value=0, max_value=2**33))
def test_what_is_rendered_reads_back_in_utc(epoch: int) -> None:
    assert timestamps.to_epoch(timestamps.parse(timestamps.render(epoch, "UTC")), "UTC") == epoch


def test_no_time_renders_as_empty_text() -> None:
    assert timestamps.render(None, "UTC") == ""
