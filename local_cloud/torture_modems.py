"""What is told to simulated modems from outside: faults to strike with, messages to receive."""

from __future__ import annotations

import json
import socket
from pathlib import Path

_PATIENCE_S = 10.0


def tell_modems(control: Path, request: dict[str, object]) -> None:
    """One request to the simulator's control socket; ValueError with its words when it would not."""
    with socket.socket(socket.AF_UNIX) as plug:
        plug.settimeout(_PATIENCE_S)
        plug.connect(str(control))
        plug.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(plug.makefile().readline())
    if not answer.get("ok"):
        raise ValueError(f"the simulator would not {request['do']}: {answer.get('error')}")
