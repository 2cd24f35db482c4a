"""Messages from the operator's desk: take one back, send again what failed.

Rule: without the operator's word that he knows, only that is sent again of which nothing provably went out: it never
left the cloud, or its site itself has said so. That a site is connected proves nothing. And a message sent again is a
new one, once, however often that is asked for.
"""

import logging
from collections.abc import Sequence

from shared.api import SendRequest
from shared.errors import ApiError
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
_CANCELLED = Cause(kind="cancelled", text="taken back by the operator")
_NEVER_AGAIN = frozenset({State.SENT, State.DELIVERED})


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


def why_unsure(desk: Desk, message: Message) -> str:
    """Of one that was taken back: why it may go out, or may have gone out, all the same. Empty when it cannot."""
    if message.state is not State.CANCELLED:
        return ""
    return may_have_gone_out(message, desk.accounts.agent(message.account, message.agent))


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
    message, customer = message_of(desk, account, message_id), desk.account(account)
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
    try:
        (row,) = send(request, customer, ports).rows
    except ApiError as error:
        desk.store.note(desk.entry("messages requeue", account, f"{message_id}, nothing was sent: {error.sentence}"))
        raise
    return str(row.model_dump()["id"])


def _refuse_what_is_not_for_it(desk: Desk, message: Message, i_know: bool) -> None:
    if not has_ended(message.state):
        raise Refused("it is still on its way; messages cancel takes it back")
    if message.state in _NEVER_AGAIN:
        raise Refused(f"it was sent ({message.state}); a second one is a new message of the customer's")
    agent = desk.accounts.agent(message.account, message.agent)
    why = may_have_gone_out(message, agent)
    if why and not i_know:
        raise Refused(f"{why}, so it might arrive twice; --i-know sends it all the same")


def may_have_gone_out(message: Message, agent: Agent | None) -> str:
    """Why one cannot be sure that nothing of a failed message reaches its recipient; empty when one can.

    `agent` is that of its site. From a site that lost its journal no word will ever come, so its silence is never taken
    for an answer.
    """
    if message.state is State.UNCERTAIN:
        return "nobody knows whether the modem sent it"
    if message.state is State.UNDELIVERED:  # the network's final word, on one of its parts
        return f"some of its {message.parts} parts may have arrived" if message.parts > 1 else ""
    if message.parts_sent:
        return f"{message.parts_sent} of its {message.parts} parts went out"
    if not message.posted:
        return ""  # it never left the cloud, and what has ended does not leave it any more
    if not message.told:
        return "its site was given it, and has not said that it did not send it"
    if agent is not None and agent.doubled_at:
        return "two machines bear its site's identity, and only one of them has said that it did not send it"
    return ""


class _Log:
    """`ApiLog`: there is no call of the API here to keep a log of."""

    def answered(
        self, *, uri: str, code: int, http: int, account: str, reference: str, seconds: float, messages: Sequence[str]
    ) -> None:
        return

    def broke(self, fault: BaseException, *, uri: str, reference: str) -> None:
        _log.error("posting broke; it waits in its site's queue", extra={"fault": type(fault).__name__})
