"""WebSocket connections through the gateway: admitted, heard, posted to, cut."""

import json
import socket
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import boto3
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

HEADERS = {"Authorization": "secret"}


@pytest.fixture
def url(probe):
    return probe.deployment.outputs["SocketUrl"]


@pytest.fixture
def api(probe):
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    return boto3.client("apigatewaymanagementapi", endpoint_url=f"{probe.cloud.control_url}/live", **keys)


def _open(url, **headers):
    return connect(url, additional_headers=headers or HEADERS, compression=None)


def _ask(socket, **fields):
    socket.send(json.dumps(fields))
    return json.loads(socket.recv(timeout=20))


def _id(socket):
    return _ask(socket)["event"]["requestContext"]["connectionId"]


def _refusal(url, **headers):
    with pytest.raises(InvalidStatus) as refused:
        connect(url, additional_headers=headers, compression=None)
    return refused.value.response.status_code


def test_a_frame_reaches_its_function_which_posts_back(url):
    with _open(url) as socket:
        event = _ask(socket, tag="first")["event"]
    assert json.loads(event["body"]) == {"tag": "first"}
    assert event["requestContext"]["routeKey"] == "$default"
    assert event["requestContext"]["eventType"] == "MESSAGE"


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html")
def test_every_frame_bears_what_the_authorizer_said(url):
    with _open(url) as socket:
        for _ in range(2):
            carried = _ask(socket)["event"]["requestContext"]["authorizer"]
            assert carried["principalId"] == "principal of secret"
            assert (carried["level"], carried["trusted"]) == ("3", "true")


def test_the_authorizer_sees_headers_and_query(url):
    with _open(f"{url}?site=north") as socket:
        seen = json.loads(_ask(socket)["event"]["requestContext"]["authorizer"]["event"])
    assert seen["queryStringParameters"] == {"site": "north"}
    assert seen["methodArn"].endswith("/live/$connect")
    assert seen["requestContext"]["routeKey"] == "$connect"
    assert seen["type"] == "REQUEST"


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html")
def test_connections_without_identity_or_right_are_refused(url):
    assert _refusal(url) == 401  # the identity source is missing: the function is not even asked
    assert _refusal(url, Authorization="nobody") == 401
    assert _refusal(url, Authorization="denied") == 403
    assert _refusal(url, Authorization="broken") == 500
    assert _refusal(url.replace("/live", "/other"), Authorization="secret") == 403


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html")
def test_the_connect_function_may_refuse_and_may_fail(url):
    assert _refusal(f"{url}?status=429", Authorization="secret") == 429
    assert _refusal(f"{url}?raise=1", Authorization="secret") == 502


@pytest.mark.aws("https://repost.aws/knowledge-center/410-gone-api-gateway")
def test_nothing_can_be_posted_from_within_connect(url, notes, eventually):
    with _open(f"{url}?post=1") as socket:
        assert _id(socket)
    assert eventually(lambda: notes("early")) == [{"gone": True}]


@pytest.mark.aws("lambda/latest/dg/lambda-concurrency.html")
def test_frames_of_one_connection_are_handled_side_by_side(url):
    with _open(url) as socket:
        socket.send(json.dumps({"do": "sleep", "seconds": 1.5, "tag": "slow"}))
        socket.send(json.dumps({"tag": "quick"}))
        assert [json.loads(socket.recv(timeout=20))["tag"] for _ in range(2)] == ["quick", "slow"]


