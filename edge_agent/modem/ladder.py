"""The recovery ladder: what is done about a modem in trouble, ever harsher. Pure; time is an argument."""

from enum import Enum

from edge_agent.modem.config import Timings


class Rung(Enum):
    """From mild to harsh. Each is followed by setting the modem up from scratch."""

    SET_UP = "setting it up again"  # it restarted, or answered again after a pause
    SOFT_RESET = "soft reset (ATZ)"
    RADIO = "switching its radio off and on"
    REOPEN = "closing and opening its port"
    USB_RESET = "resetting its USB device"
    QUARANTINE = "leaving it alone for a while"


_ORDER = tuple(Rung)


class Ladder:
    """Climbs with every trouble; begins anew once the modem has been well for `settled_after`."""

    def __init__(self, timings: Timings, *, usb_reset: bool) -> None:
        self._timings = timings
        self._usb_reset = usb_reset
        self._last: Rung | None = None
        self._well_since: float | None = None
        self._wait = timings.quarantine_first  # of the next quarantine

    def well(self, now: float) -> None:
        """The span is ready."""
        if self._well_since is None:
            self._well_since = now

    def next(self, now: float, lowest: Rung = Rung.SET_UP) -> Rung:
        """What to do about a trouble that needs at least `lowest`."""
        if self._well_since is not None and now - self._well_since >= self._timings.settled_after:
            self._last, self._wait = None, self._timings.quarantine_first
        self._well_since = None
        if self._last is Rung.QUARANTINE:
            self._last = Rung.RADIO  # after the pause: open the port afresh, then wait longer
        above = _ORDER.index(self._last) + 1 if self._last is not None else 0
        self._last = self._allowed(max(above, _ORDER.index(lowest)))
        return self._last

    def quarantine_s(self) -> float:
        """How long the quarantine lasts that has just begun."""
        wait = min(self._wait, self._timings.quarantine_longest)
        self._wait = wait * 2
        return wait

    def _allowed(self, position: int) -> Rung:
        rung = _ORDER[min(position, len(_ORDER) - 1)]
        return Rung.QUARANTINE if rung is Rung.USB_RESET and not self._usb_reset else rung
