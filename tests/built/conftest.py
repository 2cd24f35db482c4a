"""A moto server with what env.json names, a place for what is posted to agents, a receiver of pushes."""

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from local_cloud import sam_local
from local_cloud.process import start_own
from local_cloud.seed import ACCOUNT
from shared.aws.account_table import AccountTable
from tests.built_functions import RUNTIME, Build, Environment, environment
from tests.sample_events import FUNCTIONS, sample

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def build() -> Build:
    found = Build()
    if not (found.layer / "shared").is_dir() or not RUNTIME.exists():
        pytest.fail("nothing is built; `make test-built` builds and then runs these tests")
    return found


@pytest.fixture(scope="session")
def sam_variables(build: Build) -> dict[str, dict[str, str]]:
    """Function → the environment that `sam local invoke -n env.json` would give it, by the SAM CLI's own code."""
    script = Path(__file__).parent / "sam_variables.py"
    template = build.root / "template.yaml"
    command = [ROOT / ".venv-sam" / "bin" / "python", script, template, ROOT / "env.json", ROOT / "samconfig.toml"]
    config_env = "local-arm64" if build.architecture == "arm64" else "local"  # as docs/deploy.md has it
    done = subprocess.run([*command, config_env, build.architecture], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


@dataclass
class World:
    """What surrounds the functions. Everything runs in one loop, which turns only while `run` waits for something."""

    moto: str
    accounts: AccountTable
    runner: asyncio.Runner
    posted: list[dict[str, Any]] = field(default_factory=list)  # frames that agents were posted
    pushed: list[web.Request] = field(default_factory=list)
    receiver_says: int = 200
    here: str = ""  # host:port of the receiver and of @connections

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def point_pushes_here(self) -> None:
        url = {"url_host": "127.0.0.1", "url_port": self.here.rpartition(":")[2], "url_path": "/push"}
        self.accounts.save_push_settings(ACCOUNT, {"enable": 1, "results_enable": 1, "reports_enable": 1, **url})

    async def take_post(self, request: web.Request) -> web.Response:
        self.posted.append(json.loads(await request.read()))
        return web.Response()

    async def take_push(self, request: web.Request) -> web.Response:
        self.pushed.append(request)
        return web.Response(status=self.receiver_says)

    async def listen(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/live/@connections/{id}", self.take_post)
        app.router.add_get("/push", self.take_push)
        listening = web.AppRunner(app, access_log=None)
        await listening.setup()
        await web.TCPSite(listening, "127.0.0.1", 0).start()
        self.here = "{}:{}".format(*listening.addresses[0][:2])
        return listening


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    moto = start_own("moto", "local_cloud.moto_process", [], tmp_path_factory.mktemp("moto") / "log", ROOT)
    address = f"127.0.0.1:{moto.wait_ready(60)}"
    with asyncio.Runner() as runner:
        made = World(address, sam_local.prepare(f"http://{address}"), runner)
        listening = made.run(made.listen())
        made.point_pushes_here()
        yield made
        made.run(listening.cleanup())
    moto.kill()


class Functions:
    """Boots a function when it is first asked, and keeps it."""

    def __init__(self, build: Build, world: World, variables: dict[str, dict[str, str]], logs: Path) -> None:
        self._build, self._world, self._variables, self._logs = build, world, variables, logs
        self._running: dict[str, Environment] = {}

    def variables(self, function: str) -> dict[str, str]:
        """As `sam local` has them, with the addresses of this test."""
        text = json.dumps(self._variables[function])
        given: dict[str, str] = json.loads(text.replace("host.docker.internal:5000", self._world.moto))
        return environment(function, given | {"CONNECTIONS_URL": f"http://{self._world.here}/live"})

    def log(self, function: str) -> str:
        return (self._logs / function).read_text()

    def lines(self, function: str) -> list[dict[str, Any]]:
        """The log's JSON objects. The runtime client puts nothing between them: to Lambda it writes them as frames."""
        text, found, place, decoder = self.log(function), [], 0, json.JSONDecoder()
        while (place := text.find("{", place)) >= 0:
            line, place = decoder.raw_decode(text, place)
            found.append(line)
        return found

    def boot(self, function: str) -> Environment:
        folder = next(folder for folder, name in FUNCTIONS.items() if name == function)
        return Environment(
            self._build.task(function),
            self._build.layer,
            f"functions.{folder}.app.handler",
            self.variables(function),
            self._logs / function,
        )

    def ask(self, function: str, event: dict[str, Any]) -> Any:
        """The function's answer; RuntimeError with the error's type and text when it failed."""
        if function not in self._running:
            self._running[function] = self._world.run(self.boot(function).__aenter__())
        outcome = self._world.run(self._running[function].invoke(event))
        answer = json.loads(outcome.payload)
        if outcome.failed:
            raise RuntimeError(answer["errorType"], answer["errorMessage"])
        return answer

    def end(self) -> None:
        for each in self._running.values():
            self._world.run(each.end())


@pytest.fixture(scope="module")
def functions(
    build: Build,
    world: World,
    sam_variables: dict[str, dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Functions]:
    made = Functions(build, world, sam_variables, tmp_path_factory.mktemp("functions"))
    yield made
    made.end()


@pytest.fixture(scope="module")
def ask(functions: Functions) -> Callable[..., Any]:
    """`ask("sms_api/send")`: what the function answers to a sample; keywords replace parts of the event."""

    def asked(name: str, **parts: Any) -> Any:
        return functions.ask(FUNCTIONS[name.partition("/")[0]], sample(name) | parts)

    return asked
