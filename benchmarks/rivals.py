"""How other SMS daemons are set up for benchmarks/compare.py: each as quick as its own documentation lets it be.

Both spool files; both are asked for delivery reports, and neither has to receive anything else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TEXT = "Message {}"


@dataclass(frozen=True, slots=True)
class Rival:
    """`prepare` writes settings into a folder, and returns the command lines to be started; `spool` adds a message."""

    name: str
    package: str  # of Debian
    program: str
    ahead: int  # messages waiting for each modem: enough for the pause between two looks, as both scan what waits
    prepare: Callable[[Path, Sequence[Path]], list[list[str]]]
    spool: Callable[[Path, Sequence[Path], int], None]


def _number(number: int, modems: int) -> str:
    """Its first five digits say through which modem it goes."""
    return f"{_prefix(number % modems)}{number:08}"


def _prefix(modem: int) -> str:
    return str(49100 + modem)


def _smstools(folder: Path, ports: Sequence[Path]) -> list[list[str]]:
    """One daemon, which forks a process a modem. Its pauses before each command and between reads are switched off.

    Each modem has a queue of its own, as a process looks through all that waits in its queue for each message.
    """
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
        "ignore_outgoing_priority = yes",
        "delaytime = 1",
        "errorsleeptime = 1",
    ]
    lines += ["[queues]", *(f"Q{port.name} = {folder / port.name}" for port in ports)]
    lines += ["[provider]", *(f"Q{port.name} = {_prefix(modem)}" for modem, port in enumerate(ports))]
    for port in ports:
        (folder / port.name).mkdir()
        lines += [
            f"[{port.name}]",
            f"queues = Q{port.name}",
            f"device = {port}",
            "incoming = no",
            "report = yes",
            "check_network = no",
        ]
        lines += ["detect_message_routing = no", "detect_unexpected_input = no", "poll_faster = 100"]
    (folder / "smsd.conf").write_text("\n".join(lines) + "\n")
    return [["smsd", "-t", f"-c{folder / 'smsd.conf'}"]]


def _spool_smstools(folder: Path, ports: Sequence[Path], number: int) -> None:
    fresh = folder / f"m{number:06}"
    fresh.write_text(f"To: {_number(number, len(ports))}\n\n{TEXT.format(number)}")
    fresh.rename(folder / "outgoing" / fresh.name)


def _gammu(folder: Path, ports: Sequence[Path]) -> list[list[str]]:
    """One daemon a modem. What it looks after besides sending is switched off."""
    commands = []
    for port in ports:
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
        commands.append(["gammu-smsd", "-c", str(home / "smsdrc")])
    return commands


def _spool_gammu(folder: Path, ports: Sequence[Path], number: int) -> None:
    fresh = folder / f"OUTC20260101_000000_{number:06}_+{_number(number, len(ports))}_m.txtd"
    fresh.write_text(TEXT.format(number))
    fresh.rename(folder / ports[number % len(ports)].name / "outbox" / fresh.name)


RIVALS = (
    Rival("smstools3", "smstools", "smsd", 64, _smstools, _spool_smstools),
    Rival("gammu-smsd", "gammu-smsd", "gammu-smsd", 8, _gammu, _spool_gammu),
)
