"""Which ports there are, from a /dev made by the test."""

from pathlib import Path

import pytest

from edge_agent.modem import discovery
from edge_agent.modem.config import ModemsConfig, SpanOptions
from edge_agent.modem.discovery import Found
from edge_agent.modem.setup import Identity


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    for name in ("ttyUSB0", "ttyUSB1", "ttyACM0", "ttyS0", "null"):
        (tmp_path / name).touch()
    links = tmp_path / "serial" / "by-id"
    links.mkdir(parents=True)
    (links / "usb-Quectel_EC25-if02-port0").symlink_to(tmp_path / "ttyUSB1")
    return tmp_path


def test_serial_ports_of_usb_devices_are_found_by_their_stable_name(dev: Path) -> None:
    found = discovery.present(ModemsConfig(), dev)
    assert {Path(port).name for port in found} == {"ttyUSB0", "usb-Quectel_EC25-if02-port0", "ttyACM0"}


@pytest.mark.parametrize("pattern", ["*/ttyUSB1", "*Quectel*"])
def test_ports_that_are_to_be_ignored_are(pattern: str, dev: Path) -> None:
    found = discovery.present(ModemsConfig(ignore=(pattern,)), dev)
    assert {Path(port).name for port in found} == {"ttyUSB0", "ttyACM0"}


def test_configured_ports_are_the_only_ones_and_only_while_they_are_there(dev: Path) -> None:
    config = ModemsConfig(ports=(str(dev / "ttyS0"), str(dev / "gone"), "socket://host:4000"))
    assert discovery.present(config, dev) == {str(dev / "ttyS0"), "socket://host:4000"}


def test_without_links_the_plain_names_do(tmp_path: Path) -> None:
    (tmp_path / "ttyUSB0").touch()
    assert discovery.present(ModemsConfig(), tmp_path) == {str(tmp_path / "ttyUSB0")}


def test_a_modem_is_its_imei_and_without_one_its_name_or_port() -> None:
    assert Found("/dev/x", Identity("Quectel", "EC25", "1" * 15)).span(SpanOptions()) == "imei:" + "1" * 15
    assert Found("/dev/x", Identity("", "", "")).span(SpanOptions(name="lte-1")) == "cfg:lte-1"
    assert Found("/dev/x", Identity("", "", "")).span(SpanOptions()) == "cfg:/dev/x"


def test_the_port_with_the_notices_is_the_best_one() -> None:
    quectel = Identity("Quectel", "EC25", "1" * 15)
    assert Found("/dev/serial/by-id/usb-Quectel_EC25-if02-port0", quectel).best
    assert not Found("/dev/serial/by-id/usb-Quectel_EC25-if03-port0", quectel).best


def test_options_are_those_of_the_imei_then_of_the_port_then_of_all() -> None:
    by_imei, by_port, default = SpanOptions(name="imei"), SpanOptions(name="port"), SpanOptions(name="all")
    config = ModemsConfig(spans={"1": by_imei, "/dev/x": by_port}, default=default)
    assert config.options("/dev/x", "1") is by_imei
    assert config.options("/dev/x", "2") is by_port
    assert config.options("/dev/y", "2") is default
