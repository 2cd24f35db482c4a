"""One agent's connection and what can be done on it: the pieces of which agent_session.py and greeting.py are made."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.message import Agent, Life, Port
from shared.ports import (
    AccountStore,
    AgentLink,
    Clock,
    InboxStore,
    OutboxStore,
    PushQueue,
    TallyStore,
    Unavailable,
)
from shared.telling_ports import Alerts, SiteMetrics
from shared.usecases.draining import drain
from shared.wire import FromCloud, Refused, SpanInfo, Welcome

_log = logging.getLogger(__name__)

NOT_FOUND_YET = "not found since its agent started"
"""Of a span that was available before. A restart is nothing to be alarmed about, unless it stays so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPorts:
    accounts: AccountStore
    outbox: OutboxStore
    inbox: InboxStore
    link: AgentLink
    pushes: PushQueue
    alerts: Alerts
    metrics: SiteMetrics
    tallies: TallyStore
    clock: Clock
    heartbeat_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where a frame came from, by the gateway's word: `since` is epoch s when the connection was opened."""

    account: str
    agent: str
    id: str
    since: float


@dataclass(frozen=True, slots=True)
class AgentLine:
    connection: Connection
    ports: SessionPorts

    def facts(self) -> dict[str, object]:
        """For the log."""
        one = self.connection
        return {"account": one.account, "agent": one.agent, "connection": one.id}

    def post(self, frame: FromCloud) -> None:
        self.ports.link.post(self.connection.id, frame)

    def refuse(self, code: str, text: str) -> None:
        """The agent's next step is in `wire.REFUSALS`; this connection is of no more use."""
        _log.warning("agent refused", extra=self.facts() | {"code": code})
        self.post(Refused(code=code, text=text))
        self.ports.link.close(self.connection.id)

    def admitted(self) -> Agent | None:
        """The agent as stored. One that is no more is told so."""
        agent = self.ports.accounts.agent(self.connection.account, self.connection.agent)
        if agent is not None and not agent.revoked:
            return agent
        self.refuse("revoked", "this agent's credential was revoked, enrol it again")
        return None

    def take_over(self, life: Life | None) -> bool:
        """Makes this the agent's connection, unless a newer one is."""
        one = self.connection
        took = self.ports.accounts.connected(
            one.account, one.agent, connection=one.id, since=one.since, at=self.ports.clock.now(), life=life
        )
        _log.info("connected", extra=self.facts() | {"took_over": took})
        return took

    def give_up(self) -> None:
        """The connection has ended. A late word of an older one never unseats a newer one."""
        one = self.connection
        at = self.ports.clock.now()
        cleared = self.ports.accounts.disconnected(one.account, one.agent, connection=one.id, at=at)
        _log.info("disconnected", extra=self.facts() | {"cleared": cleared})

    def welcome(self, ports: Mapping[str, Port]) -> None:
        numbers = {span: port.number for span, port in ports.items()}
        self.post(Welcome(server_time=self.ports.clock.now(), heartbeat_s=self.ports.heartbeat_s, ports=numbers))

    def drain_if_not(self, held: int) -> None:
        """Drains from the start when the agent does not hold what waits for it."""
        one = self.connection
        if self.ports.outbox.count_pending(one.account, one.agent, held + 1) != held:
            self.drain("")

    def drain(self, cursor: str) -> None:
        one = self.connection
        jobs = drain(one.account, one.agent, one.id, cursor, outbox=self.ports.outbox, link=self.ports.link)
        _log.info("drained", extra=self.facts() | {"jobs": jobs})

    def save_spans(self, spans: Sequence[SpanInfo], *, at: float, whole: bool) -> None:
        """The sweeper tells of those that stay down (span_alerts.py)."""
        one, accounts = self.connection, self.ports.accounts
        news = accounts.save_spans(one.account, one.agent, spans, at=at, whole=whole)
        if news:
            self.count_spans(spans if whole else accounts.spans(one.account, one.agent))
        self._note_sims(spans)

    def count_spans(self, spans: Sequence[SpanInfo]) -> None:
        one = self.connection
        self.ports.metrics.spans(one.account, one.agent, available=sum(info.available for info in spans))

    def _note_sims(self, spans: Sequence[SpanInfo]) -> None:
        """Compared with the port, which remembers: while a card is changed, the modem tells of none for a while."""
        one, accounts = self.connection, self.ports.accounts
        known = accounts.ports_of(one.account, one.agent)
        for info in spans:
            port = known.get(info.span)
            if port is None or info.iccid in {"", port.iccid}:
                continue
            if accounts.note_sim(port, info.iccid, at=self.ports.clock.now()) and port.iccid:
                change = f"the SIM …{port.iccid[-4:]} was changed for …{info.iccid[-4:]}"
                self.alert("SIM changed", f"{one.account}/{one.agent} port {port.number} ({port.name}): {change}")

    def alert(self, subject: str, text: str) -> None:
        """The operator's word must not cost the agent its connection."""
        try:
            self.ports.alerts.tell(subject, text)
        except Unavailable as fault:
            _log.warning("an alert was not told", extra=self.facts() | {"subject": subject, "fault": str(fault)})
