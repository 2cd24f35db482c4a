"""Child processes: started, waited for, stopped, and never left behind."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from local_cloud import lifeline


class StartError(Exception):
    """The stack cannot start; the text is for a person."""


class Child:
    """One running process. Its output goes to `log`, or, where there is none, to our own terminal."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], ready: int | None, log: Path | None) -> None:
        self.name, self._process, self._ready, self._log = name, process, ready, log

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> int | None:
        """The exit status of a process that has ended, negative for a signal."""
        return self._process.poll()

    def tell(self, line: str) -> None:
        """Writes a line to its standard input, which stays open: it is the lifeline."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended; whoever waits for it hears so
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    def wait_ready(self, timeout_s: float) -> str:
        """The line that it announces once it is ready. StartError if it ends or stays silent instead."""
        assert self._ready is not None
        readable, _, _ = select.select([self._ready], [], [], timeout_s)
        with os.fdopen(self._ready, "r") as pipe:
            self._ready = None
            line = pipe.readline().strip() if readable else ""
        if not line:
            raise StartError(f"{self.name} did not start{self._last_words()}")
        return line

    def _last_words(self) -> str:
        if self._log is None or not self._log.exists():
            return ""
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return f": {lines[-1].strip()} (all of it: {self._log})" if lines else f"; {self._log} is empty"

    def signal(self, number: int) -> None:
        if self.ended is None:
            self._process.send_signal(number)

    def wait(self, timeout_s: float) -> bool:
        """Whether it has ended within the time."""
        try:
            self._process.wait(max(0.0, timeout_s))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """Like a power cut: nothing is said, nothing is written. Returns when it is gone."""
        self.signal(signal.SIGKILL)
        self._process.wait()
        self._close()

    def _close(self) -> None:
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        if self._ready is not None:
            os.close(self._ready)
            self._ready = None


def start_own(name: str, module: str, options: Sequence[object], log: Path | None, cwd: Path) -> Child:
    """Starts a module of ours that announces when it is ready and ends with us by itself."""
    readable, writable = os.pipe()
    command = [sys.executable, "-m", module, *map(str, options)]
    child_env = {**os.environ, lifeline.READY_FD: str(writable)}
    try:
        process = _spawn(command, child_env, log, cwd, (writable,))
    finally:
        os.close(writable)
    return Child(name, process, readable, log)


def start_any(name: str, command: Sequence[object], log: Path | None, cwd: Path) -> Child:
    """Starts a command that knows nothing of us, through a wrapper that ends it with us."""
    wrapper = [sys.executable, "-S", "-E", lifeline.__file__]
    return Child(name, _spawn([*wrapper, *map(str, command)], os.environ, log, cwd, ()), None, log)


def _spawn(
    command: list[str], env: Mapping[str, str], log: Path | None, cwd: Path, descriptors: tuple[int, ...]
) -> subprocess.Popen[bytes]:
    with contextlib.ExitStack() as files:
        output = files.enter_context(log.open("ab")) if log else None
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=env,
            cwd=cwd,
            pass_fds=descriptors,
            start_new_session=True,  # Ctrl-C is for us alone; we end the others in their order
        )


def stop_all(children: Sequence[Child], budget_s: float) -> None:
    """SIGTERM to one after the other, each given its share of the time; SIGKILL to whoever is still there then."""
    deadline = time.monotonic() + budget_s
    for position, child in enumerate(children):
        child.signal(signal.SIGTERM)
        share = (deadline - time.monotonic()) / max(1, len(children) - position)
        child.wait(share)
    for child in children:
        child.kill()
