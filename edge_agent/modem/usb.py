"""The USB device behind a serial port, and its reset, as if it were unplugged for a moment (Linux).

Rule: a hung device keeps whoever touches it waiting for seconds, so that is done in a thread.
"""

import asyncio
import fcntl
import os
from pathlib import Path

_USBDEVFS_RESET = 0x5514  # _IO('U', 20), linux/usbdevice_fs.h
_SYS = Path("/sys/class/tty")
_BUS = Path("/dev/bus/usb")


def device_node(port: str, sys: Path = _SYS, bus: Path = _BUS) -> Path | None:
    """The node of the USB device that carries this port, e.g. /dev/bus/usb/001/004; None when it is no USB port."""
    directory = (sys / Path(os.path.realpath(port)).name / "device").resolve()
    for candidate in (directory, *directory.parents):
        numbers = [_number(candidate / name) for name in ("busnum", "devnum")]
        if numbers[0] is not None and numbers[1] is not None:
            return bus / f"{numbers[0]:03d}" / f"{numbers[1]:03d}"
    return None


async def reset_behind(port: str, sys: Path = _SYS, bus: Path = _BUS) -> None:
    """Resets the USB device that carries this port. Raises OSError that says why not."""
    await asyncio.get_running_loop().run_in_executor(None, _reset_behind, port, sys, bus)


def _reset_behind(port: str, sys: Path, bus: Path) -> None:
    node = device_node(port, sys, bus)
    if node is None:
        raise OSError(f"{port} is no port of a USB device")
    try:
        reset(node)
    except OSError as error:
        raise OSError(f"cannot reset {node}: {error.strerror}") from error


def reset(node: Path) -> None:
    """Raises OSError, mostly for lack of permission. All ports of the device vanish and come back."""
    fd = os.open(node, os.O_WRONLY)
    try:
        fcntl.ioctl(fd, _USBDEVFS_RESET, 0)
    finally:
        os.close(fd)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
