"""A second opinion: the unmodified build, deployed by `sam deploy` to an emulator that others wrote.

An operator's whole way: deploy, create an account and a site, enrol, run the real agent on simulated modems, send.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from local_cloud.layout import CHECKOUT, Layout
from local_cloud.process import start_any, start_own
from local_cloud.site import Site, SiteOptions
from local_cloud.stack import post
from tests.built_functions import Build

pytestmark = pytest.mark.timeout(300)
SAM = CHECKOUT / ".venv-sam" / "bin" / "sam"
MINISTACK = CHECKOUT / ".venv-ministack" / "bin"
PARAMETERS = ("Environment=local", "AllowLoopbackPush=true", f"Architecture={Build().architecture}")


def until(condition: Callable[[], Any], within: float, what: str) -> Any:
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.1)
    return found


@dataclass
class Cloud:
    port: int
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """How every tool of an operator is pointed at it."""
        return {
            **os.environ,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": "us-east-1",
            "SAM_CLI_TELEMETRY": "0",
        }

    def here(self, output: str) -> str:
        """An address as AWS would have it → the one that stands for it; APIs are paths of the one port."""
        address = re.sub(r"^(ws|http)s://(\w+)\.execute-api\.[\w.-]+", self._path, self.outputs[output])
        return address if output == "AgentUrl" else f"{address}/$default"

    def _path(self, found: re.Match[str]) -> str:
        return f"{found[1]}://127.0.0.1:{self.port}/_aws/execute-api/{found[2]}"

    def run(self, *command: object) -> str:
        done = subprocess.run(
            [str(each) for each in command], env=self.environment, cwd=CHECKOUT, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def admin(self, *words: str) -> Any:
        return json.loads(self.run(sys.executable, "-m", "admin", "--json", *words))

    def aws(self, *words: str) -> Any:
        code = "import sys, json, boto3; c = boto3.client(sys.argv[1]); "
        code += "print(json.dumps(getattr(c, sys.argv[2])(**json.loads(sys.argv[3])), default=str))"
        return json.loads(self.run(sys.executable, "-c", code, *words))

    def deploy(self) -> None:
        """From where `sam build` has put it, with the project's own samconfig.toml."""
        template = Build().root / "template.yaml"
        options = (
            "--config-file",
            CHECKOUT / "samconfig.toml",
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
        )
        self.run(SAM, "deploy", "--template-file", template, *options, "--parameter-overrides", *PARAMETERS)
        [stack] = self.aws("cloudformation", "describe_stacks", '{"StackName": "spanbridge"}')["Stacks"]
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("ministack")
    made = Cloud(free_port())
    variables = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": made.port,
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": "123456789012",
        "TMPDIR": folder,
        "PATH": f"{MINISTACK}:{os.environ['PATH']}",  # functions run with the first python3 there
    }
    settings = [f"{name}={value}" for name, value in variables.items()]
    shim = CHECKOUT / "tests" / "deploy" / "run_ministack.py"
    emulator = start_any("ministack", ["env", *settings, MINISTACK / "python", shim], folder / "log", CHECKOUT)
    try:
        until(partial(_answers, made, emulator), 60, f"MiniStack answers; see {folder / 'log'}")
        made.deploy()
        yield made
    finally:
        emulator.signal(15)
        emulator.wait(5)
        emulator.kill()


def _answers(cloud: Cloud, emulator: Any) -> bool:
    assert emulator.ended is None, "MiniStack has ended"
    try:
        with urlopen(f"http://127.0.0.1:{cloud.port}/_ministack/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@dataclass
class Customer:
    """An account with one site, whose agent runs, and with a receiver of its pushes."""

    cloud: Cloud
    password: str
    layout: Layout

    def call(self, path: str, **fields: Any) -> tuple[int, dict[str, Any]]:
        status, answer = post(
            f"{self.cloud.here('ApiUrl')}{path}", {"username": "acme", "password": self.password, **fields}
        )
        return status, dict(answer)

    def pushes(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.layout.received.read_text().splitlines()]


@pytest.fixture(scope="module")
def customer(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    layout = Layout(tmp_path_factory.mktemp("site"))
    layout.make_fresh()
    password = cloud.admin("accounts", "create", "acme")["password"]
    code = cloud.admin("agents", "add", "acme", "hamburg")["code"]
    receiver = start_own("receiver", "local_cloud.receiver", ["--file", layout.received, "--quiet"], None, CHECKOUT)
    port = receiver.wait_ready(30)
    site = Site(layout, SiteOptions(simulate=2))
    site.start_simulator()
    url, ports = json.dumps(cloud.here("AgentUrl")), json.dumps(site.ports)  # which are texts of TOML too
    site.config.write_text(f"[cloud]\nurl = {url}\n\n[modems]\nports = {ports}\n")
    agent = [sys.executable, "-m", "edge_agent", "enroll", "--config", site.config]
    cloud.run(*agent, "--url", cloud.here("AgentUrl"), "--code", code)
    site.start_agent()
    made = Customer(cloud, password, layout)
    status, answer = made.call(
        "/smsoutbox/set_config", enable=1, results_enable=1, reports_enable=1,
        url_http="http", url_host="127.0.0.1", url_port=port, url_path="/push",
    )  # fmt: skip
    assert status == 200, answer
    yield made
    for each in (*site.children, receiver):
        each.signal(15)
        each.wait(5)
        each.kill()


def test_the_real_agent_sends_a_message_through_it(customer: Customer) -> None:
    def available() -> list[Any]:
        spans = customer.call("/sms/get_valid_spans")[1].get("data", [])
        return [row for row in spans if row["status"] == 1]

    assert len(until(lambda: len(available()) == 2 and available(), 60, "both spans are available")) == 2
    status, answer = customer.call("/sms/send", dest_num="+12025550123", msg="Through another cloud", mode=1)
    assert (status, answer["code"]) == (200, 0), answer
    [row] = answer["data"]
    assert row["status"] == "SENT"
    on_air = until(lambda: customer.layout.air.read_text(), 10, "it is on the air")
    assert "Through another cloud" in on_air

    def delivered() -> bool:
        listed = customer.call("/smsoutbox/get")[1]["data"]
        return [each["status"] for each in listed if each["id"] == row["id"]] == ["DELIVERD"]

    until(delivered, 60, "the network's report arrives")
    kinds = {"SMS-Status-Result", "SMS-Status-Report"}
    until(lambda: kinds <= {push["parameters"]["type"] for push in customer.pushes()}, 60, "both pushes arrive")


def test_a_second_deployment_of_the_same_build_changes_nothing(cloud: Cloud) -> None:
    def alias() -> Any:
        functions = cloud.aws("lambda", "list_functions", "{}")["Functions"]
        name = next(each["FunctionName"] for each in functions if "SmsApi" in each["FunctionName"])
        return cloud.aws("lambda", "get_alias", json.dumps({"FunctionName": name, "Name": "live"}))["FunctionVersion"]

    before = alias()
    cloud.deploy()
    assert alias() == before


def test_every_alarm_and_the_dashboard_are_there(cloud: Cloud) -> None:
    alarms = cloud.aws("cloudwatch", "describe_alarms", "{}")["MetricAlarms"]
    template = (Build().root / "template.yaml").read_text()
    assert len(alarms) == template.count("Type: AWS::CloudWatch::Alarm")
    assert [each["DashboardName"] for each in cloud.aws("cloudwatch", "list_dashboards", "{}")["DashboardEntries"]]
