"""People who write to the site's numbers, whatever becomes of its agent and modems meanwhile."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from pathlib import Path

from local_cloud.torture_modems import tell_modems


@dataclass(frozen=True, slots=True)
class Written:
    """One message to the site, each of another sender."""

    number: str
    text: str
    modem: int


class Writers:
    def __init__(self, control: Path, modems: int, rate: float, seed: int) -> None:
        self._control, self._modems, self._pause_s = control, modems, 1.0 / rate
        self._chance = random.Random(f"{seed}/writers")  # noqa: S311 - a schedule, not a secret
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)
        self.written: list[Written] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _go(self) -> None:
        while not self._stopping.wait(self._pause_s):
            one = self._make(len(self.written))
            self.written.append(one)
            tell_modems(self._control, {"modem": one.modem, "do": "receive", "from": one.number, "text": one.text})

    def _make(self, number: int) -> Written:
        kind = self._chance.random()
        text = f"written {number:06d}"
        if kind < 0.2:
            text = f"{text} " + "long " * 60  # three parts
        elif kind < 0.4:
            text = f"{text} Привет 🎉"
        return Written(f"+1888{number:07d}", text, self._chance.randrange(self._modems))
