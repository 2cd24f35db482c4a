"""Every minute: expire what is overdue, find other sites for what never left, tell of sites that stay away.

Cost follows what waits and who is due, not how many sites there are.
Rule: an agent knows better than the cloud. One that is connected gets time to tell what became of a message; whatever
is expired here may still turn out as sent, and then that counts.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.lifecycle import State
from shared.message import Agent, AgentKey, Change
from shared.ports import AccountStore, Clock, OutboxStore, Overdue, PushQueue, Unavailable
from shared.telling_ports import Alerts, SiteMetrics
from shared.usecases.ending import end_messages
from shared.usecases.reroute import Rerouter
from shared.usecases.span_alerts import tell_of_spans
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
    moved: int
    offline: int
    online: int | None


@dataclass(frozen=True, slots=True)
class Sweeper:
    accounts: AccountStore
    outbox: OutboxStore
    pushes: PushQueue
    alerts: Alerts
    metrics: SiteMetrics
    rerouter: Rerouter
    clock: Clock
    budget_s: float = 40.0  # of the function's 55: what is left over waits a minute

    def run(self) -> Swept:
        now = self.clock.now()
        offline = self._tell_of_the_silent(now)
        self._tell_of_spans(now)
        backlog = self.outbox.backlog(now - _MARGIN_S)
        away = _Away(self.accounts)
        return Swept(
            waiting=backlog.count,
            oldest_s=0.0 if backlog.oldest is None else max(0.0, now - backlog.oldest),
            offline=offline,
            expired=self._expire(backlog.overdue, now, away),
            moved=self.rerouter.run(backlog.unposted, away.has, now + self.budget_s),
            online=self.accounts.count_expected() if now % _COUNT_EVERY_S < 60 else None,
        )

    def _expire(self, overdue: Sequence[Overdue], now: float, away: "_Away") -> int:
        change = Change(state=State.EXPIRED, at=now, cause=_CAUSE)
        expired = 0
        for run in _runs(_due(overdue, now, away)):
            if self.clock.now() - now > self.budget_s:
                break
            ids = [(late.agent[0], late.id) for late in run]
            ended = end_messages(ids, change, outbox=self.outbox, pushes=self.pushes)
            expired += sum(message.state is State.EXPIRED for message in ended)
        return expired

    def _tell_of_the_silent(self, now: float) -> int:
        """What cannot be told now stays untold, and is told in the next run; all else goes on."""
        told, reached = 0, True
        for account, agent_id in self.accounts.unheard(now):
            if self.clock.now() - now > self.budget_s / 2:
                break
            agent = self.accounts.missed(account, agent_id, before=now)
            reached = reached and (agent is None or self._told(agent))
            if agent is not None and reached:
                self.accounts.missed_told(account, agent_id)
                told += 1
        return told

    def _tell_of_spans(self, now: float) -> None:
        try:
            tell_of_spans(self.accounts, self.alerts, self.clock, now + self.budget_s / 2)
        except Unavailable as fault:
            _log.warning("spans are told of in the next run", extra={"fault": str(fault)})

    def _told(self, agent: Agent) -> bool:
        """False when the operator cannot be reached. Of a site that he has shut out himself he is not told."""
        since = datetime.fromtimestamp(agent.last_seen, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        facts = {"account": agent.account, "agent": agent.id}
        _log.warning("site offline", extra=facts)
        self.metrics.spans(agent.account, agent.id, available=0)
        try:
            if not agent.revoked:
                text = f"{agent.account}/{agent.id} ({agent.site}) was last heard of at {since}"
                self.alerts.tell("site offline", text)
        except Unavailable as fault:
            _log.warning("an alert waits for the next run", extra=facts | {"fault": str(fault)})
            return False
        return True


class _Away:
    """Whose agent is not connected, or is no more. Reads each agent concerned once."""

    def __init__(self, accounts: AccountStore) -> None:
        self._accounts = accounts
        self._known: dict[AgentKey, bool] = {}

    def has(self, key: AgentKey) -> bool:
        if key not in self._known:
            agent = self._accounts.agent(*key)
            self._known[key] = agent is None or agent.revoked or not agent.connection
        return self._known[key]


def _due(overdue: Sequence[Overdue], now: float, away: _Away) -> Iterator[Overdue]:
    """Without those whose agent is connected and has some time left."""
    return (late for late in overdue if away.has(late.agent) or late.deadline < now - _MARGIN_CONNECTED_S)


def _runs(overdue: Iterable[Overdue]) -> Iterator[Sequence[Overdue]]:
    run: list[Overdue] = []
    for late in overdue:
        run.append(late)
        if len(run) == _RUN:
            yield run
            run = []
    if run:
        yield run
