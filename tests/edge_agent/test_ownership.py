"""What root writes at a site is its service's, and whoever may not use a site is told as whom to come back."""

import asyncio
import os
import pwd
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.__main__ import main
from edge_agent.clock import Clock
from edge_agent.config import load
from edge_agent.core import open_journal
from edge_agent.modem.pin_ledger import PinLedger
from edge_agent.ownership import hand_over
from tests.edge_agent.test_enroll import CODE, NOWHERE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
SERVICE, NOBODY = 1, 65534
NAME = pwd.getpwuid(SERVICE).pw_name if os.geteuid() == 0 else ""


@pytest.fixture
def site() -> Iterator[Path]:
    """A configuration that all may read beside the folder of a service; not below pytest's own, which is root's."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "state").mkdir(mode=0o700)
    os.chown(folder / "state", SERVICE, SERVICE)
    (folder / "agent.toml").write_text('[journal]\npath = "state/journal.db"\n[modems]\nports = ["/dev/no-port"]\n')
    yield folder
    shutil.rmtree(folder)


def owners(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_uid for file in folder.iterdir()}


def test_a_journal_that_root_opens_is_the_service_s(site: Path) -> None:
    async def main() -> None:
        journal = open_journal(load(site / "agent.toml", {}, cloud=False), Clock())
        assert owners(site / "state") == {
            "journal.db": SERVICE, "journal.db-wal": SERVICE, "journal.db-shm": SERVICE, "journal.lock": SERVICE
        }  # fmt: skip
        journal.close()

    asyncio.run(main())


def test_the_ledger_of_pins_that_root_writes_is_the_service_s(site: Path) -> None:
    PinLedger(site / "state" / "pins.json").begin(("imei",), "1234")
    assert owners(site / "state") == {"pins.json": SERVICE}


@pytest.mark.parametrize("of_service", ["etc", "state"])
def test_a_credential_that_root_asks_for_is_the_service_s_also_where_the_trade_s_end_was_not_seen(
    site: Path, of_service: str
) -> None:
    """By the owner of its own folder, else by that of the journal's."""
    etc = site / "etc"
    etc.mkdir()
    (site / "agent.toml").rename(etc / "agent.toml")
    if of_service == "etc":
        os.chown(etc, SERVICE, SERVICE)
        (etc / "agent.toml").write_text("[journal]\n")
    else:
        (etc / "agent.toml").write_text(f'[journal]\npath = "{site}/state/journal.db"\n')
    assert main(["enroll", "--url", NOWHERE, "--code", CODE, "--config", str(etc / "agent.toml")]) == 1
    assert owners(etc)["credential.pending"] == SERVICE


def test_a_link_and_what_is_another_s_already_are_left_alone(site: Path) -> None:
    state, secret = site / "state", site / "secret"
    secret.write_text("root's own")
    (state / "link").symlink_to(secret)
    (state / "hard").hardlink_to(secret)
    (state / "nobody").touch()
    os.chown(state / "nobody", NOBODY, NOBODY)
    hand_over([state / "link", state / "hard", state / "nobody", state / "none"], state)
    assert (secret.stat().st_uid, (state / "nobody").stat().st_uid) == (0, NOBODY)
    mine = site / "mine"
    mine.touch()
    hand_over([mine], site)
    assert mine.stat().st_uid == 0


def as_nobody(*words: str) -> tuple[int, str]:
    """The command as that user runs it, with what it says. Forked, as nobody may not read root's Python."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os.dup2(write, 1)
        os.dup2(write, 2)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
        code = 99
        try:
            code = main(list(words))
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(write)
    with os.fdopen(read) as said:
        told = said.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told


@pytest.mark.parametrize("words", [("status",), ("probe",), ("ussd", "*100#"), ("send", "+49151", "hi")])
def test_another_user_is_told_in_one_line_as_whom_to_come_back(site: Path, words: tuple[str, ...]) -> None:
    code, told = as_nobody(*words, "--config", str(site / "agent.toml"))
    (line,) = told.splitlines()
    assert (code, f"is for {NAME} only" in line, f"sudo -u {NAME} …" in line) == (1, True, True), told


def test_a_configuration_that_another_user_may_not_read_is_told_so_too(site: Path) -> None:
    (site / "agent.toml").chmod(0o600)
    code, told = as_nobody("status", "--config", str(site / "agent.toml"))
    (line,) = told.splitlines()
    assert (code, "is for root only" in line, "sudo …" in line) == (78, True, True), told


def test_doctor_tells_another_user_and_root_whose_site_it_is(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "agent.toml").write_text('[cloud]\nurl = "ws://127.0.0.1:9/live"\n' + (site / "agent.toml").read_text())
    code, told = as_nobody("doctor", "--config", str(site / "agent.toml"))
    assert (code, "BAD  journal: this user may not use" in told, f"sudo -u {NAME} …" in told) == (1, True, True), told
    assert main(["doctor", "--config", str(site / "agent.toml")]) == 1
    said = capsys.readouterr().out
    assert f"root may use what {NAME} may not" in said
    assert "ok   journal:" in said
    assert owners(site / "state") == {}
