"""The site's side of enrolment, against a door that answers handshakes as the cloud does."""

import asyncio
import hashlib
import stat
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from websockets.asyncio.server import Request, Response, ServerConnection, serve

from edge_agent.__main__ import main
from edge_agent.config import ConfigError
from edge_agent.control import Refused
from edge_agent.enroll import Place, enroll, place_of
from shared import agent_token
from shared.enrolment import DIGEST_HEADER

CODE = "acme.site-1." + "0" * 32
NOWHERE = "ws://127.0.0.1:9/live"


@dataclass
class Door:
    """Trades one code. `loses` answers are lost after the trade; `status` refuses before it."""

    status: int = 0
    loses: int = 0
    digest: str = ""
    seen: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    async def admit(self, socket: ServerConnection, request: Request) -> Response | None:
        code, digest = request.headers["Authorization"], request.headers[DIGEST_HEADER]
        self.seen.append((code, digest))
        if self.status:
            return socket.respond(self.status, "")
        if self.digest not in {"", digest}:
            return socket.respond(409, "")
        self.digest = digest
        if self.loses:
            self.loses -= 1
            socket.transport.abort()
        return None


@asynccontextmanager
async def opened(door: Door):  # type: ignore[no-untyped-def]
    async def idle(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async with serve(idle, "127.0.0.1", 0, process_request=door.admit) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        door.url = f"ws://127.0.0.1:{port}/live"
        yield door


def trade(door: Door, place: Place, code: str = CODE, *, force: bool = False) -> agent_token.AgentToken:
    async def go() -> agent_token.AgentToken:
        async with opened(door):
            return await enroll(door.url, code, place, force=force)

    return asyncio.run(go())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "credential")


def test_the_credential_is_stored_for_its_owner_only_and_never_travels(place: Place) -> None:
    door = Door()
    token = trade(door, place)
    assert agent_token.parse(place.credential.read_text().strip()) == token
    assert stat.S_IMODE(place.credential.stat().st_mode) == 0o600
    ((code, digest),) = door.seen
    assert code == f"Enrol {CODE}" and digest == hashlib.sha256(token.secret.encode()).hexdigest()
    assert [file.name for file in place.credential.parent.iterdir()] == ["credential"]


def test_a_trade_whose_answer_was_lost_is_told_again_with_the_same_secret(place: Place) -> None:
    door = Door(loses=1)
    with pytest.raises(Refused, match="run the same command again"):
        trade(door, place)
    assert not place.credential.exists()
    assert stat.S_IMODE(place.pending.stat().st_mode) == 0o600
    token = trade(door, place)
    assert door.seen[0] == door.seen[1] and token.digest == door.digest


def test_a_cloud_that_cannot_be_reached_costs_nothing(place: Place) -> None:
    with pytest.raises(Refused, match="cannot be reached"):
        asyncio.run(enroll(NOWHERE, CODE, place))
    assert trade(Door(), place)


def test_a_credential_that_is_there_is_replaced_only_if_that_is_asked_for(place: Place) -> None:
    place.credential.write_text("precious")
    door = Door()
    with pytest.raises(Refused, match="--force"):
        trade(door, place)
    assert place.credential.read_text() == "precious" and door.seen == []
    door.status = 401
    with pytest.raises(Refused):
        trade(door, place, force=True)
    assert place.credential.read_text() == "precious"  # not before the new one is in force
    door.status = 0
    trade(door, place, force=True)
    assert agent_token.parse(place.credential.read_text().strip())


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "does not know this code"),
        (409, "was used already"),
        (410, "too old"),
        (403, r"check --url.*HTTP 403"),
        (404, r"check --url.*HTTP 404.*code is still good"),
        (502, "HTTP 502"),
    ],
)
def test_a_refusal_is_told_apart_and_leaves_no_credential(place: Place, status: int, says: str) -> None:
    with pytest.raises(Refused, match=says):
        trade(Door(status=status), place)
    assert not place.credential.exists()
    assert place.pending.exists() == (status not in {401, 409})


def test_another_agents_unfinished_trade_does_not_lend_its_secret(place: Place) -> None:
    with pytest.raises(Refused):
        asyncio.run(enroll(NOWHERE, CODE, place))
    other = trade(Door(), place, CODE.replace("site-1", "site-2"))
    assert other.agent == "site-2"


@pytest.mark.parametrize("code", ["", "x", "acme.site-1", "acme.site-1.", "ACME.site-1.0", "acme site-1 0"])
def test_what_is_no_code_is_told_so_before_anybody_is_asked(place: Place, code: str) -> None:
    with pytest.raises(Refused, match="--code is none"):
        asyncio.run(enroll(NOWHERE, code, place))


@pytest.mark.parametrize("url", ["https://x/live", "ws://example.com/live", "wss://", "wss://user:word@example.com/x"])
def test_a_url_that_would_lead_nowhere_or_show_the_code_is_refused(place: Place, url: str) -> None:
    with pytest.raises(ConfigError, match="--url"):
        asyncio.run(enroll(url, CODE, place))


def test_the_credential_goes_where_the_configuration_will_look_for_it(tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    assert place_of(config) == Place(tmp_path / "credential")
    config.write_text('[cloud]\nurl = "wss://x/live"\ncredential_file = "secret/c"\nca_file = "ca.pem"\n')
    assert place_of(config) == Place(tmp_path / "secret" / "c", tmp_path / "ca.pem")
    config.write_text("is = = no TOML")
    assert place_of(config) == Place(tmp_path / "credential")


def test_a_folder_that_cannot_be_written_is_one_line_and_the_code_is_not_spent(tmp_path: Path) -> None:
    door = Door()
    with pytest.raises(Refused, match="could not be written"):
        trade(door, Place(tmp_path / "missing" / "credential"))
    assert door.seen == []


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def test_the_command_says_what_went_wrong_and_fails(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enroll", "--url", NOWHERE, "--code", CODE]) == 1
    assert "cannot be reached" in capsys.readouterr().err
    assert main(["enroll", "--url", "http://x", "--code", CODE]) == 78
    assert "--url: must look like" in capsys.readouterr().err
