"""How other SMS daemons are set up for benchmarks/compare.py: each as quick as its own documentation lets it be.

Both spool files; both are asked for delivery reports, and neither has to receive anything else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TEXT = "Message {}"


@dataclass(frozen=True, slots=True)
class Rival:
    """`prepare` writes settings and messages into a folder, and returns the command lines to be started."""

    name: str
    package: str  # of Debian
    program: str
    most: int  # messages a second and modem that are worth preparing
    prepare: Callable[[Path, Sequence[Path], int], list[list[str]]]


def _number(number: int) -> str:
    return f"49151{number:08}"


def _smstools(folder: Path, ports: Sequence[Path], messages: int) -> list[list[str]]:
    """One daemon, which forks a process a modem. All its pauses are switched off."""
    folders = {name: folder / name for name in ("outgoing", "checked", "failed", "incoming", "sent", "report", "stats")}
    for path in folders.values():
        path.mkdir()
    lines = [
        "devices = " + ", ".join(port.name for port in ports),
        *(f"{name} = {path}" for name, path in folders.items()),
        f"logfile = {folder / 'log'}",
        f"infofile = {folder / 'working'}",
        f"pidfile = {folder / 'pid'}",
        "loglevel = 2",
        "receive_before_send = no",
        "trust_outgoing = yes",
        "delaytime = 0",
        "delaytime_mainprocess = 0",
        "sleeptime_mainprocess = 0",
        "errorsleeptime = 1",
    ]
    for port in ports:
        lines += [f"[{port.name}]", f"device = {port}", "incoming = no", "report = yes", "check_network = no"]
        lines += ["send_delay = 0", "sentsleeptime = 0", "communication_delay = 0", "pre_init = no"]
    (folder / "smsd.conf").write_text("\n".join(lines) + "\n")
    for number in range(messages):
        (folders["outgoing"] / f"m{number:06}").write_text(f"To: {_number(number)}\n\n{TEXT.format(number)}")
    return [["smsd", "-t", f"-c{folder / 'smsd.conf'}"]]


def _gammu(folder: Path, ports: Sequence[Path], messages: int) -> list[list[str]]:
    """One daemon a modem. What it looks after besides sending is switched off."""
    commands = []
    for position, port in enumerate(ports):
        home = folder / port.name
        folders = {name: home / name for name in ("inbox", "outbox", "sentsms", "errorsms")}
        for path in folders.values():
            path.mkdir(parents=True)
        lines = ["[gammu]", f"device = {port}", "connection = at115200", "[smsd]", "service = files"]
        lines += [f"{name}path = {path}/" for name, path in folders.items()]
        lines += ["checksecurity = 0", "checkbattery = 0", "checksignal = 0", "checknetwork = 0", "statusfrequency = 0"]
        lines += ["hangupcalls = 0", "receivefrequency = 3600", "commtimeout = 1", "loopsleep = 0"]
        lines += ["deliveryreport = log", f"logfile = {home / 'log'}", "debuglevel = 0"]
        (home / "smsdrc").write_text("\n".join(lines) + "\n")
        for number in range(position, messages, len(ports)):
            file = folders["outbox"] / f"OUTC20260101_000000_{number:06}_+{_number(number)}_m.txtd"
            file.write_text(TEXT.format(number))
        commands.append(["gammu-smsd", "-c", str(home / "smsdrc")])
    return commands


RIVALS = (
    Rival("smstools3", "smstools", "smsd", 50, _smstools),
    Rival("gammu-smsd", "gammu-smsd", "gammu-smsd", 10, _gammu),
)
