"""Built functions, booted as Lambda boots them: by AWS's own runtime client, with only task and layer on the path.

`make test-built` builds them. Nothing of the checkout can be imported; the environment holds only what Lambda gives.
"""

import asyncio
import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local_cloud.runtime_api import Invocation, Outcome, RuntimeApi

ROOT = Path(__file__).parent.parent
RUNTIME = ROOT / ".venv-built" / "bin" / "python"  # python3.13 with awslambdaric, and nothing else
ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}  # as AWS calls them → as Linux does
HERE = next((aws for aws, linux in ARCHITECTURES.items() if linux == platform.machine()), "x86_64")


@dataclass(frozen=True)
class Build:
    """What `sam build` left for one architecture."""

    architecture: str = HERE

    @property
    def root(self) -> Path:
        return ROOT / ".aws-sam" / self.architecture

    @property
    def layer(self) -> Path:
        return self.root / "SharedLayer" / "python"

    def task(self, function: str) -> Path:
        return self.root / function


def environment(function: str, variables: Mapping[str, str]) -> dict[str, str]:
    """What Lambda puts into a function's environment, and its own variables.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    return {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": os.defpath,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        # The file system is read-only there.
        "PYTHONDONTWRITEBYTECODE": "1",
        **variables,
    }


class Environment:
    """One execution environment: a fresh process and its own Runtime API.

    async with Environment(task, layer, handler, variables) as function:
        outcome = await function.invoke(event)
    """

    def __init__(self, task: Path, layer: Path, handler: str, variables: Mapping[str, str], log: Path) -> None:
        self._task, self._layer, self._handler, self._log = task, layer, handler, log
        self._variables = variables
        self._asked = asyncio.Event()
        self._api = RuntimeApi(self._asked.set, self._failed)
        self._process: asyncio.subprocess.Process | None = None
        self.init_error = b""
        self.init_s = 0.0  # from the start of the process until it asked for its first event
        self.init_cpu_s = 0.0  # of that, what it computed; a busy machine does not lengthen it

    async def __aenter__(self) -> Self:
        await self._api.start()
        start = time.perf_counter()
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                RUNTIME, "-m", "awslambdaric", self._handler, env=self._env(), cwd=self._task, stdout=log, stderr=log
            )
        ended = asyncio.ensure_future(self._process.wait())
        asked = asyncio.ensure_future(self._asked.wait())
        await asyncio.wait({ended, asked}, return_when=asyncio.FIRST_COMPLETED, timeout=60)
        self.init_s = time.perf_counter() - start
        self.init_cpu_s = _cpu_s(self._process.pid)
        if not self._asked.is_set() or self.init_error:
            await self.end()
            raise RuntimeError(f"{self._handler} did not start: {self.init_error.decode()} {self._log.read_text()}")
        asked.cancel()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.end()

    def _env(self) -> dict[str, str]:
        path = f"{self._task}{os.pathsep}{self._layer}"
        return {**self._variables, "AWS_LAMBDA_RUNTIME_API": self._api.address, "PYTHONPATH": path}

    def _failed(self, error: bytes) -> None:
        self.init_error = error
        self._asked.set()

    async def invoke(self, event: Mapping[str, Any]) -> Outcome:
        await asyncio.wait_for(self._asked.wait(), 30)
        self._asked.clear()
        arn = "arn:aws:lambda:us-east-1:123456789012:function:" + self._variables["AWS_LAMBDA_FUNCTION_NAME"]
        invocation = Invocation(json.dumps(event).encode(), arn, deadline_ms=int((time.time() + 29) * 1000))
        self._api.give(invocation)
        return await asyncio.wait_for(invocation.outcome, 30)

    async def end(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        await self._api.stop()


def _cpu_s(pid: int) -> float:
    """Nanoseconds on a processor are the first number there: Documentation/scheduler/sched-stats of the kernel."""
    try:
        threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in threads) / 1e9
    except OSError:
        return 0.0  # it has ended
