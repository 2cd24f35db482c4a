"""Remembers PIN attempts across restarts, so that a wrong PIN is entered once and never again: three burn the SIM.

Written before the attempt and taken back after success; what is in between counts as refused. The PIN itself is not in
the file, but four digits are soon guessed from any digest: the file is for its owner only, as the configuration is.
"""

import hashlib
import json
import os
from pathlib import Path


class PinLedger:
    """One JSON file: SIM → digest of the PIN that was tried. Without a path it refuses every attempt."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    @property
    def durable(self) -> bool:
        return self._path is not None

    def was_tried(self, sim: str, pin: str) -> bool:
        """Whether this very PIN was entered into this SIM and did not unlock it, as far as is known."""
        return self._read().get(sim) == _digest(sim, pin)

    def remember(self, sim: str, pin: str) -> None:
        """On disk when it returns."""
        self._write({**self._read(), sim: _digest(sim, pin)})

    def forget(self, sim: str) -> None:
        """The SIM is unlocked."""
        tried = self._read()
        if tried.pop(sim, None) is not None:
            self._write(tried)

    def _read(self) -> dict[str, str]:
        if self._path is None or not self._path.exists():
            return {}
        content = json.loads(self._path.read_text())
        return {str(sim): str(digest) for sim, digest in content.items()}

    def _write(self, tried: dict[str, str]) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as file:
            json.dump(tried, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)


def _digest(sim: str, pin: str) -> str:
    return hashlib.scrypt(pin.encode(), salt=sim.encode(), n=2**12, r=8, p=1).hex()
