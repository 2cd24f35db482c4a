"""Where requests really go: sockets that listen, names that resolve to what an attacker likes."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest

from shared.egress import ANSWER_BYTES, Patience, SafeEgress, Unresolved
from shared.egress_guard import Address, Refused
from tests.certificates import Authority
from tests.receivers import OK, Answer, Receiver, receiving, says, status

QUICK = Patience(connect_s=0.3, total_s=0.6, drain_s=0.2)

# Names as an attacker's own name server would answer for them.
NAMES = {
    "a.public.example": ["93.184.215.14"],
    "two.public.example": ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "loopback.example": ["127.0.0.1"],
    "loopback6.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "compatible.example": ["::127.0.0.1"],
    "nat64.example": ["64:ff9b::a9fe:a9fe"],
    "local-nat64.example": ["64:ff9b:1::a9fe:a9fe"],
    "6to4.example": ["2002:a9fe:a9fe::1"],
    "teredo.example": ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    "private.example": ["10.0.0.1"],
    "private172.example": ["172.16.9.9"],
    "private192.example": ["192.168.1.1"],
    "cgnat.example": ["100.64.0.1"],
    "metadata.example": ["169.254.169.254"],
    "metadata6.example": ["fd00:ec2::254"],
    "container.example": ["169.254.170.2"],
    "zero.example": ["0.0.0.0"],
    "zero6.example": ["::"],
    "broadcast.example": ["255.255.255.255"],
    "multicast.example": ["224.0.0.1"],
    "multicast6.example": ["ff02::1"],
    "linklocal6.example": ["fe80::1"],
    "sitelocal6.example": ["fec0::1"],
    "benchmark.example": ["198.18.0.1"],
    "documentation.example": ["203.0.113.9"],
    "reserved.example": ["240.0.0.1"],
    "first-public.example": ["93.184.215.14", "127.0.0.1"],
    "first-private.example": ["127.0.0.1", "93.184.215.14"],
    "mixed-families.example": ["93.184.215.14", "::1"],
}

# `{port}` is a port that listens on 127.0.0.1; no connection may come.
HOSTILE = [
    # loopback, in every spelling that some resolver accepts
    "http://127.0.0.1:{port}/", "http://127.1:{port}/", "http://127.0.1:{port}/", "http://127.255.255.254:{port}/",
    "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0x7F.0x0.0x0.0x1:{port}/",
    "http://0177.0.0.1:{port}/", "http://017700000001:{port}/", "http://0x7f.1:{port}/", "http://0177.0.0x1:{port}/",
    "http://00000127.0.0.1:{port}/", "http://127.0.0.1.:{port}/", "http://localhost:{port}/",
    "http://localhost.:{port}/", "http://LOCALHOST:{port}/", "http://0:{port}/", "http://0.0.0.0:{port}/",
    "http://0x0:{port}/", "http://127.0.0.1%00.a.public.example:{port}/", "http://１２７.０.０.１:{port}/",
    "http://⑫⑦.0.0.1:{port}/", "http://127。0。0。1:{port}/",
    # IPv6
    "http://[::1]:{port}/", "http://[0:0:0:0:0:0:0:1]:{port}/", "http://[::]:{port}/", "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/", "http://[::127.0.0.1]:{port}/", "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/", "http://[2002:7f00:1::]:{port}/", "http://[fe80::1%25lo]:{port}/",
    "http://[fe80::1%lo]:{port}/", "http://[::1%25lo]:{port}/", "http://[fd00:ec2::254]:{port}/",
    "http://[ff02::1]:{port}/", "http://::1:{port}/", "http://[127.0.0.1]:{port}/",
    # other networks by number
    "http://10.0.0.1:{port}/", "http://172.31.0.1:{port}/", "http://192.168.0.1:{port}/", "http://100.100.100.200:{port}/",
    "http://169.254.169.254:{port}/latest/meta-data/", "http://2852039166:{port}/", "http://0xA9FEA9FE:{port}/",
    "http://0251.0376.0251.0376:{port}/", "http://[::ffff:a9fe:a9fe]:{port}/", "http://169.254.170.2:{port}/v2/credentials",
    "http://224.0.0.1:{port}/", "http://255.255.255.255:{port}/",
    # names
    *(f"http://{name}:{{port}}/" for name in NAMES if "public.example" not in name),
    # users, other schemes, other parsers
    "http://a.public.example@127.0.0.1:{port}/", "http://user:pass@a.public.example:{port}/", "http://@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}@a.public.example/", "http://a.public.example:80@127.0.0.1:{port}/",
    "http://a.public.example\\@127.0.0.1:{port}/", "http://127.0.0.1:{port}\\.a.public.example/",
    "http://a.public.example#@127.0.0.1:{port}/", "http://127.0.0.1:{port}#.a.public.example/",
    "http://a.public.example:{port}:80/", "http:// 127.0.0.1:{port}/", "http://127.0.0.1:{port} .a.public.example/",
    "http://a.public.example/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n", "http://a.public.example\t:{port}/",
    "//127.0.0.1:{port}/", "http:127.0.0.1:{port}/", "http:/127.0.0.1:{port}/", "http:///127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/", "gopher://127.0.0.1:{port}/_GET", "file:///etc/passwd", "unix:///var/run/docker.sock",
    "dict://127.0.0.1:{port}/", "ws://127.0.0.1:{port}/", "http+unix://127.0.0.1:{port}/",
    # public hosts, denied ports
    "http://a.public.example:25/", "http://a.public.example:22/", "http://a.public.example:6379/",
    "http://a.public.example:9001/2018-06-01/runtime/invocation/next", "http://a.public.example:0/",
]  # fmt: skip

LEGAL = [
    ("http://a.public.example/", "a.public.example", "93.184.215.14", 80),
    ("http://A.Public.Example:8080/x?y=%2B1", "a.public.example:8080", "93.184.215.14", 8080),
    ("http://a.public.example.:81/", "a.public.example:81", "93.184.215.14", 81),
    ("http://two.public.example:3000/", "two.public.example:3000", "93.184.215.14", 3000),
    ("http://8.8.8.8/", "8.8.8.8", "8.8.8.8", 80),
    ("http://8.8.8.8:65535/", "8.8.8.8:65535", "8.8.8.8", 65535),
    ("http://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8000/", "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8000",
     "2606:2800:21f:cb07:6820:80da:af6b:8b2c", 8000),
    ("http://172.15.0.1/", "172.15.0.1", "172.15.0.1", 80),
    ("http://a.public.example?only=query", "a.public.example", "93.184.215.14", 80),
]  # fmt: skip


class Network:
    """Resolves `NAMES`, and leads every connection to one receiver, noting the address that was meant."""

    def __init__(self, receiver: Receiver, names: dict[str, list[str]] = NAMES) -> None:
        self._port, self._names = receiver.port, names
        self.dialled: list[tuple[str, int]] = []
        self.asked: list[str] = []

    def resolve(self, host: str, timeout: float) -> Sequence[Address]:
        self.asked.append(host)
        if host not in self._names:
            raise Unresolved(f"the name {host} does not resolve")
        return [ip_address(text) for text in self._names[host]]

    def dial(self, address: Address, port: int, timeout: float) -> socket.socket:
        self.dialled.append((str(address), port))
        return socket.create_connection(("127.0.0.1", self._port), timeout)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def local(answer: Answer, patience: Patience = QUICK) -> Iterator[tuple[SafeEgress, Receiver, str]]:
    with receiving(answer) as receiver:
        egress = SafeEgress(allow_loopback=True, patience=patience)
        yield egress, receiver, f"http://127.0.0.1:{receiver.port}/"


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_target_is_never_connected_to(url: str, receiver: Receiver) -> None:
    network = Network(receiver)
    attempt = SafeEgress(resolve=network.resolve, dial=network.dial).send(
        "GET", url.format(port=receiver.port), {}, b""
    )
    assert attempt.status is None and attempt.error
    assert network.dialled == [] and receiver.accepted == 0


@pytest.mark.parametrize("url", [url for url in HOSTILE if "example" not in url])
def test_nor_is_it_with_the_real_resolver_and_real_sockets(url: str, receiver: Receiver) -> None:
    attempt = SafeEgress(patience=QUICK).send("GET", url.format(port=receiver.port), {}, b"")
    assert attempt.status is None and attempt.error
    assert receiver.accepted == 0


def test_there_are_at_least_sixty_hostile_targets() -> None:
    assert len(set(HOSTILE)) >= 60


@pytest.mark.parametrize(("url", "host", "address", "port"), LEGAL)
def test_a_legal_target_is_reached_at_its_own_address(
    url: str, host: str, address: str, port: int, receiver: Receiver
) -> None:
    network = Network(receiver)
    attempt = SafeEgress(resolve=network.resolve, dial=network.dial).send("GET", url, {}, b"")
    assert (attempt.status, attempt.error) == (200, "")
    assert network.dialled == [(address, port)]
    assert f"\r\nHost: {host}\r\n".encode() in receiver.requests[0]


def test_a_name_that_changes_after_the_check_changes_nothing(receiver: Receiver) -> None:
    names = {"rebinding.example": ["93.184.215.14"]}
    network = Network(receiver, names)

    def resolve(host: str, timeout: float) -> Sequence[Address]:
        found = network.resolve(host, timeout)
        names["rebinding.example"] = ["127.0.0.1"]  # whoever asks again is led home
        return found

    attempt = SafeEgress(resolve=resolve, dial=network.dial).send("GET", "http://rebinding.example/", {}, b"")
    assert attempt.status == 200
    assert network.asked == ["rebinding.example"] and network.dialled == [("93.184.215.14", 80)]


def test_the_next_attempt_checks_the_name_again(receiver: Receiver) -> None:
    names = {"rebinding.example": ["93.184.215.14"]}
    network = Network(receiver, names)
    egress = SafeEgress(resolve=network.resolve, dial=network.dial)
    assert egress.send("GET", "http://rebinding.example/", {}, b"").status == 200
    names["rebinding.example"] = ["127.0.0.1"]
    assert egress.send("GET", "http://rebinding.example/", {}, b"").status is None
    assert receiver.accepted == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["http://169.254.169.254/latest/", "http://127.0.0.1:{port}/", "/again"])
def test_a_redirect_is_not_followed(code: int, place: str) -> None:
    with receiving() as home, receiving(status(code, f"Location: {place.format(port=home.port)}\r\n")) as receiver:
        network = Network(receiver)
        attempt = SafeEgress(resolve=network.resolve, dial=network.dial).send(
            "GET", "http://a.public.example/", {}, b""
        )
        assert (attempt.status, attempt.error) == (code, f"answered {code}")
        assert len(network.dialled) == 1 and home.accepted == 0


def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        network = Network(receiver)
        attempt = SafeEgress(resolve=network.resolve, dial=network.dial).send(
            "GET", "http://a.public.example/", {}, b""
        )
        assert attempt.status == 200 and proxy.accepted == 0 and network.dialled == [("93.184.215.14", 80)]


def test_the_next_address_is_tried_when_the_first_refuses(receiver: Receiver) -> None:
    network = Network(receiver)

    def dial(address: Address, port: int, timeout: float) -> socket.socket:
        if address.version == 4:
            network.dialled.append((str(address), port))
            raise ConnectionRefusedError
        return network.dial(address, port, timeout)

    attempt = SafeEgress(resolve=network.resolve, dial=dial).send("GET", "http://two.public.example/", {}, b"")
    assert attempt.status == 200 and len(network.dialled) == 2


def test_a_post_carries_its_body_and_length() -> None:
    for egress, receiver, url in local(OK):
        assert egress.send("POST", url, {"Content-Type": "application/json"}, b'{"a":1}').status == 200
        head, body = receiver.requests[0].split(b"\r\n\r\n")
        assert head.startswith(b"POST / HTTP/1.1\r\nHost: 127.0.0.1:") and b"Content-Length: 7" in head
        assert body == b'{"a":1}'


def test_a_header_cannot_begin_another() -> None:
    for egress, receiver, url in local(OK):
        attempt = egress.send("GET", url, {"webhook-id": "a\r\nX-Evil: 1"}, b"")
        assert attempt.status is None and receiver.requests in ([], [b""])


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [("Retry-After: 120\r\n", 120.0), ("Retry-After: soon\r\n", None), ("Retry-After: -5\r\n", None), ("", None)],
)
def test_retry_after_is_read_from_the_answer(answer: str, seconds: float | None) -> None:
    for egress, _, url in local(status(503, answer)):
        attempt = egress.send("GET", url, {}, b"")
        assert (attempt.status, attempt.retry_after) == (503, seconds)


def test_what_comes_before_the_final_answer_is_passed_over() -> None:
    interim = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    )
    for egress, _, url in local(says(interim + b"HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno")):
        attempt = egress.send("POST", url, {}, b"{}")
        assert (attempt.status, attempt.retry_after) == (503, 7.0)


def test_an_error_of_our_own_is_an_attempt_that_failed(caplog: pytest.LogCaptureFixture) -> None:
    def resolve(host: str, timeout: float) -> Sequence[Address]:
        raise RuntimeError("nobody thought of this")

    attempt = SafeEgress(resolve=resolve).send("GET", "http://a.example/", {}, b"")
    assert (attempt.status, attempt.error) == (None, "an error of the gateway's own")
    assert "nobody thought of this" in caplog.text


def drip(piece: bytes, first: bytes = b"") -> Answer:
    def answer(connection: socket.socket) -> None:
        connection.sendall(first)
        while True:
            connection.sendall(piece)
            time.sleep(0.02)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        drip(b"H"),
        drip(b"X-Slow: 1\r\n", b"HTTP/1.1 200 OK\r\n"),
        drip(b"HTTP/1.1 100 Continue\r\n\r\n"),
        drip(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        drip(b"", b"HTTP/1.1 200 OK\r\n"),
    ],
    ids=["status line", "headers", "continues", "hints", "silence"],
)
def test_an_answer_that_drips_is_cut_off_at_the_deadline(answer: Answer) -> None:
    for egress, _, url in local(answer):
        attempt = egress.send("GET", url, {}, b"")
        assert attempt.status is None and attempt.error
        assert attempt.seconds < QUICK.total_s + 0.4


def test_a_body_that_never_ends_does_not_hold_up_a_success() -> None:
    for egress, _, url in local(drip(b"x", b"HTTP/1.1 200 OK\r\n\r\n"), Patience(drain_s=0.2)):
        attempt = egress.send("GET", url, {}, b"")
        assert attempt.status == 200 and attempt.seconds < 1


def test_no_more_of_an_answer_is_read_than_its_limit() -> None:
    for egress, _, url in local(drip(b"x" * ANSWER_BYTES, b"HTTP/1.1 200 OK\r\n\r\n"), Patience(drain_s=10)):
        attempt = egress.send("GET", url, {}, b"")
        assert attempt.status == 200 and attempt.seconds < 5  # else it would have read for 10 s


NO_HTTP = {
    "blank": b"\r\n",
    "words": b"nonsense\r\n\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "bad status": b"HTTP/1.1 abc OK\r\n\r\n",
    "zeros": b"\x00" * 1000,
    "long line": b"H" * 200_000,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000,
    "ssh": b"SSH-2.0-OpenSSH_9.9\r\n",
}


@pytest.mark.parametrize("raw", NO_HTTP.values(), ids=NO_HTTP)
def test_an_answer_that_is_no_http_is_a_failure_in_words(raw: bytes) -> None:
    for egress, _, url in local(says(raw), Patience(total_s=2)):
        attempt = egress.send("GET", url, {}, b"")
        assert attempt.status is None
        assert attempt.error in {"the answer was no HTTP", "the connection broke off"}


def test_a_connection_closed_without_an_answer_is_a_failure_in_words() -> None:
    for egress, _, url in local(says(b"")):
        assert egress.send("GET", url, {}, b"").error == "the connection broke off"


def test_a_refused_connection_is_a_failure_in_words() -> None:
    with receiving() as receiver:
        pass
    attempt = SafeEgress(allow_loopback=True).send("GET", f"http://127.0.0.1:{receiver.port}/", {}, b"")
    assert (attempt.status, attempt.error) == (None, "the connection was refused")


def test_a_connection_that_never_opens_is_given_up_in_time(receiver: Receiver) -> None:
    def dial(address: Address, port: int, timeout: float) -> socket.socket:
        time.sleep(timeout)
        raise TimeoutError

    network = Network(receiver)
    attempt = SafeEgress(resolve=network.resolve, dial=dial, patience=QUICK).send(
        "GET", "http://two.public.example/", {}, b""
    )
    assert attempt.error == "no connection within 0.3 s" and attempt.seconds < 0.6


def test_a_name_server_that_hangs_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    hang = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: hang.wait(10) and [])
    attempt = SafeEgress(patience=QUICK).send("GET", "http://slow.example/", {}, b"")
    hang.set()
    assert attempt.status is None and "did not resolve within" in attempt.error and attempt.seconds < 0.6


def test_a_host_is_checked_when_it_is_saved(receiver: Receiver) -> None:
    egress = SafeEgress(resolve=Network(receiver).resolve)
    assert egress.check_host("a.public.example") == ""
    assert egress.check_host("not-yet.example") == "the name not-yet.example does not resolve"
    with pytest.raises(Refused):
        egress.check_host("first-public.example")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


class TlsReceiver(Receiver):
    """Answers over TLS with one certificate; keeps the server names it was asked for."""

    def __init__(self, chain: Path) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain)
        self.names: list[str | None] = []
        self.context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        super().__init__(OK)

    def _serve(self, connection: socket.socket) -> None:
        try:
            super()._serve(self.context.wrap_socket(connection, server_side=True))
        except OSError:
            connection.close()


@pytest.mark.parametrize(
    ("url", "subject", "error"),
    [
        ("https://a.public.example/", "a.public.example", ""),
        ("https://8.8.8.8:8443/", "8.8.8.8", ""),
        ("https://a.public.example/", "b.public.example", "the certificate is not accepted: Hostname mismatch"),
        ("https://a.public.example/", "93.184.215.14", "the certificate is not accepted: Hostname mismatch"),
    ],
)
def test_the_certificate_must_be_for_the_name_that_was_configured(
    url: str, subject: str, error: str, authority: Authority
) -> None:
    receiver = TlsReceiver(authority.issue(subject))
    network = Network(receiver)
    attempt = SafeEgress(resolve=network.resolve, dial=network.dial, tls=authority.context).send("GET", url, {}, b"")
    receiver.stop()
    assert attempt.error.startswith(error) and (attempt.status == 200) == (not error)
    assert receiver.names == [None if "8.8.8.8" in url else "a.public.example"]
    assert len(receiver.requests) == (0 if error else 1)


def test_a_certificate_of_an_unknown_authority_is_not_accepted(authority: Authority) -> None:
    receiver = TlsReceiver(authority.issue("a.public.example"))
    network = Network(receiver)
    attempt = SafeEgress(resolve=network.resolve, dial=network.dial).send("GET", "https://a.public.example/", {}, b"")
    receiver.stop()
    assert attempt.error.startswith("the certificate is not accepted") and receiver.requests == []


def test_a_handshake_that_hangs_is_cut_off() -> None:
    hang = threading.Event()
    with receiving(lambda _connection: hang.wait(10) and None) as receiver:
        url = f"https://127.0.0.1:{receiver.port}/"
        attempt = SafeEgress(allow_loopback=True, patience=QUICK).send("GET", url, {}, b"")
        hang.set()
    assert attempt.status is None and attempt.seconds < QUICK.total_s + 0.4
