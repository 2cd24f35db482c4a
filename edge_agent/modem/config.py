"""What a person may configure about modems, and the times by which the modem side lives. Values only.

Times that belong to one AT command stand in commands.py, differences between makes in quirks.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanOptions:
    """Options of one modem. Keyed in `ModemsConfig.spans` by its IMEI (15 digits), or by its port."""

    name: str = ""  # what people call it (port_name in the API), e.g. "lte-1.3"
    pin: str = field(default="", repr=False)  # SIM PIN; tried once, see pin_ledger.py
    baud: int = 115_200  # only matters on real UARTs; USB modems ignore it
    rtscts: bool = False  # hardware handshake, for UARTs wired with it
    usb_reset: bool = False  # whether the recovery ladder may reset the USB device (needs write access to it)
    balance_ussd: str = ""  # e.g. "*100#"; empty: balance is not asked for
    balance_every_s: float = 6 * 3600.0
    submit_timeout_s: float | None = None  # how long to wait for +CMGS; None: what the make needs (quirks.py)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long things take and how often they are looked at, in seconds. Tests shorten them."""

    ports_every: float = 2.0  # looking for plugged and unplugged ports; one directory listing
    status_every: float = 30.0  # signal and registration of a ready span
    operator_every: float = 600.0  # operator name and technology, which cost a slow +COPS?
    report_patience: float = 120.0  # for the first delivery report, before reports are had in another way
    sweep_every: float = 300.0  # reading the stores, for what no notification announced (modem-notes 18)
    registering_every: float = 2.0
    registration_limit: float = 180.0  # a modem scans all bands in about two minutes; then the ladder begins
    resync_waits: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 15.0)  # for an OK to AT; a boot takes up to 25 s
    probe_waits: tuple[float, ...] = (0.5, 1.0, 2.0)  # is there a modem at all? The first AT may be lost
    wake_after: float = 3.0  # without a command; some sleep after 5 s, and lose what wakes them (modem-notes 11)
    port_pause: float = 1.0  # between closing and opening a port
    sim_every: float = 30.0  # looking whether a SIM was put in or unlocked
    settled_after: float = 300.0  # ready for this long: the next trouble starts at the ladder's first rung again
    quarantine_first: float = 30.0  # doubled with each quarantine …
    quarantine_longest: float = 3600.0  # … up to this


@dataclass(frozen=True, slots=True, kw_only=True)
class ModemsConfig:
    """All of the modem side's configuration. `ports` empty means: discover serial ports of USB modems."""

    ports: tuple[str, ...] = ()  # device paths, ptys or socket://host:port
    ignore: tuple[str, ...] = ()  # glob patterns of device paths that discovery leaves alone
    spans: Mapping[str, SpanOptions] = field(default_factory=dict)  # by IMEI, or by port as written in `ports`
    default: SpanOptions = SpanOptions()  # for modems not named in `spans`
    pin_ledger: Path | None = None  # file that remembers PIN attempts; without it no PIN is ever entered
    trace: bool = False  # log every AT line, redacted
    timings: Timings = Timings()

    def options(self, port: str, imei: str = "") -> SpanOptions:
        """What is configured for the modem with this IMEI, else for this port, else for all."""
        return self.spans.get(imei) or self.spans.get(port) or self.default