@pytest.mark.aws("apigateway/latest/developerguide/websocket-api-develop-routes.html")
def test_a_function_that_fails_is_told_to_the_client(url):
    with _open(url) as socket:
        answer = _ask(socket, do="raise")
    assert answer["message"] == "Internal server error"
    assert {"connectionId", "requestId"} <= set(answer)


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html")
def test_a_frame_over_32_kb_closes_the_connection(url):
    with _open(url) as socket:
        socket.send("x" * (32 * 1024 + 1))
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=20)
    assert closed.value.rcvd.code == 1009


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html")
def test_a_message_over_128_kb_closes_the_connection(url):
    with _open(url) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.send(["x" * 32 * 1024] * 4 + ["x"])  # may be told of the end while its last frame is under way
        socket.recv(timeout=20)
    assert closed.value.rcvd.code == 1009


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html")
def test_a_message_of_several_frames_comes_whole(url):
    text = json.dumps({"tag": "long", "filler": "x" * 60_000})
    with _open(url) as socket:
        socket.send([text[:30_000], text[30_000:60_000], text[60_000:]])
        assert json.loads(socket.recv(timeout=20))["event"]["body"] == text


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html")
def test_a_long_post_goes_out_in_frames_of_at_most_32_kb(url):
    with _open(url) as socket:
        socket.send(json.dumps({"padding": 60_000}))
        frames = list(socket.recv_streaming())
    assert len(frames) > 1
    assert all(len(frame.encode()) <= 32 * 1024 for frame in frames)
    assert json.loads("".join(frames))["padding"] == "x" * 60_000


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html")
def test_a_connection_can_be_looked_at_and_deleted(url, api):
    with _open(url) as socket:
        connection = _id(socket)
        assert api.get_connection(ConnectionId=connection)["Identity"]["SourceIp"] == "127.0.0.1"
        api.delete_connection(ConnectionId=connection)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=20)


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html")
def test_a_post_to_a_connection_that_is_gone_says_so(url, api, eventually):
    with _open(url) as socket:
        connection = _id(socket)

    def gone():
        try:
            api.post_to_connection(ConnectionId=connection, Data=b"{}")
        except api.exceptions.GoneException:
            return True
        return False

    assert eventually(gone)
    with pytest.raises(api.exceptions.GoneException):
        api.get_connection(ConnectionId="never-was=")


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html")
def test_a_post_over_128_kb_is_refused(url, api):
    with _open(url) as socket, pytest.raises(api.exceptions.ClientError) as refused:
        api.post_to_connection(ConnectionId=_id(socket), Data=b"x" * (128 * 1024 + 1))
    assert refused.value.response["Error"]["Code"] == "PayloadTooLargeException"


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html")
def test_posts_can_be_made_to_fail_and_to_get_lost(probe, url, api):
    with _open(url) as socket:
        connection = _id(socket)
        probe.set_faults(fail_posts=[429], lose_posts=1)
        with pytest.raises(api.exceptions.LimitExceededException):
            _post_once(api, connection, b"refused")
        _post_once(api, connection, b"lost")
        _post_once(api, connection, b"kept")
        assert socket.recv(timeout=20) == "kept"


@pytest.mark.aws("https://docs.aws.amazon.com/goto/WebAPI/apigatewaymanagementapi-2018-11-29/PostToConnection")
def test_posts_to_a_client_that_does_not_read_are_refused_in_the_end(probe, url, api, eventually):
    before = set(probe.connections())
    with _deaf(url):
        (connection,) = eventually(lambda: set(probe.connections()) - before)
        taken = 0
        with pytest.raises(api.exceptions.LimitExceededException):
            while taken < 100:
                _post_once(api, connection, b"x" * 120_000)
                taken += 1
        assert taken  # what its buffers hold is not refused
        with _open(url) as other:
            _post_once(api, _id(other), b"a client that reads")
            assert other.recv(timeout=20) == "a client that reads"


def _deaf(url):
    """A connection whose client takes no more than the answer to its handshake. The library's own would read on."""
    where = urlsplit(url)
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect((where.hostname, where.port))
    head = {"Host": where.netloc, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    head |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **HEADERS}
    lines = [f"GET {where.path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    raw.sendall("\r\n".join(lines).encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += raw.recv(1)
    assert answer.startswith(b"HTTP/1.1 101 ")
    return raw


def _post_once(api, connection, data):
    """Without the SDK's retries, which would hide a single refusal."""
    url = f"{api.meta.endpoint_url}/@connections/{connection.replace('=', '%3D')}"
    try:
        with urlopen(Request(url, data), timeout=10) as answer:
            assert answer.status == 200
    except HTTPError as refusal:
        with refusal:
            name = refusal.headers["x-amzn-ErrorType"]
        raise api.exceptions.from_code(name)({"Error": {"Code": name}}, "PostToConnection") from None


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html")
def test_a_client_that_is_silent_for_ten_minutes_is_cut(probe, url, notes, eventually):
    with _open(url) as socket:
        connection = _id(socket)
        probe.turn_clock(9 * 60)
        assert _id(socket) == connection
        probe.turn_clock(9 * 60)
        assert _id(socket) == connection  # it spoke in between
        probe.turn_clock(10 * 60 + 1)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=20)
    assert closed.value.rcvd.code == 1001
    told = eventually(lambda: [each for each in _disconnects(notes) if each["connectionId"] == connection])
    assert told[0]["disconnectStatusCode"] == 1001


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html")
def test_a_connection_ends_after_two_hours_however_busy(probe, url):
    with _open(url) as socket:
        for _ in range(14):
            probe.turn_clock(8.5 * 60)
            assert _id(socket)
        probe.turn_clock(60 + 1)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=20)


def _disconnects(notes):
    return [each["event"]["requestContext"] for each in notes("disconnect")]


@pytest.mark.aws("apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html")
def test_a_disconnect_is_told_unless_it_is_dropped(probe, url, notes, eventually):
    with _open(url) as first:
        told = _id(first)
    eventually(lambda: told in [each["connectionId"] for each in _disconnects(notes)])
    probe.set_faults(drop_disconnects=True)
    try:
        with _open(url) as second:
            untold = _id(second)
        eventually(lambda: untold not in probe.connections())
    finally:
        probe.set_faults(drop_disconnects=False)
    with _open(url) as third:
        last = _id(third)
    eventually(lambda: last in [each["connectionId"] for each in _disconnects(notes)])
    assert untold not in [each["connectionId"] for each in _disconnects(notes)]
