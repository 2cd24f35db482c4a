"""POST /sms/send: check, deal, store all or nothing, post to the agents, and with mode 1 wait for the modems.

Rule: once stored, a message is accepted; whatever happens then, the call never says it failed when it may not have.
"""

import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from shared import ids, segments
from shared.api import SendRequest, SendRow
from shared.caps import Charges
from shared.envelope import Outcome
from shared.errors import BAD_FIELD, MESSAGE_TOO_LONG, REQUEST_ID_REUSED, ApiError
from shared.lifecycle import has_ended
from shared.message import Account, Message
from shared.ports import AccountStore, AgentLink, Clock, OutboxStore, Unavailable
from shared.routing import Deal
from shared.routing_memory import RoutingMemory
from shared.telling_ports import ApiLog
from shared.usecases.capping import Capping
from shared.usecases.dealing import Dealing
from shared.usecases.posting import post_jobs
from shared.usecases.send_answer import accepted, checked, dry_row, first_row, told

# [C] The gateway gives up at 30 s (API Gateway HTTP API quota, integration timeout) and the function at 29. Behind the
# wait one more look must fit in, before it a password's hash and one lost answer of a table.
MODE1_WAIT_S = 18.0
LOOK_S = 3.0  # the longest that `OutboxStore.look` takes
POSTS_S = 6.0  # after that no post is begun; what is not posted is drained
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _GROWTH = 0.15, 2.0, 1.4
_PAUSES_S = (0.05, 0.1, 0.2)  # between tries to store
_ROOM_PAUSE_S = 0.15  # before a full cap is asked once more: longer than a put takes


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPorts:
    outbox: OutboxStore
    accounts: AccountStore
    link: AgentLink
    clock: Clock
    log: ApiLog
    memory: RoutingMemory
    capping: Capping


