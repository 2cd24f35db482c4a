"""A Lambda execution environment: imports the handler, then asks the Lambda Runtime API for one event after another.

Runs with the environment that Lambda would give and nothing more. Standard library only: what a function imports is the
function's own business, and a start must cost what the function costs.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException

from local_cloud.lifeline import live_with_parent

_API = "/2018-06-01/runtime"
Handler = Callable[[object, "Context"], object]


@dataclass(frozen=True)
class Context:
    """The context object of the Python runtime, with the names that Lambda documents."""

    aws_request_id: str
    invoked_function_arn: str
    deadline_ms: int
    function_name: str
    function_version: str
    memory_limit_in_mb: str
    log_group_name: str
    log_stream_name: str
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self.deadline_ms - int(time.time() * 1000))


def main() -> None:
    live_with_parent()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    api = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as error:  # noqa: BLE001 - whatever the function's import raises is reported as its init error
        traceback.print_exc()
        _post(api, "init/error", describe(error))
        sys.exit(1)
    try:
        while True:
            serve_one(api, handler)
    except (OSError, HTTPException):
        sys.exit(0)  # the gateway is gone, and this environment with it


def load(handler: str) -> Handler:
    """`functions.push.app.handler` → the function; Lambda takes slashes for dots as well."""
    module, _, name = handler.replace("/", ".").rpartition(".")
    found: Handler = getattr(importlib.import_module(module), name)
    return found


def serve_one(api: HTTPConnection, handler: Handler) -> None:
    api.request("GET", f"{_API}/invocation/next")
    answer = api.getresponse()
    body = answer.read()
    context = _context(answer.headers)
    os.environ["_X_AMZN_TRACE_ID"] = answer.headers.get("Lambda-Runtime-Trace-Id", "")
    try:
        result = json.dumps(handler(json.loads(body), context), ensure_ascii=False).encode()
        kind = "response"
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is its function error
        traceback.print_exc()
        result, kind = describe(error), "error"
    _post(api, f"invocation/{context.aws_request_id}/{kind}", result)


def _context(headers: Message) -> Context:
    env = os.environ
    return Context(
        aws_request_id=headers["Lambda-Runtime-Aws-Request-Id"],
        invoked_function_arn=headers["Lambda-Runtime-Invoked-Function-Arn"],
        deadline_ms=int(headers["Lambda-Runtime-Deadline-Ms"]),
        function_name=env["AWS_LAMBDA_FUNCTION_NAME"],
        function_version=env["AWS_LAMBDA_FUNCTION_VERSION"],
        memory_limit_in_mb=env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        log_group_name=env["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=env["AWS_LAMBDA_LOG_STREAM_NAME"],
    )


def _post(api: HTTPConnection, path: str, body: bytes) -> None:
    api.request("POST", f"{_API}/{path}", body)
    api.getresponse().read()


def describe(error: Exception) -> bytes:
    """An error in the shape of Lambda's function errors."""
    frames = traceback.format_tb(error.__traceback__)
    return json.dumps({"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": frames}).encode()


if __name__ == "__main__":
    main()
