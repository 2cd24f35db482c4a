"""Remembers PIN attempts across restarts, so that a wrong PIN is entered once and never again: three burn the SIM.

Written before the attempt and taken back after success; what is in between counts as refused. The PIN itself is not in
the file, but four digits are soon guessed from any digest: the file is for its owner only, as the configuration is.
"""

import hashlib
import json
import logging
import os
from pathlib import Path

_LOG = logging.getLogger(__name__)


class PinAttemptForbidden(Exception):
    """Entering the PIN is not safe; the text says why."""


class PinLedger:
    """One JSON file: SIM → digest of the PIN that was tried. Whatever is wrong with it forbids every attempt."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def begin(self, sim: str, pin: str) -> None:
        """The attempt is on disk when it returns. Raises PinAttemptForbidden."""
        if self._path is None:
            raise PinAttemptForbidden("none is entered without a file to remember the attempt (pin_ledger)")
        try:
            tried = self._read()
            if tried.get(sim) == _digest(sim, pin):
                raise PinAttemptForbidden("the configured one was tried once and is not tried again")
            self._write({**tried, sim: _digest(sim, pin)})
        except (OSError, ValueError) as error:
            raise PinAttemptForbidden(f"none is entered while {self._path} cannot be used ({error})") from error

    def succeeded(self, sim: str) -> None:
        """The SIM is unlocked. What cannot be written now forbids an attempt too many, which is the safe side."""
        try:
            tried = self._read()
            if tried.pop(sim, None) is not None:
                self._write(tried)
        except (OSError, ValueError) as error:
            _LOG.warning("%s: %s", self._path, error)

    def _read(self) -> dict[str, str]:
        if self._path is None or not self._path.exists():
            return {}
        content = json.loads(self._path.read_text())
        if not isinstance(content, dict):
            raise ValueError("not what was written")
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
