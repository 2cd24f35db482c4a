"""docs/walk.md does what it says: its commands are run as they stand, in a copy of the checkout, and their output held
against the page. Only what differs from run to run is put in: two port numbers and the code."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from local_cloud.layout import CHECKOUT
from local_cloud.ports import Reservation

_NEEDED = ("admin", "edge_agent", "functions", "local_cloud", "shared", "requirements", "template.yaml")
_BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATIENCE_S = 40.0


def blocks() -> list[tuple[str, str]]:
    """Commands, each with what they are to print."""
    found = _BLOCK.findall((CHECKOUT / "docs" / "walk.md").read_text(encoding="utf-8"))
    pairs = []
    for index, (kind, body) in enumerate(found):
        if kind == "sh":
            follows = found[index + 1] if index + 1 < len(found) else ("sh", "")
            pairs.append((body, follows[1] if follows[0] == "text" else ""))
    return pairs


class Terminal:
    """A shell in which one block is run after the other, as a person would paste them."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, block: str) -> str:
        assert self._shell.stdin and self._shell.stdout
        self._shell.stdin.write(f"{block}\necho walked-$?\n")
        self._shell.stdin.flush()
        lines: list[str] = []
        while not (line := self._shell.stdout.readline()).startswith("walked-"):
            assert line, f"the shell ended: {''.join(lines)}"
            lines.append(line)
        assert line == "walked-0\n", "".join(lines)
        return "".join(lines)

    def close(self) -> None:
        os.killpg(self._shell.pid, 15)
        for pipe in (self._shell.stdin, self._shell.stdout):
            assert pipe
            pipe.close()
        self._shell.wait(10)


@pytest.fixture
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("w")  # short: in it lies a Unix socket, whose path may have 107 bytes
    for name in (*_NEEDED, "Makefile", *(path.name for path in CHECKOUT.glob("*.mk"))):
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    (copy / ".venv").symlink_to(sys.prefix)
    return copy


@pytest.fixture
def port() -> int:
    reservation = Reservation(0)
    reservation.release()
    return reservation.port


@pytest.fixture
def running(checkout: Path, port: int) -> Iterator[IO[str]]:
    """`make run`, as the page's first block has it. What it installs is installed: this test runs on it."""
    (command, _) = blocks()[0]
    # As on a terminal of its own: under `make test` it would be a make within a make, which says so first.
    outside = {name: value for name, value in os.environ.items() if name not in {"MAKELEVEL", "MFLAGS", "MAKEFILES"}}
    environment = outside | {"MAKEFLAGS": "e", "LOCAL": "", "VENV": ".venv", "PORT": str(port)}
    made = subprocess.Popen(
        ["bash", "-c", command],
        cwd=checkout,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert made.stdout
    yield made.stdout
    os.killpg(made.pid, 2)
    made.stdout.close()
    made.wait(20)


def missing(expected: str, output: str) -> list[str]:
    """Lines of the page that the output lacks; in them … stands for anything, and columns may be wider."""
    return [line for line in expected.splitlines() if not _pattern(line).search(output)]


def _pattern(line: str) -> re.Pattern[str]:
    words = [".*".join(re.escape(part) for part in word.split("…")) for word in line.split()]
    return re.compile(r"\s+".join(words))


def test_a_new_operator_gets_to_a_second_site(running: IO[str], checkout: Path, port: int) -> None:
    assert running.readline().split() == ["READY", f"http://127.0.0.1:{port}"]
    running.readline()
    sockets = running.readline().split()[3].rstrip(";")
    given = {"http://127.0.0.1:8080": f"http://127.0.0.1:{port}", "ws://127.0.0.1:8081/live": sockets}
    terminal = Terminal(checkout, dict(os.environ))
    try:
        for block, expected in blocks()[1:]:
            output = _walked(terminal, _with(given, block), _with(given, expected))
            if code := re.search(r"^code +(\S+)$", output, re.MULTILINE):
                given["--code CODE"] = f"--code {code[1]}"
    finally:
        terminal.close()


def _with(given: dict[str, str], text: str) -> str:
    for said, meant in given.items():
        text = text.replace(said, meant)
    return text


def _walked(terminal: Terminal, block: str, expected: str) -> str:
    """What only looks is looked at again for a while, as a person does who is told to wait some seconds."""
    deadline = time.monotonic() + _PATIENCE_S
    output = terminal.run(block)
    while (lacking := missing(expected, output)) and _only_looks(block) and time.monotonic() < deadline:
        time.sleep(0.2)
        output = terminal.run(block)
    assert not lacking, f"{block}\n{output}\nlacks {lacking}"
    return output


def _only_looks(block: str) -> bool:
    return all(" list" in line or "health" in line or "activate" in line for line in block.splitlines())
