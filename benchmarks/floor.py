"""The least that sending can cost here: `python -m benchmarks.floor --ports DIR` sends through one modem of DIR.

A loop without any of what makes an agent: no event loop, no pool, no events, no second modem, nothing matched. It has
only what no sender that survives a power cut can do without: a mark synced to disk before each PDU, and one wait for
each thing that the modem says. What benchmarks.edge reaches with one modem is to be read beside this. Prints one JSON
line.
"""

import argparse
import json
import os
import resource
import select
import sqlite3
import tempfile
import time
import tty
from pathlib import Path

from edge_agent.modem.pdu import encode_message

SET_UP = (b"ATE0\r", b"AT+CMGF=0\r", b"AT+CNMI=2,1,0,1,0\r")
PDU = encode_message("+4915100000001", "Message", ref=0, validity_s=3600, status_report=True)[0]


class Line:
    """A port that is waited for."""

    def __init__(self, port: Path) -> None:
        self._fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd)
        self._poll = select.epoll()
        self._poll.register(self._fd, select.EPOLLIN)
        self._said = b""
        self.reports = 0

    def say(self, data: bytes) -> None:
        os.write(self._fd, data)

    def hear(self, end: bytes) -> None:
        """Waits until the modem has said `end`."""
        while end not in self._said:
            self._poll.poll()
            self._said += os.read(self._fd, 16384)
        said, _, self._said = self._said.partition(end)
        self.reports += said.count(b"+CDS:")


def journal(folder: Path) -> sqlite3.Connection:
    database = sqlite3.connect(folder / "floor.db", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute(
        "CREATE TABLE parts (job TEXT PRIMARY KEY, state INTEGER NOT NULL, at REAL NOT NULL) WITHOUT ROWID"
    )
    return database


def send(line: Line, database: sqlite3.Connection, seconds: float) -> dict[str, object]:
    began, cpu, sent = time.monotonic(), time.process_time(), 0
    while time.monotonic() - began < seconds:
        line.say(f"AT+CMGS={PDU.tpdu_length}\r".encode())
        database.execute("BEGIN IMMEDIATE")
        database.execute("UPDATE parts SET state = 1 WHERE job = ?", (f"floor-{sent - 1}",))
        database.execute("INSERT INTO parts VALUES (?, 0, ?)", (f"floor-{sent}", time.time()))
        database.execute("COMMIT")
        line.hear(b"> ")
        line.say(PDU.hex.encode() + b"\x1a")
        line.hear(b"\r\nOK\r\n")
        sent += 1
    elapsed, cpu = time.monotonic() - began, time.process_time() - cpu
    return {
        "messages": sent,
        "messages_per_s": round(sent / elapsed, 1),
        "cpu_s_per_1000": round(cpu / sent * 1000, 3),
        "rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "reports": line.reports,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floor", description=__doc__)
    parser.add_argument("--ports", type=Path, required=True, help="folder in which the modem's port lies")
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    ports = sorted(path for path in arguments.ports.iterdir() if path.is_char_device())
    if not ports:
        raise SystemExit(f"{arguments.ports} holds no port")
    line = Line(ports[0])
    for command in SET_UP:
        line.say(command)
        line.hear(b"\r\nOK\r\n")
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(send(line, journal(Path(folder)), arguments.seconds)))


if __name__ == "__main__":
    main()
