"""The agent's throughput over sizes of sites: `python -m benchmarks.edge_runs` runs benchmarks.edge again and again.

Writes the run with the median throughput of each size to benchmarks/results/edge.json.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
MODEMS = (1, 8, 32, 64)
ANSWERS_MS = (0.0, 20.0)
SECONDS, TIMES = 10.0, 3


@contextmanager
def simulated(folder: Path, modems: int, answer_ms: float, air: Path | None = None) -> Iterator[Sequence[Path]]:
    """A simulator in a process of its own; its ports."""
    command = [
        sys.executable,
        "-m",
        "edge_agent.simulator",
        "--count",
        str(modems),
        "--link-dir",
        str(folder / "modems"),
    ]
    command += ["--vendor", "plain", "--answer-delay-ms", str(answer_ms), *(("--air", str(air)) if air else ())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as simulator:
        assert simulator.stdout is not None
        try:
            lines = iter(simulator.stdout.readline, "ready\n")
            yield [Path(line.strip()) for line in lines if line]
        finally:
            simulator.terminate()


def spanbridge(modems: int, answer_ms: float, seconds: float) -> dict[str, Any]:
    return _run("spanbridge", ["benchmarks.edge", "--count", str(modems)], modems, answer_ms, seconds)


def bare_loop(answer_ms: float, seconds: float) -> dict[str, Any]:
    return _run("a bare loop", ["benchmarks.floor"], 1, answer_ms, seconds)


def _run(program: str, module: list[str], modems: int, answer_ms: float, seconds: float) -> dict[str, Any]:
    row = {"program": program, "modems": modems, "answer_ms": answer_ms}
    with tempfile.TemporaryDirectory() as folder, simulated(Path(folder), modems, answer_ms):
        command = [sys.executable, "-m", *module, "--ports", f"{folder}/modems", "--seconds", str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return {**row, **({"failed": done.stderr[-200:]} if done.returncode else json.loads(done.stdout))}


def machine() -> dict[str, Any]:
    """`load` is the average of the last five minutes: above the runs' own 2 or so, others disturb them."""
    load = round(os.getloadavg()[1], 1)
    return {
        "cpus": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "load": load,
    }


def median(rows: list[dict[str, Any]]) -> dict[str, Any]:
    whole = sorted((row for row in rows if "failed" not in row), key=lambda row: row["messages_per_s"])
    return whole[len(whole) // 2] if whole else rows[0]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edge_runs", description=__doc__)
    parser.add_argument("--modems", type=int, nargs="+", default=list(MODEMS))
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--times", type=int, default=TIMES)
    given = parser.parse_args()
    rows = []
    for answer_ms in ANSWERS_MS:
        for modems in given.modems:
            rows.append(median([spanbridge(modems, answer_ms, given.seconds) for _ in range(given.times)]))
            print(json.dumps(rows[-1]), flush=True)
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), "times": given.times, "rows": rows}, indent=1)
    (RESULTS / "edge.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
