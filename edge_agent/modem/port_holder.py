"""Who else holds a port: looked up in /proc, so that the error can name the program and the remedy (Linux only)."""

import os
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_MODEM_MANAGER = "ModemManager"
_REMEDY = (
    "ModemManager holds it; take the modem from it with the udev property ID_MM_DEVICE_IGNORE=1 "
    "(see edge_agent/site/70-spanbridge.rules) or stop ModemManager"
)


def holder_of(device: str, proc: Path = _PROC) -> str:
    """One clause that says who holds the port, or "" when nobody can be seen. Costs a walk over /proc."""
    target = os.path.realpath(device)
    for process in _processes(proc):
        if _holds(process, target):
            name = _name(process)
            return _REMEDY if name == _MODEM_MANAGER else f"in use by {name or 'a program'} (process {process.name})"
    # Another user's descriptors cannot be read; that ModemManager runs and the port is taken says enough.
    if any(_name(process) == _MODEM_MANAGER for process in _processes(proc)):
        return "in use, most likely by ModemManager: " + _REMEDY.partition("; ")[2]
    return ""


def _processes(proc: Path) -> Iterator[Path]:
    own = str(os.getpid())
    try:
        yield from (path for path in proc.iterdir() if path.name.isdecimal() and path.name != own)
    except OSError:
        return


def _holds(process: Path, target: str) -> bool:
    try:
        return any(str(link.readlink()) == target for link in (process / "fd").iterdir())
    except OSError:
        return False


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return ""
