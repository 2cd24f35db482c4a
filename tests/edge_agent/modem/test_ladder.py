"""The recovery ladder."""

from edge_agent.modem.config import Timings
from edge_agent.modem.ladder import Ladder, Rung

TIMES = Timings(settled_after=300.0, quarantine_first=30.0, quarantine_longest=100.0)


def test_trouble_after_trouble_climbs_rung_by_rung() -> None:
    ladder = Ladder(TIMES, usb_reset=True)
    assert [ladder.next(0.0) for _ in range(6)] == list(Rung)


def test_a_usb_device_is_reset_only_where_that_is_allowed() -> None:
    ladder = Ladder(TIMES, usb_reset=False)
    assert Rung.USB_RESET not in [ladder.next(0.0) for _ in range(20)]


def test_a_trouble_may_ask_for_a_harsher_rung_at_once() -> None:
    ladder = Ladder(TIMES, usb_reset=True)
    assert ladder.next(0.0, Rung.REOPEN) is Rung.REOPEN
    assert ladder.next(0.0, Rung.SET_UP) is Rung.USB_RESET


def test_a_modem_that_was_well_for_long_starts_at_the_first_rung_again() -> None:
    ladder = Ladder(TIMES, usb_reset=True)
    ladder.next(0.0, Rung.RADIO)
    ladder.well(10.0)
    ladder.well(300.0)
    assert ladder.next(310.0) is Rung.SET_UP


def test_a_modem_that_was_well_for_a_moment_does_not() -> None:
    ladder = Ladder(TIMES, usb_reset=True)
    ladder.next(0.0, Rung.RADIO)
    ladder.well(10.0)
    assert ladder.next(20.0) is Rung.REOPEN


def test_after_a_quarantine_the_port_is_opened_anew_and_then_comes_a_longer_one() -> None:
    ladder = Ladder(TIMES, usb_reset=False)
    ladder.next(0.0, Rung.QUARANTINE)
    waits = [ladder.quarantine_s()]
    assert ladder.next(0.0) is Rung.REOPEN
    for _ in range(3):
        assert ladder.next(0.0) is Rung.QUARANTINE
        waits.append(ladder.quarantine_s())
        assert ladder.next(0.0) is Rung.REOPEN
    assert waits == [30.0, 60.0, 100.0, 100.0]


def test_a_modem_that_is_never_well_again_is_quarantined_for_ever_all_the_same() -> None:
    ladder = Ladder(TIMES, usb_reset=False)
    assert [ladder.quarantine_s() for _ in range(2000)] == [30.0, 60.0] + [100.0] * 1998


def test_a_modem_that_was_well_for_long_is_quarantined_as_shortly_as_at_first() -> None:
    ladder = Ladder(TIMES, usb_reset=False)
    assert [ladder.quarantine_s() for _ in range(2)] == [30.0, 60.0]
    ladder.well(0.0)
    ladder.next(300.0)
    assert ladder.quarantine_s() == 30.0
