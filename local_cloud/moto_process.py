"""The process that plays AWS: moto's server, holding tables and queues in memory for as long as `run` lives."""

from __future__ import annotations

import gc
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING

from local_cloud.lifeline import announce, live_with_parent

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from moto.backends import SERVICE_NAMES

# Built before the first request, so that no caller waits for an import.
_SERVICES: tuple[SERVICE_NAMES, ...] = ("cloudformation", "dynamodb", "iam", "lambda", "sqs")


class Serialised:
    """One request at a time, except where a long poll would make the others wait.

    moto checks a condition and writes in two steps without a lock; under its threaded server two conditional writes to
    one item could both succeed, which DynamoDB never lets happen. Who has waited too long has hung up and asked again:
    what nobody waits for any more is not carried out (a service may or may not), or a long queue would never end.
    """

    def __init__(self, app: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]) -> None:
        self._app = app
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        is_poll = environ.get("HTTP_X_AMZ_TARGET") == "AmazonSQS.ReceiveMessage"
        with nullcontext() if is_poll else self._lock:
            if _hung_up(environ):
                start_response("503 Service Unavailable", [("Content-Length", "0")])
                return []
            return self._app(environ, start_response)


def _hung_up(environ: WSGIEnvironment) -> bool:
    client = environ.get("werkzeug.socket")
    if client is None:
        return False
    try:
        return bool(client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"")
    except BlockingIOError:
        return False
    except OSError:
        return True


def _end_abandoned_polls() -> None:
    """A long poll ends when its caller has hung up. The last poll of one that was killed would still take a message
    with it, which nobody saw until its visibility timeout was over."""
    from flask import request
    from moto.sqs import models
    from werkzeug.exceptions import ServiceUnavailable

    wait = models.Queue.wait_for_messages

    def wait_while_asked(queue: models.Queue, timeout: int) -> None:
        wait(queue, timeout)
        if _hung_up(request.environ):
            raise ServiceUnavailable

    models.Queue.wait_for_messages = wait_while_asked  # type: ignore[assignment, method-assign]


def _hasten_queues() -> None:
    """For each message that moto gives it looks nine times at all that wait, to tell their number, which nobody asked
    for, and each look takes the time by way of datetime. With a thousand messages that would be most of its work."""
    from moto.sqs import models

    def is_kept(backend: models.SQSBackend, queue_name: str, message: models.Message) -> bool:
        kept_s = backend.get_queue(queue_name).message_retention_period  # type: ignore[attr-defined]
        return bool((message.sent_timestamp or 0) / 1000 + kept_s > time.time())

    vars(models)["unix_time_millis"] = lambda: time.time() * 1000.0
    models.SQSBackend.is_message_valid_based_on_retention_period = is_kept  # type: ignore[assignment, method-assign]


def main() -> None:
    live_with_parent()
    gc.disable()  # moto's imports make millions of objects that stay: collecting meanwhile takes a third of the time
    # Functions run from the checkout; nobody puts their code into a bucket.
    os.environ["VALIDATE_LAMBDA_S3"] = "0"
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    class QuietHandler(MotoRequestHandler):
        disable_nagle_algorithm = True

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """A line a request would bury what matters."""

    _hasten_queues()
    _end_abandoned_polls()
    app = DomainDispatcherApplication(create_backend_app)
    app.app_instances |= {service: create_backend_app(service) for service in _SERVICES}
    server = make_server("127.0.0.1", 0, Serialised(app), threaded=True, request_handler=QuietHandler)
    gc.freeze()
    gc.enable()
    announce(server.port)
    server.serve_forever()


if __name__ == "__main__":
    main()
