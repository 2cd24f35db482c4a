"""A message waits for a site that is away while another site could send it: it moves there.

Rules: only what provably never left the cloud, only to ports that its caller allowed, and only to spans that can send
now and are free soon, so that one site's backlog does not pile up on another that may be slower.
"""

import logging
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from shared import caps, routing
from shared.caps import Charges
from shared.errors import ApiError
from shared.lifecycle import has_ended
from shared.message import AgentKey, Message, Snapshot
from shared.ports import AccountStore, AgentLink, Clock, OutboxStore, Unposted
from shared.routing import Deal, Moment
from shared.routing_memory import RoutingMemory
from shared.usecases.capping import Capping
from shared.usecases.posting import post_jobs

_log = logging.getLogger(__name__)

BUSY_AT_MOST_S = 120.0  # two runs of the sweeper: more than that waits for the next one
_RUN = 50

_Kind = tuple[tuple[int, ...], int]  # ports allowed, parts: messages alike in both are dealt together


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerouter:
    accounts: AccountStore
    outbox: OutboxStore
    link: AgentLink
    capping: Capping
    clock: Clock
    memory: RoutingMemory = field(default_factory=RoutingMemory)

    def run(self, waiting: Sequence[Unposted], is_away: Callable[[AgentKey], bool], until: float) -> int:
        """How many moved. Reads each account concerned once for each set of ports that callers allowed."""
        moved = 0
        seen: dict[tuple[str, tuple[int, ...]], Snapshot | None] = {}
        for account, ids in _runs(waiting, is_away):
            if self.clock.now() > until:
                break
            kinds: dict[_Kind, list[Message]] = defaultdict(list)
            for message in self.outbox.get(account, ids):
                if not message.posted and not has_ended(message.state):
                    kinds[message.wanted, message.parts].append(message)
            for (wanted, _), messages in kinds.items():
                if (account, wanted) not in seen:
                    seen[account, wanted] = self._snapshot(account, wanted)
                moved += self._reroute(messages, seen[account, wanted])
        return moved

    def _snapshot(self, account: str, wanted: Sequence[int]) -> Snapshot | None:
        return self.accounts.snapshot_of_ports(account, wanted) if wanted else self.accounts.snapshot(account)

    def _reroute(self, messages: Sequence[Message], snapshot: Snapshot | None) -> int:
        moved: dict[str, list[Message]] = defaultdict(list)
        ways = self._ways(messages, snapshot) if snapshot else []
        for message, way in zip(messages, ways, strict=False):
            if snapshot is None or way.agent == message.agent or way.busy_s > BUSY_AT_MOST_S:
                continue
            if after := self._moved(message, way, snapshot):
                moved[way.agent].append(after)
        for run in moved.values():
            # No connection given: it is looked up anew, and each message is claimed before it leaves.
            post_jobs(run, "", accounts=self.accounts, outbox=self.outbox, link=self.link, clock=self.clock)
        return sum(map(len, moved.values()))

    def _ways(self, messages: Sequence[Message], snapshot: Snapshot) -> Sequence[Deal]:
        """Empty when no span is available."""
        one, now = messages[0], self.clock.now()
        moment = Moment(
            now=now,
            turn=zlib.crc32(one.id.encode()),
            busy=self.memory.busy(one.account, now),
            at_once=True,
            parts=one.parts,
            rooms=self.memory.rooms(one.account, now),
        )
        try:
            return routing.deal(snapshot, one.wanted, len(messages), moment)
        except ApiError:
            return ()

    def _moved(self, message: Message, way: Deal, snapshot: Snapshot) -> Message | None:
        """As it stands at the other site; None when that span is full, or when someone else was faster."""
        taken = self._charges(message, way.ports[0].number, snapshot)
        for cap, room in self.capping.take(taken).items():
            self.memory.note_room(message.account, cap.port, room, self.clock.now())
            return None
        first, after = way.ports[0], replace(message, agent=way.agent)
        numbers, spans = tuple(port.number for port in way.ports), tuple(port.span for port in way.ports)
        after = replace(after, pool=numbers, spans=spans, port=first.number, port_name=first.name)
        if not self.outbox.move(after, away_from=message.agent):
            self.capping.give_back(taken)
            return None
        self.capping.give_back(self._charges(message, message.pool[0], snapshot))
        self.memory.note(message.account, [way], self.clock.now())
        facts = {"message_id": message.id, "from": message.agent, "to_agent": way.agent}
        _log.info("a message went to another site", extra=facts)
        return after

    def _charges(self, message: Message, port: int, snapshot: Snapshot) -> Charges:
        """Of the span only: for the account nothing changes. A day that is over is not counted any more."""
        if port not in snapshot.ports:
            return {}
        counted = caps.of_port(snapshot.ports[port], snapshot.account.timezone, message.accepted_at)
        return {cap: message.parts for cap in counted if cap.until > self.clock.now()}


def _runs(waiting: Sequence[Unposted], is_away: Callable[[AgentKey], bool]) -> Iterator[tuple[str, Sequence[str]]]:
    accounts: dict[str, list[str]] = defaultdict(list)
    for one in waiting:
        if is_away(one.agent):
            accounts[one.agent[0]].append(one.id)
    for account, ids in accounts.items():
        for start in range(0, len(ids), _RUN):
            yield account, ids[start : start + _RUN]
