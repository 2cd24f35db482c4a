"""One whole stack, for `run`, for the demo and for tests: started, asked, hurt on purpose, stopped.

    with LocalStack(tmp_path) as stack:
        status, answer = stack.call("/sms/send", dest_num="+15550100", msg="hello", mode=1)
        stack.kill("agent")

Several can run side by side: every port is free, every file lies in the state folder. The thread that starts a stack
has to live as long as the stack, since the processes end with it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from pydantic import JsonValue

from local_cloud import aws, seed
from local_cloud.cloud import Cloud, CloudOptions
from local_cloud.deploy import Deployment
from local_cloud.intrinsics import JsonObject
from local_cloud.layout import CHECKOUT, Layout, Lock
from local_cloud.process import Child, StartError, start_own, stop_all
from local_cloud.site import Site, SiteOptions
from local_cloud.topology import as_list, as_object

_STOP_S = 4.5  # of the five seconds that a stop may take
_SPANS_S = 40.0
_LOOK_EVERY_S = 0.03
_CALL_S = 40.0  # longer than the gateway waits for a function


class LocalStack:
    def __init__(
        self,
        state_dir: Path,
        cloud: CloudOptions | None = None,
        site: SiteOptions | None = None,
        *,
        with_site: bool = True,
        quiet: bool = True,
    ) -> None:
        """`with_site=False` is the cloud alone: no receiver, no seed, no agent. `quiet=False` prints every push."""
        self.layout = Layout(state_dir)
        self._quiet, self._with_site = quiet, with_site
        self._lock = Lock(state_dir)
        self.cloud = Cloud(self.layout, cloud or CloudOptions())
        self.site = Site(self.layout, site or SiteOptions())
        self.receiver: Child | None = None
        self._receiver_port = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ------------------------------------------------------------------------------------------- start and stop

    def start(self) -> None:
        """Returns once the API answers and, with a site, the agent's spans are there. StartError otherwise."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        self.layout.make_fresh()
        self.cloud.begin()
        if self._with_site:
            self._start_receiver()
            self.site.start_simulator()
            seed.prepare()
        self.cloud.deploy()
        self.layout.operator.write_text(json.dumps(self.environment))
        if self._with_site:
            self._settle()
        self.cloud.wait_ready()
        if self._with_site:
            self.site.start_agent()
            self.wait_for_spans()
        while not self._all_warm():
            time.sleep(_LOOK_EVERY_S)

    def _start_receiver(self) -> None:
        options: list[object] = ["--file", self.layout.received, *(["--quiet"] if self._quiet else [])]
        log = self.layout.log("receiver") if self._quiet else None
        self.receiver = start_own("receiver", "local_cloud.receiver", options, log, CHECKOUT)

    def _settle(self) -> None:
        assert self.receiver
        self._receiver_port = self.receiver.wait_ready(30)
        credential = seed.seed(self.deployment, int(self._receiver_port))
        self.site.write_config(self.deployment.outputs["AgentUrl"], credential)

    @property
    def receiver_command(self) -> list[str]:
        """What starts the receiver again; a person can type it too."""
        options = ["--port", self._receiver_port, "--file", str(self.layout.received)]
        return [sys.executable, "-m", "local_cloud.receiver", *options]

    def stop(self) -> None:
        """Ends every process, the last started first, and waits until they are gone."""
        stop_all(self.children, _STOP_S)
        self.layout.operator.unlink(missing_ok=True)
        self.cloud.release()
        self._lock.release()

    @property
    def children(self) -> list[Child]:
        """In the order in which they stop."""
        return [*self.site.children, *self.cloud.children, *([self.receiver] if self.receiver else [])]

    # ------------------------------------------------------------------------------------------- what there is

    @property
    def url(self) -> str:
        return self.cloud.url

    @property
    def deployment(self) -> Deployment:
        return self.cloud.deployment

    @property
    def environment(self) -> dict[str, str]:
        """What a command line tool of the operator needs in its environment to work on this stack."""
        here = {
            "AWS_REGION": aws.REGION,
            "AWS_DEFAULT_REGION": aws.REGION,
            "AWS_ENDPOINT_URL": self.deployment.endpoint,
        }
        return here | aws.CREDENTIALS

    def call(self, path: str, **fields: JsonValue) -> tuple[int, JsonObject]:
        """One call of the API as the seeded account; HTTP status and envelope."""
        body = {"username": seed.ACCOUNT, "password": seed.PASSWORD, **fields}
        return post(f"{self.url}{path}", body)

    def spans(self) -> list[JsonObject]:
        status, answer = self.call("/sms/get_valid_spans")
        return [as_object(each) for each in as_list(answer.get("data"))] if status == 200 else []

    def wait_for_spans(self) -> None:
        """Until every modem is available. Given ones need not be: they may lack a SIM, and the agent says so.

        Looks into the table: an API call that came too early would be remembered by the function for seconds.
        """
        table = seed.accounts(self.deployment)
        deadline = time.monotonic() + _SPANS_S
        while sum(each.available for each in table.spans(seed.ACCOUNT, seed.AGENT)) < len(self.site.ports):
            self._expect_agent()
            self._all_warm()
            if time.monotonic() > deadline:
                if self.site.simulator is None and self.connections():
                    return
                raise StartError(f"the agent did not bring up its modems; see {self.layout.log('agent')}")
            time.sleep(_LOOK_EVERY_S)
        if self.call("/sms/get_valid_spans")[0] != 200:
            raise StartError(f"the API does not answer; see {self.layout.logs}")

    def _all_warm(self) -> bool:
        """Whether every function has started. StartError as soon as one cannot."""
        states = self.control("functions")
        for name, state in states.items():
            if state == "broken":
                raise StartError(f"function {name} does not start; see {self.layout.log(name)}")
        return set(states.values()) == {"warm"}

    def _expect_agent(self) -> None:
        if self.site.agent and self.site.agent.ended is not None:
            raise StartError(f"the agent ended by itself; see {self.layout.log('agent')}")

    def air(self) -> list[JsonObject]:
        """What went over the air so far."""
        return list(_json_lines(self.layout.air))

    def pushes(self) -> list[JsonObject]:
        """What the receiver got so far."""
        return list(_json_lines(self.layout.received))

    def frames(self) -> list[JsonObject]:
        """Every frame between agent and cloud so far, as `trace` keeps them. Only with `CloudOptions(trace=True)`."""
        return [{**each, "frame": json.loads(str(each["frame"]))} for each in _json_lines(self.layout.frames)]

    # ------------------------------------------------------------------------------------------- hurting it

    def kill(self, name: str) -> None:
        """`agent`, `simulator`, `gateway`, `receiver`, or `worker:push` for the processes of one function: SIGKILL."""
        if name.startswith("worker:"):
            for pid in self.workers(name.removeprefix("worker:")):
                os.kill(pid, signal.SIGKILL)
            return
        {child.name: child for child in self.children}[name].kill()

    def restart(self, name: str) -> None:
        """Starts `agent`, `gateway` or `simulator` again after it was killed or has ended."""
        starts = {"agent": self.site.start_agent, "gateway": self.cloud.start_gateway}
        (starts | {"simulator": self.site.start_simulator})[name]()

    def workers(self, function: str) -> list[int]:
        """Process ids of a function, by the name of its folder, such as `sms_api`."""
        pids = self.control("workers")
        found = [pids[handler] for handler in pids if function in handler.split(".")]
        return [int(str(pid)) for pid in as_list(found[0])]

    def turn_clock(self, seconds: float) -> None:
        """Lets time pass at once for connections and schedules."""
        self.control("clock", {"seconds": seconds})

    def set_faults(self, **faults: JsonValue) -> None:
        """See `connections.Faults`."""
        self.control("faults", faults)

    def cut_connections(self, code: int = 1001) -> None:
        self.control("cut", {"code": code})

    def connections(self) -> list[str]:
        """Ids of the connections that are open now."""
        return [str(each) for each in as_list(self.control("connections")["open"])]

    def set_receiver(self, **mode: JsonValue) -> None:
        """See `receiver.Mode`; without arguments it works again."""
        post(f"http://127.0.0.1:{self._receiver_port}/_mode", mode)

    def control(self, what: str, body: JsonObject | None = None) -> JsonObject:
        """Asks the gateway's back door."""
        url = f"{self.cloud.control_url}/_local/{what}"
        if body is not None:
            return post(url, body)[1]
        with urlopen(url, timeout=_CALL_S) as answer:  # noqa: S310 - our own address
            return as_object(json.load(answer))


def post(url: str, body: JsonObject) -> tuple[int, JsonObject]:
    """Status and JSON answer, whatever the status."""
    request = Request(url, json.dumps(body).encode(), {"content-type": "application/json"})  # noqa: S310 - our own address
    try:
        with urlopen(request, timeout=_CALL_S) as answer:  # noqa: S310
            return answer.status, _object(answer.read())
    except HTTPError as refusal:
        with refusal:
            return refusal.code, _object(refusal.read())


def _object(text: bytes) -> JsonObject:
    return as_object(json.loads(text)) if text else {}


def _json_lines(file: Path) -> Iterator[JsonObject]:
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):  # else it is still being written
                yield as_object(json.loads(line))
