"""The whole API in one process over the fakes: two accounts, three sites, calls as API Gateway hands them over."""

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from shared import credentials, http_call
from shared.http_call import HttpEvent
from shared.lifecycle import State
from shared.message import Account, Agent, Change, Limits, Received
from shared.routing_memory import RoutingMemory
from shared.usecases.answer_call import answer
from shared.usecases.authenticate import Door
from shared.usecases.operations import ApiPorts
from shared.wire import Cause, Jobs, SpanInfo
from tests.fakes import (
    FakeAccounts,
    FakeApiLog,
    FakeClock,
    FakeEgress,
    FakeInbox,
    FakeLink,
    FakeOutbox,
    FakeTallies,
)

PASSWORD = "open sesame"
CHEAP = credentials.encode(PASSWORD, n=2, r=1, p=1)


@dataclass
class Answer:
    http: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.text)

    @property
    def code(self) -> int:
        return self.json["code"]

    @property
    def msg(self) -> str:
        return self.json["msg"]

    @property
    def data(self) -> list[dict[str, Any]]:
        return self.json["data"]


def event(path: str, body: str | bytes, *, method: str = "POST", **more: Any) -> HttpEvent:
    """An HTTP API event, payload format 2.0; bytes go base64-encoded, as the gateway does with what is no text."""
    headers = more.get("headers", {"content-type": "application/json"})
    encoded = isinstance(body, bytes)
    return {
        "rawPath": path,
        "headers": headers,
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": more.get("source", "198.51.100.7")},
            "requestId": "ref-1",
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": encoded,
    }


@dataclass
class Rig:
    clock: FakeClock = field(default_factory=FakeClock)
    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    inbox: FakeInbox = field(default_factory=FakeInbox)
    link: FakeLink = field(default_factory=FakeLink)
    egress: FakeEgress = field(default_factory=FakeEgress)
    tallies: FakeTallies = field(default_factory=FakeTallies)
    log: FakeApiLog = field(default_factory=FakeApiLog)
    memory: RoutingMemory = field(default_factory=RoutingMemory)
    success_code: int = 0
    path_prefix: str = ""

    def __post_init__(self) -> None:
        for name in ("acme", "rival"):
            unlimited = Limits(requests_per_second=0)
            self.accounts.put_account(Account(name=name, credential=CHEAP, limits=unlimited))
        self.add_site("acme", "north", spans=2)
        self.add_site("acme", "south", spans=1)
        self.add_site("rival", "east", spans=4)
        self.door = Door(self.accounts, self.tallies, self.clock)

    def add_site(self, account: str, agent: str, *, spans: int, online: bool = True) -> None:
        connection = f"{account}-{agent}" if online else ""
        seen = self.clock.now()
        self.accounts.put_agent(
            Agent(account=account, id=agent, site=agent, credential="", connection=connection, last_seen=seen)
        )
        if online:
            self.link.open(connection)
        infos = [SpanInfo(span=f"imei:{agent}{n}", available=True, technology="lte") for n in range(1, spans + 1)]
        self.accounts.save_spans(account, agent, infos, at=seen, whole=True)
        self.accounts.allot_ports(account, agent, infos)

    def change_span(self, account: str, agent: str, number: int, **changes: Any) -> None:
        infos = list(self.accounts.spans(account, agent))
        infos[number - 1] = infos[number - 1].model_copy(update=changes)
        self.accounts.save_spans(account, agent, infos, at=self.clock.now(), whole=True)

    def take_offline(self, account: str, agent: str) -> None:
        self.accounts.agents[account, agent] = replace(self.accounts.agents[account, agent], connection="")

    @property
    def ports(self) -> ApiPorts:
        return ApiPorts(
            accounts=self.accounts,
            outbox=self.outbox,
            inbox=self.inbox,
            link=self.link,
            egress=lambda: self.egress,
            clock=self.clock,
            door=self.door,
            log=self.log,
            tallies=self.tallies,
            memory=self.memory,
            success_code=self.success_code,
            path_prefix=self.path_prefix,
        )

    def handle(self, happening: HttpEvent) -> Answer:
        ports = self.ports
        answered = answer(http_call.read(happening, ports.path_prefix), ports)
        return Answer(answered["statusCode"], answered["headers"], answered["body"])

    def call(self, path: str, account: str = "acme", /, *, password: str = PASSWORD, **body: Any) -> Answer:
        return self.handle(event(path, json.dumps({"username": account, "password": password, **body})))

    def form(self, path: str, **body: Any) -> Answer:
        pairs = urlencode({"username": "acme", "password": PASSWORD, **body}, doseq=True).encode()
        return self.handle(event(path, pairs, headers={"Content-Type": "application/x-www-form-urlencoded"}))

    def send(self, account: str = "acme", /, **body: Any) -> Answer:
        return self.call("/sms/send", account, **{"dest_num": "+4917012345", "msg": "hello", **body})

    def posted(self, connection: str) -> list[Jobs]:
        return [frame for frame in self.link.posted[connection] if isinstance(frame, Jobs)]

    def end(self, account: str, number: str, state: State, *, text: str = "", code: str = "", **facts: Any) -> None:
        """What the agent would tell of a message."""
        kind = state.value if state not in {State.SENT, State.DELIVERED} else None
        cause = Cause(kind=kind, text=text, code=code) if kind else None  # type: ignore[arg-type]
        self.outbox.record(account, number, Change(state=state, at=self.clock.now(), cause=cause, **facts))

    def receive(self, account: str, number: str, sender: str, text: str, at: float) -> None:
        self.inbox.add(
            Received(account=account, id=number, port=1, port_name="lte-1.1", imsi="", sender=sender, text=text, at=at)
        )


def wsgi(rig: Callable[[], Rig]) -> WSGIApplication:
    """The API for what speaks to servers: schemathesis, and real clients over HTTP."""

    def application(environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = {name[5:].replace("_", "-"): text for name, text in environment.items() if name.startswith("HTTP_")}
        headers["content-type"] = environment.get("CONTENT_TYPE", "")
        body = environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
        path = environment["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        answer = rig().handle(event(path, body, method=environment["REQUEST_METHOD"], headers=headers))
        start_response(f"{answer.http} -", list(answer.headers.items()))
        return [answer.text.encode()]

    return application