def send(request: SendRequest, account: Account, ports: SendPorts) -> Outcome:
    """Raises ApiError for what is refused; then nothing was sent to anyone."""
    now = ports.clock.now()
    key = "" if request.dry_run else request.request_id
    count = len(request.dest_num)
    sending = _Sending(
        request=request,
        account=account.name,
        ports=ports,
        now=now,
        parts=_counted(request.msg),
        ids=ids.derived(account.name, key, count) if key else ids.fresh(now, count),
        digest=_digest(request) if key else "",
    )
    return sending.carry_out()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sending:
    """One request on its way. `ids` stand in the order of its destinations; `digest` is empty without a request_id."""

    request: SendRequest
    account: str
    ports: SendPorts
    now: float
    parts: int
    ids: Sequence[str]
    digest: str

    def carry_out(self) -> Outcome:
        for pause in (_ROOM_PAUSE_S, None):
            try:
                deals, taken = self._dealt()
                break
            except ApiError as error:
                # Where nothing can be sent now, an earlier call with this key may still have sent it.
                if there := self.ports.outbox.get(self.account, self.ids) if self.digest else ():
                    return self._repeated(there)
                if pause is None or error.retry_after is None:
                    raise
                # A cap is full. What a repeat took of it comes back as soon as that finds what it repeats.
                self.ports.clock.sleep(pause)
        if self.request.dry_run:
            numbers = zip(self.request.dest_num, deals, strict=True)
            return checked([dry_row(to, way.ports[0], self.parts) for to, way in numbers])
        return self._accepted(deals, taken)

    def _accepted(self, deals: Sequence[Deal], taken: Charges) -> Outcome:
        ways = zip(self.ids, self.request.dest_num, deals, strict=True)
        rows = [first_row(number, to, way.ports[0], self.parts) for number, to, way in ways]
        messages = [self._message(row, way) for row, way in zip(rows, deals, strict=True)]
        there = self._stored(messages)
        if there and self.digest:
            with self._nothing_fails():
                self.ports.capping.give_back(taken)
            return self._repeated(there)
        # Without a key the ids are new: what stands there this call wrote itself, and the answer was lost.
        self.ports.memory.note(self.account, deals, self.now)
        with self._nothing_fails():
            self._post(messages, deals)
        return self._waited(messages) if self.request.mode else accepted(rows)

    def _dealt(self) -> tuple[Sequence[Deal], Charges]:
        dealing = Dealing(
            account=self.account,
            wanted=self.request.spans,
            count=len(self.ids),
            parts=self.parts,
            now=self.now,
            turn=zlib.crc32(self.ids[0].encode()),
            at_once=bool(self.request.mode),
        )
        ports = self.ports
        return dealing.carry_out(ports.accounts, ports.memory, ports.capping, take=not self.request.dry_run)

    def _message(self, row: SendRow, way: Deal) -> Message:
        return Message(
            account=self.account,
            id=row.id or "",
            to=row.phonenumber,
            text=self.request.msg,
            parts=self.parts,
            agent=way.agent,
            pool=tuple(port.number for port in way.ports),
            spans=tuple(port.span for port in way.ports),
            port=row.port,
            port_name=row.port_name,
            accepted_at=self.now,
            deadline=self.now + self.request.valid_for,
            report=bool(self.request.report),
            posted=bool(way.connection),
            wanted=tuple(self.request.spans),
            request=self.digest,
            answer=row.model_dump_json() if self.digest else "",
        )

    def _stored(self, messages: Sequence[Message]) -> Sequence[Message]:
        """As `OutboxStore.add`. The same request twenty times at once is contention, which passes."""
        for pause in _PAUSES_S:
            try:
                return self.ports.outbox.add(messages)
            except Unavailable:
                self.ports.clock.sleep(pause)
        return self.ports.outbox.add(messages)

    @contextmanager
    def _nothing_fails(self) -> Iterator[None]:
        """For what comes after acceptance: what breaks is logged, and the agent's next drain makes good for it."""
        try:
            yield
        except Unavailable:
            return
        except Exception as fault:  # noqa: BLE001 - a border: to say of an accepted message that it failed is a lie
            self.ports.log.broke(fault, uri="/sms/send", reference=self.ids[0])

    def _post(self, messages: Sequence[Message], deals: Sequence[Deal]) -> None:
        """One post for each agent."""
        ports, until = self.ports, self.ports.clock.now() + POSTS_S
        for agent, connection in {way.agent: way.connection for way in deals}.items():
            post_jobs(
                [message for message in messages if message.agent == agent],
                connection,
                accounts=ports.accounts,
                outbox=ports.outbox,
                link=ports.link,
                clock=ports.clock,
                until=until,
            )

    def _repeated(self, there: Sequence[Message]) -> Outcome:
        """The first answer again. With mode 1 that is what the modem said; until it has, a repeat waits for it too."""
        if any(message.request != self.digest for message in there):
            raise ApiError(REQUEST_ID_REUSED)
        if self.request.mode:
            return self._waited(there)
        return accepted([SendRow.model_validate_json(message.answer) for message in there])

    def _waited(self, messages: Sequence[Message]) -> Outcome:
        """Looks in growing intervals until every attempt has ended or the gateway's patience nears its end."""
        latest = {message.id: message for message in messages}
        clock, pause = self.ports.clock, _FIRST_PAUSE_S
        while still := [number for number, message in latest.items() if not has_ended(message.state)]:
            left = self.now + MODE1_WAIT_S - clock.now()
            if left <= 0:
                break
            clock.sleep(min(pause, left))
            pause = min(pause * _GROWTH, _LONGEST_PAUSE_S)
            with self._nothing_fails():
                latest |= {message.id: message for message in self.ports.outbox.look(self.account, still)}
        return told(list(latest.values()))


def _counted(text: str) -> int:
    if len(text) > segments.MAX_PARTS * segments.PART[8]["gsm7"]:  # before it is looked at more closely
        raise ApiError(MESSAGE_TOO_LONG, limit=segments.MAX_PARTS)
    try:
        parts = segments.count(text)
    except ValueError:
        raise ApiError(BAD_FIELD, field="msg", problem="holds half of a surrogate pair") from None
    if parts > segments.MAX_PARTS:
        raise ApiError(MESSAGE_TOO_LONG, limit=segments.MAX_PARTS)
    return parts


def _digest(request: SendRequest) -> str:
    """What makes two requests the same: all that would be sent, and how. A pool has no order, destinations have one."""
    what = request.model_dump(exclude={"username", "password", "request_id", "dry_run"})
    what["spans"] = sorted(request.spans)
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
