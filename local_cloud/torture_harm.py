"""What is done to a stack: processes killed, the line cut and stalled, modems struck, the receiver broken."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from local_cloud.stack import LocalStack
from local_cloud.torture_modems import tell_modems
from local_cloud.torture_proxy import Line

_FUNCTIONS = ("sms_api", "agent_auth", "agent_socket", "push", "sweep")
_KILLS = {"agent": 30, "gateway": 8, "worker": 62}
_HARMS = {"modem": 55, "cut": 18, "stall": 9, "receiver": 10, "lost frames": 8}

# Name → parameters. What takes long on a real modem is short here, so that more of it fits.
MODEM_FAULTS: dict[str, dict[str, float]] = {
    "hang_after_pdu": {"seconds": 4.0},
    "reboot_after_pdu": {},
    "unplug_after_pdu": {"seconds": 1.0},
    "hang": {"seconds": 4.0},
    "unplug": {"seconds": 1.0},
    "reboot_mid_command": {},
    "refuse": {},
    "refuse_network": {},
    "no_prompt": {},
    "slow_prompt": {"seconds": 2.0},
    "late_answer": {"seconds": 4.0},
    "missing_reference": {},
    "report_before_answer": {},
    "report_duplicate": {},
    "report_lost": {},
    "garbage": {},
    "urc_in_prompt": {},
    "split_reads": {},
}


@dataclass(frozen=True, slots=True)
class Blow:
    """One thing done. It took effect between `at` and `until`; `modem` only where one modem was struck."""

    at: float  # epoch s
    what: str
    modem: int | None = None
    until: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "until", max(self.at, self.until))


@dataclass
class Harm:
    stack: LocalStack
    line: Line
    control: Path
    modems: int
    seed: int
    blows: list[Blow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.seed}/harm")  # noqa: S311 - a schedule, not a secret
        self._due: list[tuple[float, Callable[[], None]]] = []

    @property
    def kills(self) -> Counter[str]:
        return Counter(blow.what.split()[1] for blow in self.blows if blow.what.startswith("kill "))

    def run(self, seconds: float, progress: Callable[[], None]) -> None:
        """Kills about once in 1.1 s and harms about once in 0.9 s until the time is up; mends as it goes."""
        end = time.monotonic() + seconds
        self._later(0.5, self._kill)
        self._later(0.8, self._harm)
        self._later(5.0, lambda: self._report(progress))
        while (now := time.monotonic()) < end:
            due = [action for at, action in self._due if at <= now]
            self._due = [(at, action) for at, action in self._due if at > now]
            for action in due:
                action()
            time.sleep(0.02)

    def heal(self) -> None:
        """Everything runs again, nothing is broken any more."""
        for _, action in self._due:
            if action in (self._start_agent, self._start_gateway):
                action()
        self._due.clear()
        self.line.flow()
        self._start_gateway()
        self._start_agent()
        self.stack.set_receiver()
        self.stack.set_faults(lose_posts=0, lose_frames=0, drop_disconnects=False)
        tell_modems(self.control, {"modem": "all", "do": "clear"})

    # -------------------------------------------------------------------------------------------------- schedule

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self._due.append((time.monotonic() + seconds, action))

    def _report(self, progress: Callable[[], None]) -> None:
        progress()
        self._later(10.0, lambda: self._report(progress))

    def _pick(self, weights: dict[str, int]) -> str:
        return self._chance.choices(list(weights), list(weights.values()))[0]

    def _kill(self) -> None:
        self._later(self._chance.uniform(0.7, 1.5), self._kill)
        match self._pick(_KILLS):
            case "agent" if self._alive("agent"):
                began = time.time()
                self.stack.kill("agent")
                self.blows.append(Blow(began, "kill agent", until=time.time()))
                self._later(self._chance.uniform(0.0, 1.5), self._start_agent)
            case "gateway" if self._alive("gateway"):
                self._note("kill gateway")
                self.stack.kill("gateway")
                self._start_gateway()
            case _:
                self._kill_worker()

    def _kill_worker(self) -> None:
        name = self._chance.choice(_FUNCTIONS)
        try:
            workers = self.stack.workers(name)
            os.kill(self._chance.choice(workers), signal.SIGKILL)
        except (OSError, IndexError):  # it has just ended, or the gateway has
            return
        self._note(f"kill worker {name}")

    def _harm(self) -> None:
        self._later(self._chance.uniform(0.4, 1.4), self._harm)
        match self._pick(_HARMS):
            case "modem":
                self._strike()
            case "cut":
                self._note("cut")
                self.line.cut()
            case "stall":
                self._note("stall")
                self.line.stall()
                self._later(self._chance.uniform(0.5, 8.0), self.line.flow)
            case "receiver":
                self._note("receiver")
                self.stack.set_receiver(status=self._chance.choice((500, 503, 302)), times=self._chance.randint(1, 3))
            case _:
                self._lose_frames()

    def _lose_frames(self) -> None:
        try:
            self.stack.set_faults(lose_posts=1, lose_frames=1, drop_disconnects=self._chance.random() < 0.5)
        except OSError:
            return
        self._note("lost frames")

    def _strike(self) -> None:
        modem, name = self._chance.randrange(self.modems), self._chance.choice(list(MODEM_FAULTS))
        self._note(name, modem)
        tell_modems(self.control, {"modem": modem, "do": "fault", "name": name, "count": 1, **MODEM_FAULTS[name]})

    # -------------------------------------------------------------------------------------------------- by hand

    def _note(self, what: str, modem: int | None = None) -> None:
        self.blows.append(Blow(time.time(), what, modem))

    def _alive(self, name: str) -> bool:
        return any(child.name == name and child.ended is None for child in self.stack.children)

    def _start_agent(self) -> None:
        if not self._alive("agent"):
            self.stack.restart("agent")

    def revive_gateway(self) -> bool:
        """Whether it had ended."""
        dead = not self._alive("gateway")
        if dead:
            self.stack.restart("gateway")
        return dead

    def _start_gateway(self) -> None:
        self.revive_gateway()
