"""`enroll`: trades the one-time code that the operator's `agents add` printed for this site's credential.

Rules: the secret is made here and only its digest travels. It lies on disk before the trade, so that a trade whose
answer was lost is just told again; and a credential that is there already is never replaced unless that was asked for.
"""

import os
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_agent import uplink
from edge_agent.config import Cloud, check_url
from edge_agent.connection import SocketClosed
from edge_agent.control import Refused
from shared import agent_token
from shared.agent_token import AgentToken
from shared.enrolment import DIGEST_HEADER, SCHEME, Answer

_WHY = {
    Answer.UNKNOWN: "the cloud does not know this code; check that it was copied whole, and that --url is of the stack"
    " that printed it",
    Answer.USED: "this code was used already, by another machine or another folder; if that was not you, tell whoever"
    " runs the cloud side. A new one: python -m admin agents rotate",
    Answer.EXPIRED: "this code is too old, it is good for 24 hours; ask for a new one (python -m admin agents rotate)",
}
_NOWHERE = (
    "check --url: it leads to nothing that takes codes (HTTP {status}). It must be the wss:// address with its stage,"
    " as python -m admin agents add printed it; the code is still good"
)
_LOST = {Answer.UNKNOWN, Answer.USED}  # whatever secret was shown with it is of no use any more


@dataclass(frozen=True, slots=True)
class Place:
    """Where the credential goes, and whom the cloud's certificate has to be signed by."""

    credential: Path
    ca_file: Path | None = None

    @property
    def pending(self) -> Path:
        return self.credential.with_name(self.credential.name + ".pending")


def place_of(config: Path) -> Place:
    """As the configuration says, if there is one already; otherwise beside where it will be."""
    folder = config.resolve().parent
    try:
        cloud = tomllib.loads(config.read_text(encoding="utf-8")).get("cloud", {})
    except (OSError, ValueError):  # missing or broken: `run` says more about it
        cloud = {}
    ca_file = cloud.get("ca_file")
    return Place(folder / str(cloud.get("credential_file", "credential")), folder / ca_file if ca_file else None)


async def enroll(url: str, code: str, place: Place, *, force: bool = False) -> AgentToken:
    """The credential, once it is on disk and in force. Raises Refused, ConfigError."""
    check_url(url, "--url")
    one_time = agent_token.parse(code.strip())
    if one_time is None:
        raise Refused("--code is none; it looks like account.agent.0123456789abcdef0123456789abcdef")
    if place.credential.exists() and not force:
        raise Refused(f"{place.credential} holds a credential already; --force replaces it")
    token = _prepared(one_time, place)
    _judge(await _traded(url, one_time, token, place), place)
    _or_refuse(lambda: _settle(place))
    return token


def _prepared(code: AgentToken, place: Place) -> AgentToken:
    """The same secret as last time, if that trade's end was not seen."""
    try:
        told = agent_token.parse(place.pending.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        told = None
    if told is not None and (told.account, told.agent) == (code.account, code.agent):
        return told
    token = agent_token.new(code.account, code.agent)
    _or_refuse(lambda: _write(place.pending, f"{token}\n"))
    return token


async def _traded(url: str, code: AgentToken, token: AgentToken, place: Place) -> int:
    headers = {"Authorization": f"{SCHEME} {code}", DIGEST_HEADER: token.digest}
    try:
        return await uplink.knock(Cloud(url=url, credential="", ca_file=place.ca_file), headers)
    except SocketClosed as closed:
        raise Refused(f"{closed.disconnect.reason}; nothing is lost, run the same command again") from None


def _judge(status: int, place: Place) -> None:
    if status == Answer.TRADED:
        return
    if status in _LOST:
        place.pending.unlink(missing_ok=True)
    why = _NOWHERE.format(status=status) if status in {403, 404} else None
    why = _WHY.get(Answer(status), why) if status in set(Answer) else why
    raise Refused(why or f"the cloud did not take the code (HTTP {status}); run the same command again in a minute")


def _settle(place: Place) -> None:
    place.pending.replace(place.credential)
    _sync(place.credential.parent)


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and for the owner only from its first moment (mkstemp makes files 0600)."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(number)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """The name of a file is on disk only once its folder is."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _or_refuse(write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        raise Refused(f"the credential could not be written: {error}") from None
