import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from local_cloud.moto_process import Serialised


class Service:
    """Carries out one request at a time, as long as the test holds it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.busy, self.go_on = threading.Event(), threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.asked.append(environ["PATH_INFO"])
        self.busy.set()
        assert self.go_on.wait(20)
        return [b"done"]


@pytest.fixture
def client() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    yield near, far
    near.close()
    far.close()


@pytest.mark.parametrize(("hangs_up", "asked"), [(True, ["/first"]), (False, ["/first", "/second"])])
def test_what_nobody_waits_for_any_more_is_not_carried_out(
    client: tuple[socket.socket, socket.socket], hangs_up: bool, asked: list[str]
) -> None:
    service, statuses = Service(), []
    serialised = Serialised(service)

    def ask(path: str, connection: socket.socket | None) -> threading.Thread:
        environ = {"PATH_INFO": path, "werkzeug.socket": connection}
        call = threading.Thread(target=lambda: serialised(environ, lambda status, *_: statuses.append(status)))
        call.start()
        return call

    first = ask("/first", None)
    assert service.busy.wait(20)
    second = ask("/second", client[1])
    if hangs_up:
        client[0].close()
    service.go_on.set()
    first.join(20)
    second.join(20)
    assert service.asked == asked
    assert statuses == (["503 Service Unavailable"] if hangs_up else [])
