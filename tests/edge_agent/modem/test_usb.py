"""The USB device behind a port, from a /sys made by the test."""

import asyncio
import errno
import os
import threading
from pathlib import Path

import pytest

from edge_agent.modem import usb


def plugged(tmp_path: Path) -> None:
    """A modem with its port ttyUSB3."""
    device = tmp_path / "devices" / "usb1" / "1-2"
    port = device / "1-2:1.2" / "ttyUSB3"
    port.mkdir(parents=True)
    (device / "busnum").write_text("1\n")
    (device / "devnum").write_text("14\n")
    tty = tmp_path / "tty" / "ttyUSB3"
    tty.mkdir(parents=True)
    (tty / "device").symlink_to(port)


def test_the_device_is_found_above_the_port(tmp_path: Path) -> None:
    plugged(tmp_path)
    found = usb.device_node("/dev/ttyUSB3", tmp_path / "tty", tmp_path / "bus")
    assert found == tmp_path / "bus" / "001" / "014"


def test_a_port_that_is_not_usb_has_none(tmp_path: Path) -> None:
    assert usb.device_node("/dev/ttyS0", tmp_path / "tty", tmp_path / "bus") is None


def test_a_reset_that_is_not_possible_says_so(tmp_path: Path) -> None:
    node = tmp_path / "014"
    node.touch()
    with pytest.raises(OSError, match="ioctl"):
        usb.reset(node)


def test_a_device_that_keeps_its_reset_waiting_keeps_nobody_else(tmp_path: Path) -> None:
    plugged(tmp_path)
    node = tmp_path / "bus" / "001" / "014"
    node.parent.mkdir(parents=True)
    os.mkfifo(node)  # opened for writing, it waits for a reader
    late = threading.Timer(30.0, os.open, (node, os.O_RDONLY | os.O_NONBLOCK))  # else a failure would never end
    late.start()

    async def story() -> None:
        resetting = asyncio.create_task(usb.reset_behind("/dev/ttyUSB3", tmp_path / "tty", tmp_path / "bus"))
        await asyncio.sleep(0)  # it begins, and here is where the loop would stand still
        assert late.is_alive()
        reader = os.open(node, os.O_RDONLY | os.O_NONBLOCK)
        with pytest.raises(OSError, match=f"cannot reset {node}: {os.strerror(errno.ENOTTY)}"):
            await resetting
        os.close(reader)

    asyncio.run(story())
    late.cancel()


def test_a_port_without_a_usb_device_cannot_be_reset(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="/dev/ttyS0 is no port of a USB device"):
        asyncio.run(usb.reset_behind("/dev/ttyS0", tmp_path / "tty", tmp_path / "bus"))
