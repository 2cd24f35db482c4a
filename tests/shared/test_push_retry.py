"""When a push is tried again, and when an endpoint is left in peace."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.push_record import Circuit, PushAttempt, PushState
from shared.push_retry import (
    CIRCUIT_OPENS_AT,
    GIVE_UP_S,
    LONGEST_DELAY_S,
    RETRY_S,
    asked_rest_s,
    deferral_s,
    is_half_open,
    is_open,
    judge,
    rest_s,
    retry_after,
    weight,
)

NOW = 1_750_000_000.0


def answered(status: int | None, seconds: float = 0.1, wait: float | None = None) -> PushAttempt:
    return PushAttempt(status=status, error="" if status == 200 else "no", seconds=seconds, retry_after=wait)


def test_retries_grow_from_five_seconds_to_twelve_hours_over_about_two_days() -> None:
    waits = [judge(answered(500), (), tries, 0.5).wait for tries in range(1, len(RETRY_S) + 1)]
    assert waits == [5, 30, 120, 600, 1800, 3600, 10800, 21600, 43200, 43200]
    assert 1.4 * 86400 < sum(waits) < 2 * 86400


@given(st.integers(1, len(RETRY_S)), st.floats(0, 1))
def test_the_jitter_is_a_fifth_to_either_side(tries: int, chance: float) -> None:
    wait = judge(answered(None), (), tries, chance).wait
    assert wait == pytest.approx(RETRY_S[tries - 1] * (0.8 + 0.4 * chance))


@pytest.mark.parametrize("status", [200, 201, 202, 204, 226, 299])
def test_every_2xx_is_a_success(status: int) -> None:
    assert judge(answered(status), (), 1, 0.5).state is PushState.DELIVERED


@pytest.mark.parametrize("status", [None, 100, 301, 302, 307, 400, 404, 408, 425, 429, 500, 503, 599])
def test_everything_else_is_tried_again(status: int | None) -> None:
    assert judge(answered(status), (), 1, 0.5).state is PushState.WAITING


def test_410_ends_it_at_once() -> None:
    assert judge(answered(410), (), 1, 0.5).state is PushState.GONE


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 422, 451, 499])
def test_a_4xx_ends_after_three_tries(status: int) -> None:
    no = answered(status)
    assert [judge(no, (no,) * n, n + 1, 0.5).state for n in range(3)] == [
        PushState.WAITING,
        PushState.WAITING,
        PushState.DEAD,
    ]


def test_only_refusals_count_against_those_three_tries() -> None:
    down, no = answered(503), answered(404)
    assert judge(no, (down, down, down), 4, 0.5).state is PushState.WAITING
    assert judge(no, (down, no, down, no), 5, 0.5).state is PushState.DEAD


@pytest.mark.parametrize("status", [None, 302, 408, 425, 429, 500, 503])
def test_what_may_pass_ends_only_when_all_tries_are_used(status: int | None) -> None:
    assert judge(answered(status), (), len(RETRY_S), 0.5).state is PushState.WAITING
    assert judge(answered(status), (), len(RETRY_S) + 1, 0.5).state is PushState.DEAD


def test_retry_after_is_honoured_when_it_is_longer_and_as_long_as_there_are_tries() -> None:
    assert judge(answered(503, wait=77), (), 1, 0.5).wait == 77
    assert judge(answered(503, wait=1), (), 1, 0.5).wait == 5
    assert judge(answered(429, wait=86400), (), 1, 0.5).wait == 86400
    assert judge(answered(429, wait=10**9), (), 1, 0.5).wait == GIVE_UP_S


@pytest.mark.parametrize(("status", "wait", "rests"), [(429, 60, 60), (503, 60, 60), (503, 86400, 3600), (500, 60, 0)])
def test_an_endpoint_rests_for_what_too_many_requests_or_an_outage_asks(status: int, wait: float, rests: float) -> None:
    assert asked_rest_s(answered(status, wait=wait)) == rests
    assert asked_rest_s(answered(status)) == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 5 ", 5),
        ("0", 0),
        (formatdate(NOW + 60, usegmt=True), 60),
        (formatdate(NOW - 60, usegmt=True), 0),
        ("Sunday, 15-Jun-25 15:07:40 GMT", 60),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("١٢", None),
        ("9" * 30, None),
        ("Wed, 99 Foo 2025", None),
        ("Mon, 01 Jan 2024 00:00:00 +9999999999999", None),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2024 99999999999:00:00 GMT", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after(text, NOW) == seconds


@given(st.text())
def test_any_other_retry_after_is_none_or_seconds(text: str) -> None:
    assert (retry_after(text, NOW) or 0) >= 0


@pytest.mark.parametrize("status", [200, 302, 400, 404, 410])
def test_an_endpoint_that_answers_is_alive_even_if_it_refuses(status: int) -> None:
    assert weight(answered(status)) == 0


def test_a_hanging_endpoint_weighs_more_than_one_that_fails_at_once() -> None:
    assert weight(answered(None, 15.0)) > weight(answered(None, 0.1)) > 0
    assert weight(answered(503)) == weight(answered(429)) == 1


def test_an_endpoint_rests_a_minute_at_first_and_five_at_most() -> None:
    assert rest_s(CIRCUIT_OPENS_AT - 1) == 0
    assert rest_s(CIRCUIT_OPENS_AT) == 60
    assert rest_s(10_000) == 300


def test_after_its_rest_an_endpoint_is_half_open_until_it_works() -> None:
    resting = Circuit(failures=CIRCUIT_OPENS_AT, open_until=NOW + 60)
    assert is_open(resting, NOW) and not is_half_open(resting, NOW)
    assert is_half_open(resting, NOW + 61) and not is_open(resting, NOW + 61)
    assert not is_half_open(Circuit(failures=CIRCUIT_OPENS_AT - 1), NOW)


@given(st.floats(-1000, 100_000), st.floats(0, 200_000), st.floats(0, 1))
def test_waiting_for_an_endpoint_outlasts_its_rest_and_fits_a_queue_delay(
    rest: float, waited: float, chance: float
) -> None:
    wait = deferral_s(Circuit(failures=10, open_until=NOW + rest), NOW, waited, chance)
    assert min(rest, LONGEST_DELAY_S) <= wait <= LONGEST_DELAY_S and wait >= 1
