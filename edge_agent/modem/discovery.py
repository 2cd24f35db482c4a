"""Which ports there are, and which modem is behind each. A modem is its IMEI, never its port's name."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from edge_agent.modem import setup
from edge_agent.modem.channel import Channel
from edge_agent.modem.config import ModemsConfig, SpanOptions
from edge_agent.modem.reply import Outcome, Urc
from edge_agent.modem.serial_port import open_port
from edge_agent.modem.setup import Identity, SetupFailed
from edge_agent.modem.trace import Trace

_DEV = Path("/dev")
_USB_TTYS = ("ttyUSB", "ttyACM")  # what Linux calls the serial ports of USB modems


class NoModem(Exception):
    """Nothing on the port answers AT, or not so that it could be told who it is."""


def present(config: ModemsConfig, dev: Path = _DEV) -> frozenset[str]:
    """The ports that are there now; one directory listing, so that it can be asked every other second."""
    if config.ports:
        return frozenset(port for port in config.ports if port.startswith("socket://") or Path(port).exists())
    return frozenset(_wanted(dev, config.ignore))


def _wanted(dev: Path, ignore: tuple[str, ...]) -> Iterable[str]:
    stable = _stable_names(dev)
    for path in dev.iterdir():
        if path.name.startswith(_USB_TTYS):
            port = stable.get(path.name, str(path))
            if not any(fnmatch(name, pattern) for pattern in ignore for name in (port, str(path))):
                yield port


def _stable_names(dev: Path) -> dict[str, str]:
    """ttyUSB2 → /dev/serial/by-id/…: the link follows its modem when the numbers change."""
    links = dev / "serial" / "by-id"
    try:
        return {link.resolve().name: str(link) for link in links.iterdir()}
    except OSError:
        return {}


@dataclass(frozen=True, slots=True)
class Found:
    """A modem behind a port."""

    device: str
    identity: Identity

    def span(self, options: SpanOptions) -> str:
        """The identity of its span."""
        return f"imei:{self.identity.imei}" if self.identity.imei else f"cfg:{options.name or self.device}"

    @property
    def best(self) -> bool:
        """Whether this is the port that its make speaks AT and URCs on."""
        interface = self.identity.quirks.at_interface
        return bool(interface) and f"-{interface}-" in self.device


class _Nobody:
    def on_urc(self, urc: Urc) -> None: ...
    def on_trouble(self, outcome: Outcome, reason: str) -> None: ...


async def probe(device: str, config: ModemsConfig) -> Found:
    """Opens the port, asks who is there, and closes it. Raises PortError or NoModem."""
    channel = Channel(_Nobody(), config.timings.probe_waits, Trace(device) if config.trace else None)
    channel.attach(await open_port(device, config.options(device), channel))
    try:
        if not await channel.synchronise():
            raise NoModem(f"{device}: nothing answers AT")
        return Found(device, await setup.identify(channel))
    except SetupFailed as error:
        raise NoModem(f"{device}: {error}") from error
    finally:
        channel.close()
