"""POST /sms/send: check, deal, store all or nothing, post to the agents, and with mode 1 wait for the modems.

Rule: once stored, a message is accepted; whatever happens then, the call never says it failed when it may not have.
"""

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from shared import ids, routing, segments
from shared.api import SendRequest, SendRow
from shared.envelope import Outcome
from shared.errors import (
    BAD_FIELD,
    MESSAGE_TOO_LONG,
    NO_SPAN,
    NOT_SENT,
    REQUEST_ID_REUSED,
    STILL_SENDING,
    ApiError,
)
from shared.lifecycle import State, Status, has_ended
from shared.message import Account, Message, Snapshot
from shared.ports import AccountStore, AgentLink, Clock, OutboxStore, Unavailable
from shared.routing import Deal
from shared.usecases.posting import post_jobs

MODE1_WAIT_S = 25.0  # [C] the gateway gives up at 30 s (API Gateway HTTP API quota, integration timeout)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _GROWTH = 0.15, 2.0, 1.4


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPorts:
    outbox: OutboxStore
    accounts: AccountStore
    link: AgentLink
    clock: Clock


def send(request: SendRequest, account: Account, ports: SendPorts) -> Outcome:
    """Raises ApiError for what is refused; then nothing was sent to anyone."""
    now = ports.clock.now()
    parts = _counted(request.msg)
    digest = _digest(request) if request.request_id else ""
    numbers = _ids(request, account.name, now)
    try:
        deals = _dealt(request, account.name, numbers[0], now, ports)
    except ApiError as refusal:
        # Where nothing can be sent now, an earlier call with this key may still have sent it.
        first = ports.outbox.get(account.name, numbers) if digest and refusal.kind is NO_SPAN else ()
        if not first:
            raise
        return _repeated(request, digest, first, now, ports)
    if request.dry_run:
        return _tried(request, deals, parts)
    messages = [
        _message(request, account.name, number, to, way, parts, now, digest)
        for number, to, way in zip(numbers, request.dest_num, deals, strict=True)
    ]
    first = ports.outbox.add(messages)
    if first:
        return _repeated(request, digest, first, now, ports)
    _post(messages, deals, ports)
    return _waited(messages, now, ports) if request.mode else _accepted([_row(message) for message in messages])


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
    """What makes two requests the same: all that would be sent, and how."""
    what = request.model_dump(exclude={"username", "password", "request_id", "dry_run"})
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def _ids(request: SendRequest, account: str, now: float) -> list[str]:
    if request.request_id:
        return ids.derived(account, request.request_id, len(request.dest_num))
    return ids.fresh(now, len(request.dest_num))


def _dealt(request: SendRequest, account: str, turn: str, now: float, ports: SendPorts) -> list[Deal]:
    snapshot = _snapshot(request, account, ports.accounts)
    return routing.deal(
        snapshot,
        request.spans,
        len(request.dest_num),
        now=now,
        turn=zlib.crc32(turn.encode()),
        at_once=bool(request.mode),
    )


def _snapshot(request: SendRequest, account: str, accounts: AccountStore) -> Snapshot:
    found = accounts.snapshot_of_ports(account, request.spans) if request.spans else accounts.snapshot(account)
    if found is None:  # deleted since it was authenticated
        raise ApiError(NO_SPAN, problem="the account is gone")
    return found


def _message(
    request: SendRequest, account: str, number: str, to: str, way: Deal, parts: int, now: float, digest: str
) -> Message:
    first = way.ports[0]
    row = SendRow(
        id=number, phonenumber=to, port=first.number, port_name=first.name, status=Status.SENDING.value, parts=parts
    )
    return Message(
        account=account,
        id=number,
        to=to,
        text=request.msg,
        parts=parts,
        agent=way.agent,
        pool=tuple(port.number for port in way.ports),
        spans=tuple(port.span for port in way.ports),
        port=first.number,
        port_name=first.name,
        accepted_at=now,
        deadline=now + request.valid_for,
        report=bool(request.report),
        posted=bool(way.connection),
        request=digest,
        answer=row.model_dump_json() if digest else "",
    )


def _post(messages: Sequence[Message], deals: Sequence[Deal], ports: SendPorts) -> None:
    """One post for each agent."""
    for agent, connection in {way.agent: way.connection for way in deals}.items():
        run = [message for message in messages if message.agent == agent]
        post_jobs(run, connection, accounts=ports.accounts, outbox=ports.outbox, link=ports.link, clock=ports.clock)


def _repeated(request: SendRequest, digest: str, first: Sequence[Message], now: float, ports: SendPorts) -> Outcome:
    """The first answer again. With mode 1 that is what the modem said; until it has, a repeat waits for it too."""
    if any(message.request != digest for message in first):
        raise ApiError(REQUEST_ID_REUSED)
    if request.mode:
        return _waited(first, now, ports)
    return _accepted([SendRow.model_validate_json(message.answer) for message in first])


def _waited(messages: Sequence[Message], started: float, ports: SendPorts) -> Outcome:
    """Looks in growing intervals until every attempt has ended or the gateway's patience nears its end."""
    latest = {message.id: message for message in messages}
    pause = _FIRST_PAUSE_S
    while still := [number for number, message in latest.items() if not has_ended(message.state)]:
        left = started + MODE1_WAIT_S - ports.clock.now()
        if left <= 0:
            break
        ports.clock.sleep(min(pause, left))
        pause = min(pause * _GROWTH, _LONGEST_PAUSE_S)
        latest |= {message.id: message for message in _looked_up(messages[0].account, still, ports.outbox)}
    return _told(list(latest.values()))


def _looked_up(account: str, numbers: Sequence[str], outbox: OutboxStore) -> Sequence[Message]:
    try:
        return outbox.get(account, numbers)
    except Unavailable:
        return ()  # it was accepted: not being able to look is no reason to say that it failed


def _told(messages: Sequence[Message]) -> Outcome:
    rows = [_row(message) for message in messages]
    failed = sum(row.status == Status.FAILED for row in rows)
    if any(row.status == Status.SENDING for row in rows):
        return Outcome(rows=rows, kind=STILL_SENDING, msg=STILL_SENDING.says)
    if failed:
        return Outcome(rows=rows, kind=NOT_SENT, msg=NOT_SENT.says.format(failed=failed, total=len(rows)))
    return Outcome(rows=rows, msg=f"{len(rows)} sent.")


_TAKEN = frozenset({State.SENT, State.DELIVERED, State.UNDELIVERED})


def _row(message: Message) -> SendRow:
    """[C] What the modem did. What the network says later is for the outbox to tell, so the answer stays the same."""
    taken = message.state in _TAKEN
    return SendRow(
        id=message.id,
        phonenumber=message.to,
        port=message.port,
        port_name=message.port_name,
        status=Status.SENT.value if taken else message.status.value,
        parts=message.parts,
        error=None if taken else message.error or None,
    )


def _accepted(rows: Sequence[SendRow]) -> Outcome:
    return Outcome(rows=rows, msg=f"{len(rows)} accepted.")


def _tried(request: SendRequest, deals: Sequence[Deal], parts: int) -> Outcome:
    rows = [
        SendRow(phonenumber=to, port=way.ports[0].number, port_name=way.ports[0].name, parts=parts)
        for to, way in zip(request.dest_num, deals, strict=True)
    ]
    return Outcome(rows=rows, msg="Checked; nothing was sent.")
