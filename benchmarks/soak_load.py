"""What a soak asks of the agent, and what it hears: messages of every kind, without a cloud. Repeatable by its seed."""

import asyncio
import itertools
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence

from benchmarks.soak_truth import Told
from edge_agent.core import Core
from edge_agent.simulator.simulator import Simulator
from shared.wire import Job

AHEAD = 3  # messages waiting for each modem
EVERY_S = 0.1
PATIENT_S, HASTY_S = 3600.0, 2.0
HASTY, CANCELLED, UNREPORTED = 0.1, 0.02, 0.2  # so many of them are such
RECEIVED_EVERY_S = 0.3

_TEXTS = (
    "#",
    "# is the code; it is good for ten minutes.",
    "#: brackets [] {} and the euro € take two septets each. " * 4,
    "# 🙂 это важно",
    "# 🙂 это важно. " * 9,
)


class Load:
    """Outlives the agent, which may be started again on its journal."""

    def __init__(self, simulator: Simulator, seed: int) -> None:
        self._simulator, self._rng = simulator, random.Random(seed)
        self._numbers = itertools.count(1)
        self._spans = [f"imei:{handle.core.identity.imei}" for handle in simulator.modems]
        self.jobs: list[Job] = []
        self.told: dict[str, list[Told]] = defaultdict(list)
        self.received: Counter[str] = Counter()

    @property
    def ended(self) -> int:
        return len(self.told)

    @property
    def outcomes(self) -> Counter[str]:
        return Counter(event["outcome"] for events in self.told.values() for event in events)

    async def ask(self, core: Core) -> None:
        """Keeps all modems in work, until cancelled."""
        while True:
            fresh = [self._job() for _ in range(AHEAD * len(self._spans) - len(core.dispatch))]
            if fresh:
                await core.take_jobs(fresh)
                self.jobs += fresh
                await core.cancel_jobs([job.id for job in fresh if self._rng.random() < CANCELLED])
            await asyncio.sleep(EVERY_S)

    async def hear(self, core: Core) -> None:
        """Acknowledges as the cloud does, once it has seen; until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            rows = list(core.outgoing)
            for row in rows:
                self._heard(json.loads(row.body))
            core.acknowledged([row.id for row in rows])

    async def receive(self) -> None:
        """Messages from the network to any of the modems, until cancelled."""
        while True:
            text = self._rng.choice(_TEXTS).replace("#", f"In {next(self._numbers)}")
            self._rng.choice(self._simulator.modems).receive(text, "+4915177777777")
            await asyncio.sleep(RECEIVED_EVERY_S)

    def _heard(self, event: Told) -> None:
        if event["kind"] == "received":
            self.received[event["text"]] += 1
        else:
            self.told[event["job_id"]].append(event)

    def _job(self) -> Job:
        number = next(self._numbers)
        return Job(
            id=f"soak-{number}",
            to=f"+49151{number:08}",
            text=self._rng.choice(_TEXTS).replace("#", f"No {number}"),
            spans=tuple(self._pool()),
            deadline=time.time() + (HASTY_S if self._rng.random() < HASTY else PATIENT_S),
            report=self._rng.random() >= UNREPORTED,
        )

    def _pool(self) -> Sequence[str]:
        return self._rng.sample(self._spans, k=min(len(self._spans), self._rng.randint(1, 3)))
