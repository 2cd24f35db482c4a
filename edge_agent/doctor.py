"""What is wrong at this site, and what to do about it: configuration, journal, ports, modems, cloud, clock.

Rule: every finding that is not good carries its remedy.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

from edge_agent import standalone
from edge_agent.clock import Clock
from edge_agent.config import CREDENTIAL_VARIABLE, Cloud, Config, load
from edge_agent.config_table import ConfigError
from edge_agent.connection import SocketClosed
from edge_agent.control import Answer, Refused
from edge_agent.core import open_journal
from edge_agent.held import JournalBroken
from edge_agent.journal import AlreadyRunning
from edge_agent.modem import discovery
from edge_agent.ownership import another_owner, as_user, is_kept_from_us, kept_out, name_of
from edge_agent.remedies import remedy_of
from edge_agent.uplink import dial
from shared.wire import SpanInfo

LOOK_S = 45.0
"""How long modems are given to register; a cold one needs about half a minute."""
CLOCK_S = 60.0
"""A clock that is off by more than this spoils certificates and the times in logs."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`ok` None: could not be looked at."""

    subject: str
    ok: bool | None
    text: str
    remedy: str = ""


Findings = AsyncIterator[Finding]


async def examine(path: Path, environment: Mapping[str, str], look_s: float = LOOK_S) -> Findings:
    """Everything in the order in which mending makes sense. Nothing is sent."""
    config = None
    for cloud in (True, False):  # without the cloud's part, modems can be looked at all the same
        try:
            config = load(path, environment, cloud=cloud)
            break
        except ConfigError as error:
            yield Finding("configuration", False, error.key, error.advice)
            if not error.key.startswith(("cloud", "$")):
                return
    if config is None:
        return
    owner = another_owner(config.journal.path.parent)
    if owner is not None:
        user = name_of(owner.st_uid)
        yield Finding("user", None, f"root may use what {user} may not", f"look again as the service: {as_user(user)}")
    if config.cloud is not None:
        yield Finding("configuration", True, f"{path} can be used")
        yield _credential(config.cloud.credential_file)
    journal = await _journal(config)
    yield journal
    async for finding in _modems(config, look_s, journal):
        yield finding
    if config.cloud is not None:
        async for finding in _cloud(config.cloud):
            yield finding


def _credential(file: Path | None) -> Finding:
    if file is None:
        return Finding("credential", True, f"taken from ${CREDENTIAL_VARIABLE}")
    if file.stat().st_mode & 0o077:
        return Finding("credential", False, f"{file} can be read by others", f"chmod 600 {file}")
    return Finding("credential", True, "is there and for its owner only")


async def _journal(config: Config) -> Finding:
    """A running agent has it open, and says itself how it is."""
    folder = config.journal.path.parent
    if is_kept_from_us(folder):
        return Finding("journal", False, f"this user may not use {folder}", kept_out(folder))
    try:
        journal = open_journal(config, Clock())
    except AlreadyRunning:
        return Finding("journal", True, "is in use by the running agent")
    except JournalBroken as error:
        advice = f"make room on the disk, and {folder} writable for the agent's user"
        return Finding("journal", False, str(error), advice)
    refusal = journal.refuses()
    journal.close(forget=journal.new)
    if refusal:
        return Finding("journal", False, refusal, "make room on the disk, or raise journal.max_mb")
    return Finding("journal", True, f"{config.journal.path} can be written")


async def _modems(config: Config, look_s: float, journal: Finding) -> Findings:
    ports = discovery.present(config.modems)
    for finding in _missing(config, ports):
        yield finding
    if not ports or not journal.ok:
        return
    status = await standalone.look(config, look_s)
    for finding in findings_of(status):
        yield finding


def _missing(config: Config, ports: Collection[str]) -> Iterator[Finding]:
    """Of the ports that are to be there; `ports` are."""
    if not ports:
        yield Finding("ports", False, "no port of a modem was found", _no_ports(config))
    for port in config.modems.ports:
        if port not in ports:
            yield Finding("ports", False, f"{port} does not exist", "correct modems.ports, or plug the modem in")


def _no_ports(config: Config) -> str:
    if config.modems.ports:
        return "correct modems.ports"
    return "plug a modem in (`dmesg` shows whether the kernel knows it), or list its port in modems.ports"


def findings_of(status: Answer) -> list[Finding]:
    """From `Desk.status`: one finding a modem, one a port that leads to none."""
    found = []
    spans, unusable = status["spans"], status["unusable_ports"]
    assert isinstance(spans, list)
    assert isinstance(unusable, dict)
    for info in (SpanInfo.model_validate(span) for span in spans):
        where = " ".join(filter(None, (info.name, info.span, f"on {info.device}" if info.device else "")))
        signal = f", {info.signal_dbm} dBm" if info.signal_dbm is not None else ""
        text = f"{where}: ready, {info.operator or 'operator unknown'}{signal}" if info.available else ""
        found.append(Finding("modem", info.available, text or f"{where}: {info.reason}", remedy_of(info.reason)))
        if info.sim_full:
            found.append(Finding("SIM", False, f"{where}: no room for messages that come in", _FULL_SIM))
    found.extend(Finding("port", False, reason, remedy_of(reason)) for reason in unusable.values())
    return found


_FULL_SIM = "put the SIM into a phone and delete drafts and sent messages; received ones the agent takes out itself"


async def _cloud(cloud: Cloud) -> Findings:
    """The handshake alone: no hello is said, so a running agent keeps its place."""
    asked = time.time()
    try:
        socket = await dial(cloud)
    except SocketClosed as closed:
        yield Finding(
            "cloud", False, closed.disconnect.reason, _NETWORK if closed.disconnect.then == "retry" else _ENROL
        )
        return
    date = socket.date
    await socket.close()
    yield Finding("cloud", True, f"{cloud.url} accepts this agent's credential")
    yield _clock(date, asked)


_ENROL = "get a new code from whoever runs the cloud side, and run `python -m edge_agent enroll --force`"
_NETWORK = "check the network, the firewall (outgoing TCP 443 is enough) and https_proxy"


def _clock(date: str, asked: float) -> Finding:
    try:
        ahead = asked - parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return Finding("clock", None, "the cloud told no time")
    if abs(ahead) <= CLOCK_S:
        return Finding("clock", True, "agrees with the cloud's")
    how = "ahead" if ahead > 0 else "behind"
    return Finding(
        "clock", False, f"is {abs(ahead):.0f} s {how} of the cloud's", "turn on NTP (timedatectl set-ntp true)"
    )


async def probe(config: Config) -> Findings:
    """What is behind each port, one after the other, without touching settings. Raises Refused while an agent runs."""
    if await standalone.asked(config) is not None:
        raise Refused("the agent is running and has the ports; `status` shows its modems")
    ports = sorted(discovery.present(config.modems))
    for finding in _missing(config, ports):
        yield finding
    for port in ports:
        try:
            async with asyncio.timeout(LOOK_S):
                found = await discovery.probe(port, config.modems)
        except (OSError, discovery.NoModem) as error:
            said = str(error) or f"{port}: no answer to AT within {LOOK_S:.0f} s"
            yield Finding("port", False, said, remedy_of(said))
        else:
            span = found.span(config.modems.options(port, found.identity.imei))
            yield Finding("port", True, f"{port}: {span}, {found.identity.maker} {found.identity.model}")
