"""Tell the operator of spans that are lost for good, as far as anybody knows, and of those that are back.

Rule: whoever crashes between telling and noting it tells again a minute later (shared/outages.py); nothing else does.
"""

import logging
from collections.abc import Mapping, Sequence

from shared.message import Agent, Port
from shared.outages import is_down
from shared.ports import AccountStore, Clock
from shared.telling_ports import Alerts
from shared.wire import SpanInfo

_log = logging.getLogger(__name__)

# A site that is away is told of as offline; of its spans nothing is known. Its next hello makes them due again, if it
# has not found them by then. One that is revoked says no hello for long.
_AWAY_S, _REVOKED_S = 600.0, 86_400.0


def tell_of_spans(accounts: AccountStore, alerts: Alerts, clock: Clock, until: float) -> int:
    """How many spans were told of, one alert a site and kind. Raises Unavailable; what is left is told next time."""
    told = 0
    for account, agent_id in accounts.spans_due(clock.now()):
        if clock.now() > until:
            break
        agent, now = accounts.agent(account, agent_id), clock.now()
        if agent is None or agent.revoked or not agent.connection:
            away = _AWAY_S if agent is not None and not agent.revoked else _REVOKED_S
            accounts.put_off_spans(account, agent_id, until=now + away)
            continue
        if news := accounts.span_news(account, agent_id, at=now):
            ports = accounts.ports_of(account, agent_id)
            accounts.note_told(account, agent_id, news, at=now, done=False)
            _tell(agent, news, ports, alerts)
            accounts.note_told(account, agent_id, news, at=now, done=True)
            told += len(news)
    return told


def _tell(agent: Agent, news: Sequence[SpanInfo], ports: Mapping[str, Port], alerts: Alerts) -> None:
    for subject, down in (("span lost", True), ("span back", False)):
        lines = [_line(agent, info, ports.get(info.span)) for info in news if is_down(info) is down]
        if lines:
            _log.warning(subject, extra={"account": agent.account, "agent": agent.id, "spans": len(lines)})
            alerts.tell(subject, "\n".join(lines))


def _line(agent: Agent, info: SpanInfo, port: Port | None) -> str:
    which = f"port {port.number} ({port.name})" if port else info.span
    return f"{agent.account}/{agent.id} ({agent.site}) {which}: {info.reason or 'available again'}"
