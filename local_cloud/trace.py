"""Every frame between agents and cloud, as JSON lines, where someone asked for it.

The frames hold message texts, so this is for a demo or for finding a fault, and off unless told.
"""

from __future__ import annotations

import json
import time
from pathlib import Path


class Trace:
    def __init__(self, file: Path | None) -> None:
        self._file = file.open("a", encoding="utf-8", buffering=1) if file else None

    def frame(self, way: str, connection_id: str, body: str | bytes) -> None:
        """`way` is `in` (agent → cloud) or `out`."""
        if self._file:
            text = body if isinstance(body, str) else body.decode(errors="replace")
            line = {"at": time.time(), "way": way, "connection": connection_id, "frame": text}
            self._file.write(json.dumps(line) + "\n")
