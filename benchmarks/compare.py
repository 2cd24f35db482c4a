"""Ours beside gammu-smsd and smstools3, on the same simulated modems: `python -m benchmarks.compare`.

Each sends through 1, 8 and 32 modems that answer after 20 ms. What others reach is counted in the simulator's record
of the air, from when every modem has sent until the end; CPU time is that of all their processes in the same span.
Writes benchmarks/results/compare.json; docs/performance.md is made from that by benchmarks/page.py.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.edge_runs import RESULTS, bare_loop, machine, simulated, spanbridge
from benchmarks.rivals import RIVALS, Rival

MODEMS = (1, 8, 32)
ANSWER_MS = 20.0
SECONDS = 10.0
START_S = 60.0
"""How long a program may take until every modem has sent."""
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class AirLog:
    """What the simulator has written so far."""

    path: Path
    sent: list[float] = field(default_factory=list)  # epoch s
    modems: set[int] = field(default_factory=set)
    _read: int = 0

    def look(self) -> None:
        with self.path.open("rb") as file:
            file.seek(self._read)
            whole, _, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + 1 if whole else 0
        for line in whole.splitlines():
            if b'"event":"submit"' in line:
                record = json.loads(line)
                self.sent.append(record["at"])
                self.modems.add(record["modem"])


def usage(group: int) -> tuple[float, float]:
    """CPU seconds and resident MiB (shared pages counted once a process) of a process group and what it has reaped."""
    cpu = pages = 0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                cpu += sum(int(fields[place]) for place in (11, 12, 13, 14))
                pages += int(fields[21])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return cpu / _TICKS, pages * _PAGE / (1 << 20)


@contextmanager
def _started(commands: list[list[str]], folder: Path) -> Iterator[list[int]]:
    """Their process groups."""
    with (folder / "output").open("wb") as output:
        started = [subprocess.Popen(one, stdout=output, stderr=output, start_new_session=True) for one in commands]
        try:
            yield [process.pid for process in started]
        finally:
            for process in started:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


class Spool:
    """Keeps so many messages waiting, and knows what became of them."""

    def __init__(self, rival: Rival, folder: Path, ports: Sequence[Path]) -> None:
        self._rival, self._folder, self._ports = rival, folder, ports
        self._spooled = 0
        self.air = AirLog(folder / "air")

    def fill(self) -> None:
        self.air.look()
        for number in range(self._spooled, len(self.air.sent) + self._rival.ahead * len(self._ports)):
            self._rival.spool(self._folder, self._ports, number)
            self._spooled = number + 1

    def until(self, end: float, modems: int | None = None) -> bool:
        """Whether so many modems have sent by then."""
        while time.monotonic() < end and (modems is None or len(self.air.modems) < modems):
            self.fill()
            time.sleep(0.05)
        self.air.look()
        return modems is None or len(self.air.modems) >= modems


def measure(rival: Rival, modems: int, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with simulated(folder, modems, ANSWER_MS, folder / "air") as ports:
            commands, spool = rival.prepare(folder, ports), Spool(rival, folder, ports)
            with _started(commands, folder) as groups:
                row = _watch(spool, groups, modems, seconds)
    return {"program": rival.name, "answer_ms": ANSWER_MS, "modems": modems, **row}


def _watch(spool: Spool, groups: list[int], modems: int, seconds: float) -> dict[str, Any]:
    if not spool.until(time.monotonic() + START_S, modems):
        return {"failed": f"{len(spool.air.modems)} of {modems} modems sent within {START_S:.0f} s"}
    before, cpu, began = len(spool.air.sent), sum(usage(group)[0] for group in groups), time.monotonic()
    spool.until(began + seconds)
    took = time.monotonic() - began
    count, used = len(spool.air.sent) - before, [usage(group) for group in groups]
    return {
        "messages_per_s": round(count / took, 1),
        "cpu_s_per_1000": round((sum(cpu_s for cpu_s, _ in used) - cpu) / max(1, count) * 1000, 3),
        "rss_mib": round(sum(rss for _, rss in used), 1),
        "messages": count,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("--modems", type=int, nargs="+", default=list(MODEMS))
    parser.add_argument("--seconds", type=float, default=SECONDS)
    given = parser.parse_args()
    missing = [rival.package for rival in RIVALS if shutil.which(rival.program) is None]
    if missing:
        print(
            f"this needs the Debian packages {' '.join(missing)}: apt-get install {' '.join(missing)}", file=sys.stderr
        )
        return 1
    rows = []
    for modems in given.modems:
        rows += [measure(rival, modems, given.seconds) for rival in RIVALS]
        rows.append(spanbridge(modems, ANSWER_MS, given.seconds))
        if modems == 1:
            rows.append(bare_loop(ANSWER_MS, given.seconds))
        print(*(json.dumps(row) for row in rows if row["modems"] == modems), sep="\n", flush=True)
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), "answer_ms": ANSWER_MS, "rows": rows}, indent=1)
    (RESULTS / "compare.json").write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
