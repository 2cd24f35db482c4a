"""Remembers PIN attempts across restarts, so that a wrong PIN is entered once and never again: three burn the SIM.

Written before the attempt and taken back after success; what is in between counts as refused. The PIN itself is not in
the file, but four digits are soon guessed from any digest: the file is for its owner only, as the configuration is.
"""

import hashlib
import json
import logging
import os
from pathlib import Path

from edge_agent.ownership import hand_over

_LOG = logging.getLogger(__name__)


class PinAttemptForbidden(Exception):
    """Entering the PIN is not safe; the text says why."""


class PinLedger:
    """One JSON file: SIM or modem → digest of the PIN that was tried. What is wrong with it forbids every attempt."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def begin(self, owners: tuple[str, ...], pin: str) -> None:
        """On disk when it returns. `owners`: all by which the SIM is known. Raises PinAttemptForbidden."""
        if self._path is None:
            raise PinAttemptForbidden("none is entered without a file to remember the attempt (pin_ledger)")
        try:
            tried = self._read()
            if any(tried.get(owner) == _digest(owner, pin) for owner in owners):
                raise PinAttemptForbidden("the configured one was tried once and is not tried again")
            self._write({**tried, **{owner: _digest(owner, pin) for owner in owners}})
        except (OSError, ValueError) as error:
            raise PinAttemptForbidden(f"none is entered while {self._path} cannot be used ({error})") from error

    def succeeded(self, owners: tuple[str, ...]) -> None:
        """The SIM is unlocked. What cannot be written now forbids an attempt too many, which is the safe side."""
        try:
            tried = self._read()
            if not tried.keys().isdisjoint(owners):
                self._write({owner: digest for owner, digest in tried.items() if owner not in owners})
        except (OSError, ValueError) as error:
            _LOG.warning("%s: %s", self._path, error)

    def _read(self) -> dict[str, str]:
        if self._path is None or not self._path.exists():
            return {}
        content = json.loads(self._path.read_text())
        if not isinstance(content, dict):
            raise ValueError("not what was written")
        return {str(owner): str(digest) for owner, digest in content.items()}

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
        hand_over([draft], self._path.parent)
        draft.replace(self._path)


def _digest(owner: str, pin: str) -> str:
    return hashlib.scrypt(pin.encode(), salt=owner.encode(), n=2**12, r=8, p=1).hex()
