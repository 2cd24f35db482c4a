"""A function's execution environments: started warm, more on demand, replaced when they die.

One environment serves one event at a time. What Lambda does to an invocation whose environment crashes or overruns its
timeout happens here too: the process is gone, and the invocation ends with a function error.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import uuid
from collections import deque
from pathlib import Path

from local_cloud import aws
from local_cloud.deploy import FunctionSpec
from local_cloud.runtime_api import Invocation, Outcome, RuntimeApi

# How long a call waits for an environment that is busy before another is started.
_GROW_AFTER_S = 0.1


class Worker:
    """One environment: a process and its own Runtime API."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.api = RuntimeApi(lambda: pool.is_idle(self), self._init_failed)
        self._process: asyncio.subprocess.Process | None = None
        self._overrun: asyncio.TimerHandle | None = None
        self._last_words: Outcome | None = None
        self.initialised = False  # it has asked for an event at least once

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    async def run(self) -> None:
        """From start to end of the process; whatever it was doing then has failed."""
        await self.api.start()
        with self._pool.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "local_cloud.worker",
                env=environment(self._pool.spec, self.api.address, self._pool.endpoint),
                cwd=self._pool.code,
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self._ended(await self._process.wait())
        await self.api.stop()

    def _ended(self, status: int) -> None:
        self._in_time()
        if self.api.current:
            self.api.current.end(self._last_words or exit_error(self.api.current.request_id, status))
        if not self.initialised:
            self._pool.init_failed(self._last_words or exit_error("none", status))

    def serve(self, invocation: Invocation) -> None:
        timeout = self._pool.spec.timeout_s
        invocation.deadline_ms = int((time.time() + timeout) * 1000)
        self._overrun = asyncio.get_running_loop().call_later(timeout, self._time_out)
        self.api.give(invocation)
        invocation.outcome.add_done_callback(lambda _: self._in_time())

    def _in_time(self) -> None:
        if self._overrun:
            self._overrun.cancel()

    def _time_out(self) -> None:
        if self.api.current:
            said = f"Error: Task timed out after {self._pool.spec.timeout_s:.2f} seconds"
            self._last_words = error_outcome("Sandbox.Timedout", f"RequestId: {self.api.current.request_id} {said}")
        self.kill()

    def _init_failed(self, error: bytes) -> None:
        self._last_words = Outcome(error, failed=True)  # the process ends itself next

    def kill(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()


class Pool:
    """Everything that runs one function."""

    def __init__(self, spec: FunctionSpec, endpoint: str, code: Path, log: Path, ceiling: int) -> None:
        self.spec, self.endpoint, self.code, self.log = spec, endpoint, code, log
        self._ceiling = ceiling
        self._workers: dict[Worker, asyncio.Task[None]] = {}
        self._idle: deque[Worker] = deque()
        self._pending: deque[Invocation] = deque()
        self._stopping = False
        self._growing: asyncio.TimerHandle | None = None
        self._init_error: Outcome | None = None
        self._tried = asyncio.Event()  # the first environment has asked for an event, or ended

    @property
    def pids(self) -> list[int]:
        return [worker.pid for worker in self._workers]

    async def start(self) -> None:
        """One warm environment, so that the first call waits for no import. Returns when it is there, or failed."""
        self._add_worker()
        await self._tried.wait()

    @property
    def state(self) -> str:
        """`starting`, then `warm`, or `broken` when the last environment could not start."""
        if not self._tried.is_set():
            return "starting"
        return "broken" if self._init_error else "warm"

    async def invoke(self, payload: bytes) -> Outcome:
        """Never raises for what the function does; an error of its own is an outcome that `failed`."""
        invocation = Invocation(payload, self.spec.arn)
        self._pending.append(invocation)
        self._init_error = None
        self._dispatch()
        # A caller that stops waiting does not stop the function.
        return await asyncio.shield(invocation.outcome)

    def is_idle(self, worker: Worker) -> None:
        worker.initialised = True
        self._tried.set()
        if worker not in self._idle:
            self._idle.append(worker)
        self._dispatch()

    def init_failed(self, outcome: Outcome) -> None:
        """Lambda fails the invocations that wait for an environment that cannot start, and tries again at the next."""
        self._init_error = outcome
        self._tried.set()
        while self._pending:
            self._pending.popleft().end(outcome)

    def _dispatch(self) -> None:
        while self._pending and self._idle:
            self._idle.popleft().serve(self._pending.popleft())
        if self._pending and not self._growing:
            # At once where nothing runs; else most calls end before another environment could have started.
            delay = _GROW_AFTER_S if self._workers else 0.0
            self._growing = asyncio.get_running_loop().call_later(delay, self._grow)

    def _grow(self) -> None:
        """An environment for every call that still waits, up to the ceiling."""
        self._growing = None
        starting = sum(1 for each in self._workers if each not in self._idle and not each.api.current)
        room = self._ceiling - len(self._workers)
        for _ in range(0 if self._stopping else min(len(self._pending) - starting, room)):
            self._add_worker()

    def _add_worker(self) -> None:
        worker = Worker(self)
        task = asyncio.create_task(worker.run())
        self._workers[worker] = task
        task.add_done_callback(lambda _: self._ended(worker))

    def _ended(self, worker: Worker) -> None:
        del self._workers[worker]
        if worker in self._idle:
            self._idle.remove(worker)
        if not self._stopping and self._init_error is None and not self._workers:
            self._add_worker()

    async def stop(self) -> None:
        self._stopping = True
        for worker in self._workers:
            worker.kill()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)


def environment(spec: FunctionSpec, runtime_api: str, endpoint: str) -> dict[str, str]:
    """What Lambda puts into the environment, and the function's own variables.

    Plus AWS_ENDPOINT_URL, by which the SDK finds moto instead of AWS.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    stream = f"{time.strftime('%Y/%m/%d')}/[$LATEST]{uuid.uuid4().hex}"
    reserved = {
        "PATH": os.defpath,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_REGION": aws.REGION,
        "AWS_DEFAULT_REGION": aws.REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "_HANDLER": spec.handler,
        **aws.CREDENTIALS,
    }
    return spec.environment | reserved


def error_outcome(kind: str, message: str) -> Outcome:
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}).encode(), failed=True)


def exit_error(request_id: str, status: int) -> Outcome:
    how = f"signal: {-status}" if status < 0 else f"exit status {status}"
    return error_outcome("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {how}")
