"""The USB device behind a port, from a /sys made by the test."""

from pathlib import Path

import pytest

from edge_agent.modem import usb


def test_the_device_is_found_above_the_port(tmp_path: Path) -> None:
    device = tmp_path / "devices" / "usb1" / "1-2"
    port = device / "1-2:1.2" / "ttyUSB3"
    port.mkdir(parents=True)
    (device / "busnum").write_text("1\n")
    (device / "devnum").write_text("14\n")
    tty = tmp_path / "tty" / "ttyUSB3"
    tty.mkdir(parents=True)
    (tty / "device").symlink_to(port)
    found = usb.device_node("/dev/ttyUSB3", tmp_path / "tty", tmp_path / "bus")
    assert found == tmp_path / "bus" / "001" / "014"


def test_a_port_that_is_not_usb_has_none(tmp_path: Path) -> None:
    assert usb.device_node("/dev/ttyS0", tmp_path / "tty", tmp_path / "bus") is None


def test_a_reset_that_is_not_possible_says_so(tmp_path: Path) -> None:
    node = tmp_path / "014"
    node.touch()
    with pytest.raises(OSError, match="ioctl"):
        usb.reset(node)
