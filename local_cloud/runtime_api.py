"""The Lambda Runtime API, one server for each execution environment, as in Lambda.

Any runtime client can be at the other end: our own `worker`, or AWS's `awslambdaric`.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

_ROOT = "/2018-06-01/runtime"
# Lambda's limit for a synchronous invocation's request and for its response.
PAYLOAD_LIMIT = 6 * 1024 * 1024


@dataclass(frozen=True)
class Outcome:
    """What an invocation ended with: the function's answer, or (`failed`) a function error, both as JSON."""

    payload: bytes
    failed: bool = False

    @property
    def error_type(self) -> str:
        """For logs: what kind of error, never its text, which may quote a message."""
        try:
            found = json.loads(self.payload)
        except ValueError:
            return "an answer that is no JSON"
        return (
            str(found.get("errorType", "an unnamed error")) if isinstance(found, dict) else "an answer of a wrong shape"
        )


@dataclass
class Invocation:
    payload: bytes
    function_arn: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    deadline_ms: int = 0
    outcome: asyncio.Future[Outcome] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def end(self, outcome: Outcome) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)


class RuntimeApi:
    """Serves one environment: hands it what `give` was given, and tells what it answers.

    `on_idle` is called whenever the environment asks for its next event, `on_init_error` when its handler did not load.
    """

    def __init__(self, on_idle: Callable[[], None], on_init_error: Callable[[bytes], None]) -> None:
        self._on_idle = on_idle
        self._on_init_error = on_init_error
        self._next: asyncio.Future[Invocation] | None = None
        self.current: Invocation | None = None
        self._runner = web.AppRunner(self._app(), access_log=None)
        self.address = ""

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=2 * PAYLOAD_LIMIT)
        app.router.add_get(f"{_ROOT}/invocation/next", self._hand_out)
        app.router.add_post(f"{_ROOT}/invocation/{{id}}/{{kind:response|error}}", self._take_answer)
        app.router.add_post(f"{_ROOT}/init/error", self._take_init_error)
        return app

    async def start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"{host}:{port}"

    async def stop(self) -> None:
        if self._next:
            self._next.cancel()  # whoever asked is gone; its request would otherwise be waited for
        await self._runner.cleanup()

    def give(self, invocation: Invocation) -> None:
        """Only for an environment that asked: after `on_idle`, once."""
        assert self._next is not None and not self._next.done()
        self.current = invocation
        self._next.set_result(invocation)

    async def _hand_out(self, request: web.Request) -> web.Response:
        self._next = asyncio.get_running_loop().create_future()
        self._on_idle()
        invocation = await self._next
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{invocation.request_id[:8]}-{uuid.uuid4().hex[:24]};Sampled=0",
        }
        return web.Response(body=invocation.payload, content_type="application/json", headers=headers)

    async def _take_answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        invocation = self.current
        if invocation is None or invocation.request_id != request.match_info["id"]:
            return web.json_response({"errorType": "InvalidRequestID"}, status=400)
        self.current = None
        invocation.end(_outcome(body, failed=request.match_info["kind"] == "error"))
        return web.json_response({"status": "OK"}, status=202)

    async def _take_init_error(self, request: web.Request) -> web.Response:
        self._on_init_error(await request.read())
        return web.json_response({"status": "OK"}, status=202)


def _outcome(body: bytes, failed: bool) -> Outcome:
    if len(body) > PAYLOAD_LIMIT:
        return Outcome(b'{"errorType": "Function.ResponseSizeTooLarge"}', failed=True)
    return Outcome(body, failed)
