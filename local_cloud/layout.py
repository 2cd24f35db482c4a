"""Where everything of one running stack lies."""

from __future__ import annotations

import fcntl
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from local_cloud.process import StartError

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Layout:
    """The state folder. Everything in it but the cache is of one run: moto forgets at the end, so must the rest."""

    root: Path

    @property
    def cache(self) -> Path:
        return CHECKOUT / ".local" / "cache"  # shared by all stacks: its names are hashes

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def air(self) -> Path:
        """What the simulated modems sent over the air, as JSON lines."""
        return self.root / "air.jsonl"

    @property
    def received(self) -> Path:
        """What the receiver was pushed, as JSON lines."""
        return self.root / "received.jsonl"

    @property
    def frames(self) -> Path:
        """Every frame between agent and cloud, as JSON lines, if the stack was told to keep them."""
        return self.root / "frames.jsonl"

    @property
    def operator(self) -> Path:
        """The AWS environment for `python -m admin --local`, while a stack runs."""
        return self.root / "operator.json"

    @property
    def links(self) -> Path:
        return self.root / "modems"

    @property
    def agent(self) -> Path:
        """The agent's own folder: configuration, credential, journal."""
        return self.root / "agent"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def make_fresh(self) -> None:
        for folder in (self.logs, self.links, self.agent):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        for file in (self.air, self.received, self.frames, self.operator):
            file.unlink(missing_ok=True)


class Lock:
    """Held while a stack runs in a state folder; freed by the kernel however the stack ends."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        if any(root.iterdir()) and not (root / "lock").exists():
            # Folders in it will be deleted; they have to be ours.
            raise StartError(f"{root} is not empty and no folder of the local cloud; name another")
        self._file = (root / "lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            owner = self._file.read().strip() or "unknown"
            self._file.close()
            raise StartError(f"another copy already runs in {root} (process {owner}); stop it first") from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        self._file.close()
