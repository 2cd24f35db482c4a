"""How many batches may try one endpoint at the same time: few, so that one that hangs leaves the others their workers.

An attempt holds up its batch for 15 s at worst. Before the circuit of an endpoint that has begun to hang can open, a
flood of its pushes would fill every worker there is; with turns it fills `TURNS` of them.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.ports import Clock, Unavailable
from shared.push_ports import PushLog

TURNS = 2
TURN_S = 60.0  # as long as the function may run: a turn whose batch crashed comes free by then

_log = logging.getLogger(__name__)


@dataclass
class _Turn:
    number: int | None  # None: all were taken
    users: int = 0


class Turns:
    """Those of one batch: a turn is taken by the first push to an endpoint and given back after the last."""

    def __init__(self, log: PushLog, clock: Clock) -> None:
        self._log, self._clock = log, clock
        self._lock = threading.Lock()
        self._turns: dict[tuple[str, str], _Turn] = {}

    @contextmanager
    def hold(self, account: str, endpoint: str) -> Iterator[bool]:
        """Whether the endpoint may be tried now, and until the block ends."""
        key = (account, endpoint)
        with self._lock:
            turn = self._turns.get(key) or _Turn(self._take(account, endpoint))
            self._turns[key] = turn
            turn.users += 1
        try:
            yield turn.number is not None
        finally:
            with self._lock:
                turn.users -= 1
                if not turn.users:
                    del self._turns[key]
                    self._end(account, endpoint, turn)

    def _take(self, account: str, endpoint: str) -> int | None:
        now = self._clock.now()
        return self._log.take_turn(account, endpoint, turns=TURNS, now=now, until=now + TURN_S)

    def _end(self, account: str, endpoint: str, turn: _Turn) -> None:
        if turn.number is None:
            return
        try:
            self._log.end_turn(account, endpoint, turn.number)
        except Unavailable:
            _log.warning("a turn on an endpoint was not given back; it ends by itself", extra={"account": account})
