"""The one table of the API: path → what is read, what is done, what a row of `data` looks like.

What only settings need is imported when they are asked for: few calls do, and each start would pay for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from shared.api import (
    ConfigRow,
    GetConfigRequest,
    InboxRow,
    ListRequest,
    OutboxRequest,
    OutboxRow,
    Request,
    Row,
    SendRequest,
    SendRow,
    SetConfigRequest,
    SpanRow,
    SpansRequest,
    parse,
)
from shared.envelope import Outcome
from shared.http_call import Body
from shared.message import Account
from shared.ports import AccountStore, AgentLink, Clock, Egress, InboxStore, OutboxStore, TallyStore
from shared.routing_memory import RoutingMemory
from shared.telling_ports import ApiLog
from shared.usecases.authenticate import Door
from shared.usecases.capping import Capping
from shared.usecases.list_inbox import list_inbox
from shared.usecases.list_outbox import list_outbox
from shared.usecases.list_spans import list_spans
from shared.usecases.send import SendPorts, send

_R = TypeVar("_R", bound=Request)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPorts:
    """All that the API needs of the outside, and the deployment's parameters."""

    accounts: AccountStore
    outbox: OutboxStore
    inbox: InboxStore
    link: AgentLink
    egress: Callable[[], Egress]
    clock: Clock
    door: Door
    log: ApiLog
    tallies: TallyStore
    memory: RoutingMemory = field(default_factory=RoutingMemory)
    success_code: int = 0
    path_prefix: str = ""
    allow_loopback_push: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the API; `carry_out` reads the body as `request`."""

    summary: str
    request: type[Request]
    row: type[Row]
    carry_out: Callable[[Body, Account, ApiPorts], Outcome]


def _operation(
    summary: str, request: type[_R], row: type[Row], run: Callable[[_R, Account, ApiPorts], Outcome]
) -> Operation:
    return Operation(summary, request, row, lambda body, account, ports: run(parse(request, body), account, ports))


def _spans(_: SpansRequest, account: Account, ports: ApiPorts) -> Outcome:
    return list_spans(account, ports.accounts, ports.outbox, Capping(ports.tallies, ports.clock))


def _send(request: SendRequest, account: Account, ports: ApiPorts) -> Outcome:
    needed = SendPorts(
        outbox=ports.outbox,
        accounts=ports.accounts,
        link=ports.link,
        clock=ports.clock,
        log=ports.log,
        memory=ports.memory,
        capping=Capping(ports.tallies, ports.clock),
    )
    return send(request, account, needed)


def _outbox(request: OutboxRequest, account: Account, ports: ApiPorts) -> Outcome:
    return list_outbox(request, account, ports.outbox)


def _inbox(request: ListRequest, account: Account, ports: ApiPorts) -> Outcome:
    return list_inbox(request, account, ports.inbox)


def _config(_: GetConfigRequest, account: Account, ports: ApiPorts) -> Outcome:
    from shared.usecases.configure import show_config

    return show_config(account, ports.accounts)


def _change_config(request: SetConfigRequest, account: Account, ports: ApiPorts) -> Outcome:
    from shared.usecases.configure import change_config

    return change_config(
        request,
        account,
        accounts=ports.accounts,
        egress=ports.egress(),
        clock=ports.clock,
        loopback=ports.allow_loopback_push,
    )


OPERATIONS: Mapping[str, Operation] = {
    "/sms/get_valid_spans": _operation("List the spans of the account", SpansRequest, SpanRow, _spans),
    "/sms/send": _operation("Send a message to one number or several", SendRequest, SendRow, _send),
    "/smsoutbox/get": _operation("List sent messages, newest first", OutboxRequest, OutboxRow, _outbox),
    "/smsinbox/get": _operation("List received messages, newest first", ListRequest, InboxRow, _inbox),
    "/smsoutbox/get_config": _operation("Read the push settings", GetConfigRequest, ConfigRow, _config),
    "/smsoutbox/set_config": _operation("Change the push settings", SetConfigRequest, ConfigRow, _change_config),
}
