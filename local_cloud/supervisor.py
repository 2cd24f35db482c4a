"""`python -m local_cloud run`: a stack on a terminal, until Ctrl-C."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from local_cloud import seed
from local_cloud.process import StartError
from local_cloud.stack import LocalStack
from local_cloud.topology import TemplateError

_LOOK_EVERY_S = 0.2
# In the range that is kept for fiction, so that a real modem can do no harm with it.
_EXAMPLE_NUMBER = "+12025550123"


def supervise(make: Callable[[], LocalStack], work: Callable[[LocalStack], int]) -> int:
    """Starts a stack, works on it, stops it whatever happens; the exit status.

    Ctrl-C, SIGTERM and the end of the terminal are orderly ends.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # else it is to outlive its terminal: nohup
        signal.signal(signal.SIGHUP, _interrupt)
        _notice_hangup()
    stack = None
    try:
        stack = make()
        stack.start()
        return work(stack)
    except (StartError, TemplateError) as error:
        print(f"local cloud: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        _ignore_signals()  # a second Ctrl-C must not leave half of it running
        if stack:
            stack.stop()


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _notice_hangup() -> None:
    """Of a terminal's end only its session's leader is told. Where that is `make`, it then waits for us; so we look."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return  # started from none
    threading.Thread(target=_hang_up_with, args=(terminal,), daemon=True).start()


def _hang_up_with(terminal: int) -> None:
    while os.isatty(terminal):
        time.sleep(_LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGHUP)


def _ignore_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def watch(stack: LocalStack) -> int:
    """Says where it is, then waits. Returns only when a part ends without which there is no cloud."""
    introduce(stack)
    gone: set[str] = set()
    while True:
        time.sleep(_LOOK_EVERY_S)
        for child in stack.children:
            if child.ended is not None and child.name not in gone:
                gone.add(child.name)
                print(_obituary(stack, child.name, child.ended), file=sys.stderr, flush=True)
        if gone & {"moto", "gateway"}:
            return 1


def introduce(stack: LocalStack) -> None:
    print(f"READY {stack.url}")
    print(example(stack))
    print(f"agents connect to {stack.deployment.outputs['AgentUrl']}; logs are in {stack.layout.logs}")
    if stack.site.simulator:
        print(f"what the simulated modems send is in {stack.layout.air}")
    missing = [str(each.get("port_name")) for each in stack.spans() if each.get("status") != 1]
    if missing:
        print(f"not available yet: {', '.join(missing)}")
    sys.stdout.flush()


def example(stack: LocalStack) -> str:
    """A line to paste into another terminal."""
    fields = {"username": seed.ACCOUNT, "password": seed.PASSWORD, "dest_num": _EXAMPLE_NUMBER}
    body = json.dumps({**fields, "msg": "Hello from Spanbridge", "mode": 1})
    return f"curl -s {stack.url}/sms/send -H 'content-type: application/json' -d {shlex.quote(body)}"


def _obituary(stack: LocalStack, name: str, status: int) -> str:
    how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
    commands = {"agent": stack.site.command, "receiver": stack.receiver_command}
    if name in commands:
        return f"{name} {how}; to start it again: {shlex.join(commands[name])}"
    return f"{name} {how}; see {stack.layout.logs}"
