"""Writes docs/performance.md from benchmarks/results/*.json: `python -m benchmarks.page`. A test holds it to them."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.edge_runs import RESULTS

PAGE = RESULTS.parent.parent / "docs" / "performance.md"

_HEAD = """# Performance

Made by `make bench` and `make compare` from `benchmarks/results/`; do not edit. Everything here can be run again, on
your machine and with your modems: `python -m benchmarks.edge --ports DIR --count N` takes whatever ports lie in `DIR`.

The agent's own core sends with its journal on disk (a mark before each PDU, so that a power cut never sends twice),
asks for delivery reports and matches them. The modems are simulated in another process of the same machine, which
therefore has their work to do as well. CPU time is the agent's alone, which stays on one CPU, as at a site.
"""
_EDGE = """
## The agent
"""
_COMPARE = """
## Beside others

Modems that answer after {answer_ms:.0f} ms, so that {limit:.0f} messages a second and modem are all there can be. The
others are Debian's packages with their pauses switched off as far as their settings allow (`benchmarks/rivals.py`).
The bare loop (`benchmarks/floor.py`) is the least that a sender which survives a power cut can cost on this machine: a
mark synced to disk before each PDU and a wait for each thing that the modem says, and nothing else, for one modem.
"""
_CODEC = """
## PDU codec

Microseconds a TPDU, the best of {rounds} rounds, beside other codecs for Python (a dash: it cannot do that).
"""


def page(results: Path) -> str:
    parts = [_HEAD]
    for name, section in (("edge", _edge), ("compare", _compare), ("codec", _codec)):
        if (results / f"{name}.json").exists():
            parts.append(section(json.loads((results / f"{name}.json").read_text())))
    return "".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n" + "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def _machine(result: dict[str, Any]) -> str:
    machine = result["machine"]
    about = f"{machine['cpus']} CPUs ({machine['architecture']}), Python {machine['python']}"
    if machine["load"] <= 2 * machine["cpus"]:
        return about
    return about + f"; **the machine was busy with other work (load {machine['load']}), which lowers every throughput**"


def _edge(result: dict[str, Any]) -> str:
    head = ("Modems", "answer after", "messages/s", "of what they can", "CPU s per 1,000", "MiB", "reports")
    rows = [
        (
            row["modems"],
            f"{row['answer_ms']:.0f} ms",
            f"{row['messages_per_s']:,.0f}",
            _share(row),
            f"{row['cpu_s_per_1000']:.2f}",
            f"{row['rss_mib']:.0f}",
            f"{row['reported'] / max(1, row['accepted']):.0%}",
        )
        for row in result["rows"]
    ]
    note = f"\nThe median of {result['times']} runs each. {_machine(result)}.\n"
    return _EDGE + note + _table(head, rows)


def _share(row: dict[str, Any]) -> str:
    if not row["answer_ms"]:
        return "–"
    return f"{row['messages_per_s'] / (row['modems'] * 1000 / row['answer_ms']):.0%}"


def _compare(result: dict[str, Any]) -> str:
    head = ("Program", "modems", "messages/s", "CPU s per 1,000", "MiB")
    rows = [(row["program"], row["modems"], *_figures(row)) for row in result["rows"]]
    text = _COMPARE.format(answer_ms=result["answer_ms"], limit=1000 / result["answer_ms"])
    return text + f"\n{_machine(result)}.\n" + _table(head, rows)


def _figures(row: dict[str, Any]) -> tuple[str, str, str]:
    if "failed" in row:
        return row["failed"], "–", "–"
    return f"{row['messages_per_s']:,.1f}", f"{row['cpu_s_per_1000']:.2f}", f"{row['rss_mib']:.0f}"


def _codec(result: dict[str, Any]) -> str:
    tasks = {name: codecs for name, codecs in result.items() if isinstance(codecs, dict)}
    names = list(dict.fromkeys(name for codecs in tasks.values() for name in codecs))
    rows = [(task.replace("_", " "), *(codecs.get(name, "–") for name in names)) for task, codecs in tasks.items()]
    return _CODEC.format(rounds=result.get("rounds", 15)) + _table(("Task", *names), rows)


if __name__ == "__main__":
    PAGE.write_text(page(RESULTS))
