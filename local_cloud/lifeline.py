"""No process outlives the one that started it, however that one ended.

A child's standard input is a pipe that its parent holds open: end of file means that the parent is gone. On Linux the
kernel is asked too (PR_SET_PDEATHSIG), because it also ends a child that is stuck. Run as a program, this module does
both for a command that knows nothing of it: `python lifeline.py COMMAND …`.

Imports nothing outside the standard library, and little of that: it stands before the start of every process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
READY_FD = "LOCAL_CLOUD_READY_FD"


def live_with_parent() -> None:
    """Call first thing in a child: ends this process when its parent ends."""
    if not ask_kernel():
        threading.Thread(target=_exit_at_end_of_file, daemon=True).start()


def ask_kernel() -> bool:
    """Has the kernel kill this process when the thread that started it ends; survives exec. False where it cannot."""
    if sys.platform != "linux":
        return False
    import ctypes

    parent = os.getppid()
    if ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        return False
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)
    return True


def _exit_at_end_of_file() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


def announce(text: object) -> None:
    """Tells whoever started this process that it is ready, with one line; silent when nobody asked."""
    descriptor = os.environ.pop(READY_FD, None)
    if descriptor is not None:
        with os.fdopen(int(descriptor), "w") as ready:
            ready.write(f"{text}\n")


def _main(command: list[str]) -> int:
    if ask_kernel():
        os.execvp(command[0], command)  # noqa: S606 - the command that was asked for, as it is
    import subprocess

    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_lifeline, args=(child.pid,), daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: child.send_signal(received))
    return child.wait()


def _end_with_lifeline(pid: int) -> None:
    while os.read(0, 4096):
        pass
    os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
