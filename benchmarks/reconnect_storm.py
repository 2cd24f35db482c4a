"""A region-wide reconnect storm: every agent loses its connection at once, and the gateway takes 500 new ones a second.

The agents wait as they really do: `edge_agent.link_policy.Backoff`, with chance from a seed, so that a run repeats.
"""

import heapq
import itertools
import random
from dataclasses import dataclass

from edge_agent.link_policy import Backoff

GATEWAY_PER_S = 500  # API Gateway quota: new WebSocket connections a second, of all APIs of an account together
HANDSHAKE_S = 0.3  # DNS, TCP, TLS and the answer, refused or not
SILENCE_S = 15.0  # what a dial waits for a gateway that does not answer (edge_agent/uplink.py OPEN_S)


@dataclass(frozen=True, slots=True)
class Storm:
    """What one run came to. Times are s after the gateway answers again."""

    half_s: float
    most_s: float  # 99 of 100
    all_s: float
    attempts: int
    refused: int
    busiest_s: int  # attempts in the busiest second, once the gateway answers


def storm(agents: int, *, away_s: float = 0.0, per_s: int = GATEWAY_PER_S, seed: int = 1) -> Storm:
    """All connections end at 0; the gateway answers nobody for `away_s` and then takes `per_s` new ones a second."""
    chance = random.Random(seed)
    waits = [Backoff(chance.uniform) for _ in range(agents)]
    order = itertools.count()
    due = [(waits[n].delay("retry"), next(order), n) for n in range(agents)]
    heapq.heapify(due)
    taken: dict[int, int] = {}
    tried: dict[int, int] = {}
    connected: list[float] = []
    while due:
        at, _, agent = heapq.heappop(due)
        second = int(at)
        if at < away_s:
            back = min(at + SILENCE_S, away_s)
        else:
            tried[second] = tried.get(second, 0) + 1
            if taken.get(second, 0) < per_s:
                taken[second] = taken.get(second, 0) + 1
                connected.append(at + HANDSHAKE_S - away_s)
                continue
            back = at + HANDSHAKE_S
        heapq.heappush(due, (back + waits[agent].delay("retry"), next(order), agent))
    attempts = sum(tried.values())
    return Storm(
        half_s=connected[agents // 2],
        most_s=connected[agents * 99 // 100],
        all_s=connected[-1],
        attempts=attempts,
        refused=attempts - agents,
        busiest_s=max(tried.values()),
    )
