"""The only outbound HTTP of the product: one request to an address that was checked, and nothing else.

Rule: a name is resolved once, every address it has must be public, and the connection goes to one of those very
addresses with the name in SNI, certificate check and Host. No redirects, no proxies, no cookies, no second look-up.
Written on sockets, as urllib3 and http.client.HTTPConnection resolve by themselves and restart their timeout with
every byte; only the reading of the answer is http.client's.
"""

import io
import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from ipaddress import ip_address
from typing import TYPE_CHECKING

from shared.egress_guard import Address, Refused, Target, check_address, host_of, literal_address, target_of

if TYPE_CHECKING:
    from shared.push_record import PushAttempt

_log = logging.getLogger(__name__)

ANSWER_BYTES = 64 * 1024
ADDRESSES_TRIED = 3
_INTERIM = frozenset({102, 103})  # http.client skips 100 by itself, and 101 was not asked for

Dial = Callable[[Address, int, float], socket.socket]
Resolve = Callable[[str, float], Sequence[Address]]


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. `drain_s`: with the status known, the rest is read, lest the receiver be cut off in its work."""

    connect_s: float = 5.0  # for the name and the connection together
    total_s: float = 15.0
    drain_s: float = 3.0


class Unreachable(OSError):
    """No connection came about; the text says why."""


class Unresolved(Unreachable):
    """The name has no address now."""


def resolve(host: str, timeout: float) -> Sequence[Address]:
    """All addresses of a name. `getaddrinfo` knows no timeout, so it gets a thread that may be left behind."""
    found: queue.SimpleQueue[list[Address] | OSError] = queue.SimpleQueue()
    threading.Thread(target=lambda: found.put(_look_up(host)), daemon=True, name="resolve").start()
    try:
        answer = found.get(timeout=timeout)
    except queue.Empty:
        raise Unresolved(f"the name {host} did not resolve within {timeout:.0f} s") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _look_up(host: str) -> list[Address] | OSError:
    try:
        rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return Unresolved(f"the name {host} does not resolve")
    return [ip_address(str(row[4][0])) for row in rows]


def dial(address: Address, port: int, timeout: float) -> socket.socket:
    """A TCP connection to exactly this address."""
    connection = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect((str(address), port))
    except OSError:
        connection.close()
        raise
    return connection


def _left(deadline: float) -> float:
    """Seconds until then; each step of an attempt gets what the steps before it have left."""
    if (left := deadline - time.monotonic()) <= 0:
        raise TimeoutError
    return left


class _Answer(io.RawIOBase):
    """Reads a socket until the deadline or `ANSWER_BYTES`, however slowly the bytes come."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection, self.deadline, self._left = connection, deadline, ANSWER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._connection.settimeout(_left(self.deadline))
        count = self._connection.recv_into(buffer, min(len(buffer), self._left)) if self._left else 0
        self._left -= count
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What http.client asks of a socket."""
        return io.BufferedReader(self)


class SafeEgress:
    """Implements `Egress`. `allow_loopback` is for local deployments only; the parts are arguments for tests."""

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        resolve: Resolve = resolve,
        dial: Dial = dial,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        patience: Patience = Patience(),
    ) -> None:
        self._allow_loopback, self._resolve, self._dial, self._make_tls = allow_loopback, resolve, dial, tls
        self._patience = patience
        self._tls: ssl.SSLContext | None = None

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> "PushAttempt":
        """One attempt. Never raises: what went wrong is in the attempt, in words."""
        # Here, for a function that only checks hosts starts without them.
        from shared.push_record import PushAttempt
        from shared.push_retry import retry_after

        started, at = time.monotonic(), time.time()
        try:
            status, after = self._exchange(target_of(url), method, headers, body, started)
        except Exception as error:  # noqa: BLE001 (what is not foreseen is a try as well, or it were tried for ever)
            return PushAttempt(status=None, error=self._words(error), seconds=time.monotonic() - started, at=at)
        words = "" if 200 <= status < 300 else f"answered {status}"
        wait = retry_after(after, at)
        return PushAttempt(status=status, error=words, seconds=time.monotonic() - started, retry_after=wait, at=at)

    def check_host(self, host: str) -> str:
        try:
            self._addresses(host_of(host), self._patience.connect_s)
        except Unresolved as error:
            return str(error)
        return ""

    def _addresses(self, host: str, timeout: float) -> Sequence[Address]:
        """The checked addresses of a host, IPv4 first: a Lambda function has no route for IPv6."""
        literal = literal_address(host)
        found = [literal] if literal else list(dict.fromkeys(self._resolve(host, timeout)))
        for address in found:
            check_address(address, allow_loopback=self._allow_loopback)
        return sorted(found, key=lambda address: address.version)

    def _exchange(
        self, target: Target, method: str, headers: Mapping[str, str], body: bytes, started: float
    ) -> tuple[int, str]:
        deadline = started + self._patience.total_s
        connection = self._connect(target, started + self._patience.connect_s)
        try:
            connection = self._secure(connection, target, deadline)
            connection.settimeout(_left(deadline))
            connection.sendall(_request(target, method, headers, body))
            return _read(connection, method, deadline, self._patience.drain_s)
        finally:
            connection.close()

    def _connect(self, target: Target, deadline: float) -> socket.socket:
        addresses = self._addresses(target.host, deadline - time.monotonic())[:ADDRESSES_TRIED]
        problem: OSError = Unresolved(f"the name {target.host} has no address")
        for turn, address in enumerate(addresses):
            share = (deadline - time.monotonic()) / (len(addresses) - turn)
            if share <= 0:
                break
            try:
                return self._dial(address, target.port, share)
            except OSError as error:
                problem = self._unconnected(error)
        raise problem

    def _unconnected(self, error: OSError) -> OSError:
        if isinstance(error, TimeoutError):
            return Unreachable(f"no connection within {self._patience.connect_s:g} s")
        if isinstance(error, ConnectionRefusedError):
            return Unreachable("the connection was refused")
        return Unreachable(f"no connection: {error.strerror or error}")

    def _secure(self, connection: socket.socket, target: Target, deadline: float) -> socket.socket:
        connection.settimeout(_left(deadline))
        if target.scheme == "http":
            return connection
        if self._tls is None:
            self._tls = self._make_tls()
        return self._tls.wrap_socket(connection, server_hostname=target.host)

    def _words(self, error: Exception) -> str:
        match error:
            case Refused():
                return f"not sent: {error}"
            case ssl.SSLCertVerificationError():
                return f"the certificate is not accepted: {error.verify_message}"
            case ssl.SSLError():
                return f"TLS failed: {error.reason or 'no reason given'}"
            case TimeoutError():
                return f"no answer within {self._patience.total_s:g} s"
            case Unreachable():
                return str(error)
            case OSError():
                return "the connection broke off"
            case HTTPException() | ValueError():
                return "the answer was no HTTP"
            case _:
                _log.error("an attempt of a push broke", exc_info=error)
                return "an error of the gateway's own"


def _request(target: Target, method: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = {"Host": target.authority, **headers, "Connection": "close"}
    if body or method == "POST":
        lines["Content-Length"] = str(len(body))
    if any(mark in text for name_value in lines.items() for text in name_value for mark in "\r\n"):
        raise Refused("a header holds a line break")
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target.request} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


def _read(connection: socket.socket, method: str, deadline: float, drain_s: float) -> tuple[int, str]:
    """Status and Retry-After of the final answer (RFC 9110 §15.2); the body is read and dropped."""
    answer = _Answer(connection, deadline)
    response = HTTPResponse(answer, method=method)  # type: ignore[arg-type]
    response.begin()
    while response.status in _INTERIM:
        response.headers = response.msg = None  # type: ignore[assignment]  # begin() then reads on
        response.begin()
    answer.deadline = min(deadline, time.monotonic() + drain_s)
    try:
        while response.read(8192):
            pass
    except (OSError, HTTPException, ValueError):
        pass  # the status stands: the receiver has the push
    return response.status, response.headers.get("Retry-After", "")
