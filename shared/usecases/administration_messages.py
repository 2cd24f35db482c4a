"""Messages from the operator's desk: take one back, send again what failed.

Rule: what may have gone out is never sent again unless the operator says that he knows; and a message sent again
is a new one, once, however often that is asked for.
"""

import logging
from collections.abc import Sequence

from shared.api import SendRequest
from shared.lifecycle import State, has_ended
from shared.message import Agent, Change, Message
from shared.ports import Gone, Unavailable
from shared.routing_memory import RoutingMemory
from shared.usecases.administration import Desk, Refused
from shared.usecases.capping import Capping
from shared.usecases.ending import end_messages
from shared.usecases.send import SendPorts, send
from shared.wire import Cancel, Cause

_log = logging.getLogger(__name__)

_SITE_ANSWERS_S, _LOOK_EVERY_S = 5.0, 0.25
_SETTLED_S = 60.0  # within this time of its coming back a site has told what it did
_CANCELLED = Cause(kind="cancelled", text="taken back by the operator")
_NEVER_AGAIN = frozenset({State.SENT, State.DELIVERED})
_SITES_WORD = frozenset({State.EXPIRED, State.CANCELLED})


def message_of(desk: Desk, account: str, message_id: str) -> Message:
    found = desk.outbox.get(account, [message_id])
    if not found:
        raise Refused(f"account {account} has no message {message_id}; messages find looks for it")
    return found[0]


def cancel(desk: Desk, account: str, message_id: str) -> Message:
    """As it stands then. The site has the last word where it can be asked: it may have sent it a moment ago."""
    message = message_of(desk, account, message_id)
    if has_ended(message.state):
        raise Refused(f"it has ended already: {message.state}")
    desk.store.note(desk.entry("messages cancel", account, message_id))
    if message.posted:
        message = _asked_the_site(desk, message)
    if not has_ended(message.state):
        change = Change(state=State.CANCELLED, at=desk.clock.now(), cause=_CANCELLED)
        end_messages([(account, message_id)], change, outbox=desk.outbox, pushes=desk.pushes)
        message = message_of(desk, account, message_id)
    return message


def _asked_the_site(desk: Desk, message: Message) -> Message:
    agent = desk.accounts.agent(message.account, message.agent)
    if agent is None or not agent.connection:
        return message
    try:
        desk.link.post(agent.connection, Cancel(job_ids=(message.id,)))
    except (Gone, Unavailable):
        return message
    until = desk.clock.now() + _SITE_ANSWERS_S
    while not has_ended(message.state) and desk.clock.now() < until:
        desk.clock.sleep(_LOOK_EVERY_S)
        message = message_of(desk, message.account, message.id)
    return message


def requeue(desk: Desk, account: str, message_id: str, *, i_know: bool = False, any_span: bool = False) -> str:
    """The id of the new message. The same is answered when it is asked for again."""
    message = message_of(desk, account, message_id)
    _refuse_what_is_not_for_it(desk, message, i_know)
    desk.store.note(desk.entry("messages requeue", account, f"{message_id}, was {message.state}"))
    request = SendRequest.model_validate(
        {
            "username": account,
            "password": "-",
            "dest_num": message.to,
            "msg": message.text,
            "spans": [] if any_span else list(message.pool),
            "valid_for": round(message.deadline - message.accepted_at),
            "report": int(message.report),
            "request_id": f"requeue-{message_id}",
        }
    )
    ports = SendPorts(
        outbox=desk.outbox,
        accounts=desk.accounts,
        link=desk.link,
        clock=desk.clock,
        log=_Log(),
        memory=RoutingMemory(),
        capping=Capping(desk.tallies, desk.clock),
    )
    (row,) = send(request, desk.account(account), ports).rows
    return str(row.model_dump()["id"])


def _refuse_what_is_not_for_it(desk: Desk, message: Message, i_know: bool) -> None:
    if not has_ended(message.state):
        raise Refused("it is still on its way; messages cancel takes it back")
    if message.state in _NEVER_AGAIN:
        raise Refused(f"it was sent ({message.state}); a second one is a new message of the customer's")
    agent = desk.accounts.agent(message.account, message.agent)
    why = may_have_gone_out(message, agent, desk.clock.now())
    if why and not i_know:
        raise Refused(f"{why}, so it might arrive twice; --i-know sends it all the same")


def may_have_gone_out(message: Message, agent: Agent | None, now: float) -> str:
    """Why one cannot be sure that nothing of it went out; empty when one can."""
    if message.state is State.UNCERTAIN:
        return "nobody knows whether the modem sent it"
    if message.state is State.REFUSED and message.parts_sent:
        return f"{message.parts_sent} of its {message.parts} parts went out"
    if message.state in _SITES_WORD and message.posted and not _has_told_since(agent, message.ended_at or 0.0, now):
        return "the site has had it, and has not been heard of since"
    return ""


def _has_told_since(agent: Agent | None, at: float, now: float) -> bool:
    return agent is not None and bool(agent.connection) and now - max(agent.connected_at, at) >= _SETTLED_S


class _Log:
    """`ApiLog`: there is no call of the API here to keep a log of."""

    def answered(
        self, *, uri: str, code: int, http: int, account: str, reference: str, seconds: float, messages: Sequence[str]
    ) -> None:
        return

    def broke(self, fault: BaseException, *, uri: str, reference: str) -> None:
        _log.error("posting broke; it waits in its site's queue", extra={"fault": type(fault).__name__})
