"""Times in a TPDU (3GPP TS 23.040): the service centre's time stamp (§9.2.3.11), relative validity (§9.2.3.12.1)."""

from datetime import datetime, timedelta, timezone

TIME_OCTETS = 7

_NO_DIGITS = -9999  # makes any time it takes part in impossible


def _decimal(octet: int) -> int:
    """Two digits, the first in the low half."""
    tens, ones = octet & 0x0F, octet >> 4
    return tens * 10 + ones if tens < 10 and ones < 10 else _NO_DIGITS


def _zone(octet: int) -> timezone | None:
    """Quarters of an hour, two digits; the top bit of the first is the sign (1 is west of Greenwich)."""
    quarters = _decimal(octet & ~0x08)
    if quarters == _NO_DIGITS:
        return None
    return timezone(timedelta(minutes=-15 * quarters if octet & 0x08 else 15 * quarters))


_DECIMAL = [_decimal(octet) for octet in range(256)]
_ZONE = [_zone(octet) for octet in range(256)]


def timestamp(octets: bytes, at: int) -> datetime | None:
    """Seven octets as an aware time; None if they are none: networks that know no time fill in zeros or ones."""
    year, month, day, hour, minute, second, zone = octets[at : at + TIME_OCTETS]
    if (tz := _ZONE[zone]) is None:
        return None
    try:
        return datetime(  # the year has two digits; no GSM message is from before 2000 by now
            2000 + _DECIMAL[year],
            _DECIMAL[month],
            _DECIMAL[day],
            _DECIMAL[hour],
            _DECIMAL[minute],
            _DECIMAL[second],
            0,
            tz,
        )
    except ValueError:
        return None


_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 86400, 7 * 86400

MAX_VALIDITY_S = 63 * _WEEK


def validity_period(seconds: int) -> int:
    """TP-VP, relative: the next step up, 63 weeks at most. ValueError if nothing is left."""
    if seconds <= 0:
        raise ValueError("the validity period is over before it begins")
    if seconds <= 12 * _HOUR:
        return -(-seconds // (5 * _MINUTE)) - 1
    if seconds <= 24 * _HOUR:
        return 143 - (12 * _HOUR - seconds) // (30 * _MINUTE)
    if seconds <= 30 * _DAY:
        return 166 - (-seconds // _DAY)
    return min(192 - (-seconds // _WEEK), 255)
