"""CPU time of a warm asynchronous send against that of the calls it cannot do without: `python -m benchmarks.send`.

One run, one process, the network cut off right below botocore: a canned answer comes back before a socket is opened. So
the figures are processor time of our code and of botocore's, and their ratio hardly depends on the machine.
"""

import json
import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws

from shared import credentials
from shared.aws import wiring
from shared.aws.clients import Clients
from shared.aws.outbox_rows import row
from shared.message import Account, Agent, Limits, Message
from shared.wire import Job, Jobs, SpanInfo, encode
from tests.fakes import FakeClock
from tests.stack_tables import ENVIRONMENT, create_tables

ROUNDS, CALLS = 7, 300
_PASSWORD = "benchmark"


class Canned:
    """The raw body of an HTTP answer, as urllib3 would give it."""

    def stream(self, **_: object) -> list[bytes]:
        return [b"{}"]


def cut_off(request: Any, **_: object) -> AWSResponse:
    return AWSResponse(request.url, 200, HTTPHeaders(), Canned())


def prepared() -> None:
    """An account with four spans, and a function that is warm."""
    wiring.CLOCK = FakeClock(1_750_000_000.0)  # type: ignore[assignment]  # so that no memory grows old meanwhile
    wiring._clients()._session.register("before-send", cut_off)  # type: ignore[arg-type]  # after moto's, until that is gone
    create_tables(Clients().dynamodb())
    accounts = wiring.accounts()
    credential = credentials.encode(_PASSWORD)
    accounts.put_account(Account(name="acme", credential=credential, limits=Limits(requests_per_second=0)))
    accounts.put_agent(Agent(account="acme", id="north", site="North", credential=""))
    accounts.connected("acme", "north", connection="c1", since=1.0, at=1.0)
    infos = [SpanInfo(span=f"imei:49015420323751{n}", available=True, technology="lte") for n in range(4)]
    accounts.save_spans("acme", "north", infos, at=1.0, whole=True)
    accounts.allot_ports("acme", "north", infos)


def timed(work: Callable[[], object]) -> float:
    """Microseconds of processor time a call, the median of some rounds."""
    for _ in range(50):
        work()
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(CALLS):
            work()
        rounds.append((time.process_time() - started) / CALLS)
    return median(rounds) * 1e6


def an_event(**body: object) -> Any:
    whole = {
        "username": "acme",
        "password": _PASSWORD,
        "dest_num": "+4917012345678",
        "msg": "Your code is 123456.",
        **body,
    }
    return {
        "rawPath": "/sms/send",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "http": {"method": "POST", "path": "/sms/send", "sourceIp": "198.51.100.7"},
            "requestId": "r",
        },
        "body": json.dumps(whole),
        "isBase64Encoded": False,
    }


def main() -> None:
    os.environ |= ENVIRONMENT
    from functions.sms_api.app import handler

    sending = an_event()
    with mock_aws():
        prepared()
        handler(sending, None)  # reads what a warm function has read
    stored = _stored(handler, sending)
    item = row(stored, ttl=stored.accepted_at)
    put = timed(lambda: wiring._dynamodb().put_item(TableName="Outbox", Item=item))
    job = Job(id=stored.id, to=stored.to, text=stored.text, spans=stored.spans, deadline=stored.deadline)
    gateway = wiring._clients().connections(os.environ["CONNECTIONS_URL"])
    data = encode(Jobs(jobs=(job,))).encode()
    post = timed(lambda: gateway.post_to_connection(ConnectionId="c1", Data=data))
    send = timed(lambda: handler(sending, None))
    keyed = timed(lambda: handler(an_event(request_id=str(time.perf_counter_ns())), None))
    print("| what | µs of CPU | against a bare put | against put + post |\n|---|---|---|---|")
    for name, took in (("bare put", put), ("bare put + post", put + post), ("send", send), ("send, request_id", keyed)):
        print(f"| {name} | {took:.0f} | {took / put:.2f} | {took / (put + post):.2f} |")


def _stored(handler: Callable[..., Any], sending: Any) -> Message:
    """The message that a send stores."""
    stored: list[Message] = []
    outbox = wiring.api().outbox
    add = outbox.add
    outbox.add = lambda messages: stored.extend(messages) or add(messages)  # type: ignore[func-returns-value,method-assign]
    handler(sending, None)
    outbox.add = add  # type: ignore[method-assign]
    return stored[0]


if __name__ == "__main__":
    main()
