"""Times on the operator's command line: `2h` ago, or a date and time in UTC."""

import argparse
import re
from datetime import UTC, datetime

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86_400.0}
_AGO = re.compile(r"(\d+)([mhd])")


def told(epoch: float | None) -> str:
    """Empty for never."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%SZ") if epoch else ""


def moment(text: str, now: float) -> float:
    """Epoch s. Raises argparse.ArgumentTypeError."""
    ago = _AGO.fullmatch(text)
    if ago:
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 90m, 2h, 3d or 2026-01-31T12:00") from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
