"""Every minute: expire what is overdue, tell of sites that stay away. Cost follows what waits, not how many sites are.

Rule: an agent knows better than the cloud. One that is connected gets time to tell what became of a message; whatever
is expired here may still turn out as sent, and then that counts.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.lifecycle import State
from shared.message import Agent, AgentKey, Change
from shared.ports import AccountStore, Alerts, Clock, OutboxStore, Overdue, PushQueue
from shared.usecases.ending import end_messages
from shared.wire import Cause

_log = logging.getLogger(__name__)

# After a deadline: what an agent decided at the last moment needs this long to arrive.
_MARGIN_S = 60.0
# After a deadline, while its agent is connected: it may be sending the parts of it, and reports by itself.
_MARGIN_CONNECTED_S = 600.0
_RUN = 50
_COUNT_EVERY_S = 300
_CAUSE = Cause(kind="expired", text="its time was up before the site could send it")


@dataclass(frozen=True, slots=True)
class Swept:
    """What one run found and did. `online` is counted only every few minutes."""

    waiting: int
    oldest_s: float
    expired: int
    offline: int
    online: int | None


@dataclass(frozen=True, slots=True)
class Sweeper:
    accounts: AccountStore
    outbox: OutboxStore
    pushes: PushQueue
    alerts: Alerts
    clock: Clock
    budget_s: float = 40.0  # of the function's 55: what is left over waits a minute

    def run(self) -> Swept:
        now = self.clock.now()
        backlog = self.outbox.backlog(now - _MARGIN_S)
        return Swept(
            waiting=backlog.count,
            oldest_s=0.0 if backlog.oldest is None else max(0.0, now - backlog.oldest),
            offline=self._tell_of_the_silent(now),
            expired=self._expire(backlog.overdue, now),
            online=self.accounts.count_expected() if now % _COUNT_EVERY_S < 60 else None,
        )

    def _expire(self, overdue: Sequence[Overdue], now: float) -> int:
        change = Change(state=State.EXPIRED, at=now, cause=_CAUSE)
        expired = 0
        for run in _runs(self._due(overdue, now)):
            if self.clock.now() - now > self.budget_s:
                break
            ids = [(late.agent[0], late.id) for late in run]
            ended = end_messages(ids, change, outbox=self.outbox, pushes=self.pushes)
            expired += sum(message.state is State.EXPIRED for message in ended)
        return expired

    def _due(self, overdue: Sequence[Overdue], now: float) -> Iterator[Overdue]:
        """Without those whose agent is connected and has some time left. Reads each agent concerned once."""
        connected: dict[AgentKey, bool] = {}
        for late in overdue:
            if late.agent not in connected:
                agent = self.accounts.agent(*late.agent)
                connected[late.agent] = agent is not None and bool(agent.connection)
            if not connected[late.agent] or late.deadline < now - _MARGIN_CONNECTED_S:
                yield late

    def _tell_of_the_silent(self, now: float) -> int:
        told = 0
        for account, agent_id in self.accounts.unheard(now):
            agent = self.accounts.missed(account, agent_id, before=now)
            if agent is not None:
                self._tell(agent)
                told += 1
        return told

    def _tell(self, agent: Agent) -> None:
        since = datetime.fromtimestamp(agent.last_seen, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        _log.warning("site offline", extra={"account": agent.account, "agent": agent.id})
        self.alerts.tell("site offline", f"{agent.account}/{agent.id} ({agent.site}) was last heard of at {since}")


def _runs(overdue: Iterable[Overdue]) -> Iterator[Sequence[Overdue]]:
    run: list[Overdue] = []
    for late in overdue:
        run.append(late)
        if len(run) == _RUN:
            yield run
            run = []
    if run:
        yield run
