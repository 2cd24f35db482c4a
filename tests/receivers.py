"""Receivers of pushes for tests: real sockets on 127.0.0.1 that answer as told, byte by byte if need be."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Answer = Callable[[socket.socket], None]


class Receiver:
    """Accepts connections, keeps each request's bytes, answers with `answer`."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listening.getsockname()[1]
        self.requests: list[bytes] = []
        self.accepted = 0
        self.stopping = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                self.requests.append(read_request(connection))
                self._answer(connection)
            except OSError:
                pass  # the other side has cut us off, as it may

    def stop(self) -> None:
        self.stopping.set()
        self._listening.shutdown(socket.SHUT_RDWR)  # wakes `accept`, without which the port would stay open
        self._listening.close()


def read_request(connection: socket.socket) -> bytes:
    """One request with a Content-Length body."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def says(raw: bytes) -> Answer:
    """Answers with these bytes."""
    return lambda connection: connection.sendall(raw)


OK = says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def status(code: int, headers: str = "") -> Answer:
    return says(f"HTTP/1.1 {code} X\r\n{headers}Content-Length: 0\r\n\r\n".encode())


@contextmanager
def receiving(answer: Answer = OK) -> Iterator[Receiver]:
    receiver = Receiver(answer)
    try:
        yield receiver
    finally:
        receiver.stop()
