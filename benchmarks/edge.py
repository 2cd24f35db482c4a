"""How many messages a second the agent sends, and at what cost: `python -m benchmarks.edge --ports DIR --count N`.

Uses the ports that lie in DIR, whoever made them, and the agent's own core: journal on disk, a mark before each PDU,
reports asked for and matched, events acknowledged in batches as the cloud would. Prints one JSON line and ends.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import resource
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_agent import collector, processor
from edge_agent.clock import Clock
from edge_agent.config import Config, JournalConfig
from edge_agent.core import Core
from edge_agent.journal import Journal
from edge_agent.modem.config import ModemsConfig
from edge_agent.modem.fleet import Fleet
from shared.wire import Job

AHEAD, AHEAD_IN_ALL = 16, 128  # jobs waiting for each modem, so that none is ever idle; a frame of the cloud has 100
ACK_EVERY_S = 0.25
READY_S = 60.0
REPORTS_S = 10.0


@dataclass(slots=True)
class Tally:
    """What the events say."""

    outcomes: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    last_at: float = 0.0  # of the latest result, epoch s

    def count(self, events: list[dict[str, Any]]) -> None:
        self.outcomes.update(event["outcome"] for event in events)
        self.last_at = max([self.last_at, *(event["at"] for event in events if event["kind"] == "result")])

    @property
    def ended(self) -> int:
        return sum(self.outcomes[name] for name in ("sent", "refused", "uncertain", "unavailable", "expired"))

    @property
    def reported(self) -> int:
        return self.outcomes["delivered"] + self.outcomes["undelivered"]


class Bench:
    """Plays the cloud: gives jobs before the modems run out of them, and acknowledges what it is told."""

    def __init__(self, core: Core, messages: int | None, seconds: float | None) -> None:
        self._core, self._messages, self._seconds = core, messages, seconds
        self._spans = [info.span for info in core.board.infos()]
        self._ahead = max(AHEAD, AHEAD_IN_ALL // len(self._spans))
        self.tally = Tally()
        self._bell = asyncio.Event()
        core.outgoing.listen(self._heard)

    async def run(self) -> dict[str, object]:
        """Feeds the modems until it is enough, and waits for what is under way."""
        began, cpu = self._core.now(), time.process_time()
        while not self._enough(began) or self.tally.ended < self.tally.asked:
            if not self._enough(began):
                await self._feed()
            await self._listen()
        elapsed = self.tally.last_at - began
        given_up = self._core.now() + REPORTS_S
        while self.tally.reported < self.tally.outcomes["sent"] and self._core.now() < given_up:
            await self._listen()
        return self._result(len(self._spans), elapsed, time.process_time() - cpu)

    def _enough(self, began: float) -> bool:
        if self._messages is not None:
            return self.tally.asked >= self._messages
        return self._core.now() - began >= (self._seconds or 0)

    async def _feed(self) -> None:
        waiting = self._core.dispatch.waiting()
        spans = [span for span in self._spans for _ in range(self._ahead - waiting.get(span, 0))]
        if self._messages is not None:
            spans = spans[: self._messages - self.tally.asked]
        jobs = [self._job(self.tally.asked + number, span) for number, span in enumerate(spans)]
        self.tally.asked += len(jobs)
        await self._core.take_jobs(jobs)

    def _job(self, number: int, span: str) -> Job:
        to, deadline = f"+49151{number % 100_000_000:08}", self._core.now() + 3600
        return Job(id=f"bench-{number}", to=to, text=f"Message {number}", spans=(span,), deadline=deadline)

    def _heard(self) -> None:
        """Told at every commit; acts once half of what was given ahead is told of."""
        if len(self._core.outgoing) >= len(self._spans) * self._ahead // 2:
            self._bell.set()

    async def _listen(self) -> None:
        """Waits for enough events or a moment, counts them and acknowledges them all."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._bell.wait(), ACK_EVERY_S)
        self._bell.clear()
        events = list(self._core.outgoing)
        self.tally.count(json.loads(f"[{','.join(event.body for event in events)}]"))
        self._core.acknowledged([event.id for event in events])

    def _result(self, modems: int, elapsed: float, cpu: float) -> dict[str, object]:
        ended = max(1, self.tally.ended)
        return {
            "modems": modems,
            "messages": self.tally.asked,
            "seconds": round(elapsed, 3),
            "messages_per_s": round(self.tally.ended / elapsed, 1),
            "cpu_s_per_1000": round(cpu / ended * 1000, 3),
            "rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "accepted": self.tally.outcomes["sent"],
            "refused": self.tally.outcomes["refused"],
            "uncertain": self.tally.outcomes["uncertain"],
            "reported": self.tally.reported,
            "python": sys.version.split()[0],
        }


async def bench(ports: tuple[str, ...], folder: Path, messages: int | None, seconds: float | None) -> dict[str, object]:
    collector.relieve()  # this and the next as the agent itself does
    processor.stay()
    config = Config(journal=JournalConfig(path=folder / "journal.db"), modems=ModemsConfig(ports=ports))
    clock = Clock()
    clock.tell(time.time())
    journal = Journal.open(config.journal, now=clock.now(), reports_since=0.0)
    try:
        core = Core(config, journal, clock)
        fleet = asyncio.ensure_future(Fleet(config.modems, core).run())
        await _all_ready(core, len(ports))
        result = await Bench(core, messages, seconds).run()
        fleet.cancel()
        await asyncio.gather(fleet, return_exceptions=True)
        return result
    finally:
        journal.close()


async def _all_ready(core: Core, count: int) -> None:
    try:
        async with asyncio.timeout(READY_S):
            while sum(info.available for info in core.board.infos()) < count:  # noqa: ASYNC110 (once, before measuring)
                await asyncio.sleep(0.05)
    except TimeoutError:
        reasons = Counter(info.reason or "ready" for info in core.board.infos())
        raise SystemExit(f"not all {count} modems became ready within {READY_S:.0f} s: {dict(reasons)}") from None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edge", description=__doc__)
    parser.add_argument("--ports", type=Path, required=True, help="folder in which the modems' ports lie")
    parser.add_argument("--count", type=int, required=True, help="how many of them to use")
    parser.add_argument("--seconds", type=float, help="send for so long (default 10)")
    parser.add_argument("--messages", type=int, help="send so many, instead of --seconds")
    parser.add_argument("--journal", type=Path, help="folder for the journal (default: a temporary one)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    ports = tuple(str(path) for path in sorted(arguments.ports.iterdir()) if path.is_char_device())[: arguments.count]
    if len(ports) < arguments.count:
        raise SystemExit(f"{arguments.ports} holds {len(ports)} ports, {arguments.count} are wanted")
    seconds = arguments.seconds or (None if arguments.messages else 10.0)
    with tempfile.TemporaryDirectory(dir=arguments.journal) as folder:
        print(json.dumps(asyncio.run(bench(ports, Path(folder), arguments.messages, seconds))))


if __name__ == "__main__":
    main()
