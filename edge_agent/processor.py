"""On which of the machine's CPUs the agent runs."""

import contextlib
import os
from pathlib import Path

_STAT = Path("/proc/self/stat")
_PROCESSOR = 36  # of the fields behind the name, which may hold anything: proc(5), field 39


def stay() -> None:
    """Keeps the process on the CPU where it runs now, one of those that it was given.

    One thread does all the work, and sleeps between any two things that a modem says. Woken on another CPU it finds
    nothing of its own in the caches: with one modem that costs a fifth of a message's CPU time. Where the system does
    not let it be kept, it runs as before.
    """
    if not hasattr(os, "sched_setaffinity"):
        return  # not Linux
    with contextlib.suppress(OSError, ValueError, IndexError):
        behind_name = _STAT.read_text().rpartition(")")[2].split()
        os.sched_setaffinity(0, {int(behind_name[_PROCESSOR])})
