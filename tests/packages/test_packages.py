"""The agent's packages, installed as a person would and started: in an empty virtual environment, and in a bare Debian.

`make test-dist` builds them first. The Debian is made once by debootstrap (root, and Debian's mirror), then copied.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import Server, ServerConnection, serve

ROOT = Path(__file__).parent.parent.parent
DIST = ROOT / "dist"
BASE = ROOT / ".local" / "cache" / "debian-bookworm"
CREDENTIAL = "acme.hamburg.0123456789abcdef0123456789abcdef0123456789a"
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}  # what root has, and no variable of ours
pytestmark = pytest.mark.timeout(900)


@dataclass
class Cloud:
    """Takes the first frame of whoever connects."""

    hellos: list[dict[str, Any]] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)
    server: Server | None = None

    def take(self, connection: ServerConnection) -> None:
        assert connection.request
        self.credentials.append(connection.request.headers["Authorization"])
        self.hellos.append(json.loads(connection.recv()))
        connection.recv()  # until it ends

    @property
    def url(self) -> str:
        assert self.server
        return f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}/live"

    def wait_for_hello(self, agent: "subprocess.Popen[str]") -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while not self.hellos:
            assert agent.poll() is None, f"the agent has ended: {agent.communicate()}"
            assert time.monotonic() < deadline, "no hello in time"
            time.sleep(0.05)
        return self.hellos[0]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    made = Cloud()
    with serve(made.take, "127.0.0.1", 0) as server:
        made.server = server
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield made


def only(pattern: str) -> Path:
    found = list(DIST.glob(pattern))
    assert len(found) == 1, f"dist/{pattern}: {found}; `make test-dist` builds it"
    return found[0]


def run(*command: object) -> str:
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def configured(folder: Path, url: str, journal: str) -> Path:
    """A site's configuration, enrolled before."""
    config = folder / "agent.toml"
    pins = Path(journal).with_name("pins.json")
    config.write_text(f'[cloud]\nurl = "{url}"\n[journal]\npath = "{journal}"\n[modems]\npin_ledger = "{pins}"\n')
    secret = folder / "credential"
    secret.touch(mode=0o600)
    secret.write_text(CREDENTIAL)
    return config


def started(command: Sequence[object], umask: int = 0o22) -> "subprocess.Popen[str]":
    words = [str(each) for each in command]
    return subprocess.Popen(
        words, umask=umask, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    )


def stops_when_told(agent: "subprocess.Popen[str]") -> bool:
    agent.send_signal(signal.SIGTERM)
    try:
        return agent.wait(10) == 0
    finally:
        agent.kill()


def test_the_wheel_runs_in_an_empty_environment_and_brings_nothing_of_aws(tmp_path: Path, cloud: Cloud) -> None:
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", venv)
    subprocess.run([venv / "bin" / "pip", "install", "-q", only("spanbridge-*.whl")], check=True, capture_output=True)
    names = {each["name"].lower() for each in json.loads(run(venv / "bin" / "pip", "list", "--format", "json"))}
    assert names >= {"spanbridge", "pydantic", "websockets", "pyserial"}
    assert not {name for name in names if name.startswith(("boto", "aws", "moto", "aiohttp"))}
    config = configured(tmp_path, cloud.url, str(tmp_path / "journal.db"))
    agent = started([venv / "bin" / "spanbridge-agent", "run", "--config", config])
    assert cloud.wait_for_hello(agent)["kind"] == "hello"
    assert stops_when_told(agent)


def test_the_wheel_holds_the_agent_and_what_it_shares_and_no_more() -> None:
    files = [name for name in zipfile.ZipFile(only("spanbridge-*.whl")).namelist() if ".dist-info/" not in name]
    folders = {name.rpartition("/")[0] for name in files}
    assert folders == {"edge_agent", "edge_agent/modem", "edge_agent/simulator", "edge_agent/site", "shared"}


@pytest.fixture(scope="module")
def base() -> Path:
    if not (BASE / "usr").is_dir():
        assert os.geteuid() == 0, "a clean root takes root to make"
        assert shutil.which("debootstrap"), "a clean root is made by debootstrap: apt-get install debootstrap"
        half = BASE.with_suffix(".new")
        shutil.rmtree(half, ignore_errors=True)
        subprocess.run(["debootstrap", "--variant=minbase", "--include=python3,adduser", "bookworm", half], check=True)
        half.rename(BASE)
    return BASE


class Debian:
    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *command: str) -> str:
        return run("chroot", self.root, *command)

    def unit(self, key: str) -> str:
        text = (self.root / "usr/lib/systemd/system/spanbridge-agent.service").read_text()
        [value] = [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]
        return value

    def start(self) -> "subprocess.Popen[str]":
        """As the unit says: its command, user, group and umask."""
        user, group = self.unit("User"), self.unit("SupplementaryGroups")
        return started(
            ["chroot", f"--userspec={user}:{user}", f"--groups={group}", self.root, *self.unit("ExecStart").split()],
            int(self.unit("UMask"), 8),
        )


@pytest.fixture(scope="module")
def debian(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Debian]:
    folder = tmp_path_factory.mktemp("debian")
    subprocess.run(["cp", "-a", f"{base}/.", folder], check=True)
    made = Debian(folder)
    shutil.copy(only("spanbridge-agent_*_amd64.deb"), folder / "agent.deb")
    made.run("dpkg", "--install", "/agent.deb")
    yield made
    shutil.rmtree(folder)


def test_the_debian_package_installs_in_a_bare_system_and_starts_as_its_own_user(debian: Debian, cloud: Cloud) -> None:
    assert "dialout" in debian.run("id", "-nG", "spanbridge")
    for command in ("--version", "--help"):
        assert debian.run("/usr/bin/spanbridge-agent", command)
    configured(debian.root / "etc/spanbridge", cloud.url, "/var/lib/spanbridge-agent/journal.db")
    debian.run("chown", "-R", "spanbridge:spanbridge", "/etc/spanbridge")
    agent = debian.start()
    assert cloud.wait_for_hello(agent)["kind"] == "hello"
    assert cloud.credentials == [f"Bearer {CREDENTIAL}"]
    assert stops_when_told(agent)
    journal = debian.root / "var/lib/spanbridge-agent/journal.db"
    owner = int(debian.run("id", "-u", "spanbridge"))
    assert (journal.stat().st_uid, journal.stat().st_mode & 0o077) == (owner, 0)


def test_the_unit_and_the_rule_are_those_of_the_checkout(debian: Debian) -> None:
    site = ROOT / "edge_agent" / "site"
    unit = (site / "spanbridge-agent.service").read_text().splitlines()
    packed = (debian.root / "usr/lib/systemd/system/spanbridge-agent.service").read_text().splitlines()
    changed = [line for line in packed if line not in unit]
    assert [line.partition("=")[0] for line in changed] == ["ExecStart", "WorkingDirectory"]
    assert debian.unit("ExecStart") == "/usr/bin/spanbridge-agent run --config /etc/spanbridge/agent.toml"
    rule = (debian.root / "usr/lib/udev/rules.d/70-spanbridge.rules").read_text()
    assert rule and rule in (site / "70-spanbridge.rules").read_text()


def test_systemd_accepts_the_unit(debian: Debian, tmp_path: Path) -> None:
    """Its own checker, with a command that exists on this machine; what it says of other units is not ours."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd on this machine")
    unit = tmp_path / "spanbridge-agent.service"
    text = (debian.root / "usr/lib/systemd/system/spanbridge-agent.service").read_text()
    unit.write_text(text.replace("/usr/bin/spanbridge-agent", "/bin/true"))
    told = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True).stderr
    assert [line for line in told.splitlines() if "spanbridge" in line] == []


def test_removing_keeps_what_a_site_needs_and_purging_forgets_it(debian: Debian) -> None:
    debian.run("dpkg", "--remove", "spanbridge-agent")
    assert not (debian.root / "usr/lib/spanbridge-agent").exists()
    assert (debian.root / "etc/spanbridge/credential").exists()
    assert (debian.root / "var/lib/spanbridge-agent").is_dir()
    debian.run("dpkg", "--purge", "spanbridge-agent")
    assert not (debian.root / "etc/spanbridge").exists()
    assert not (debian.root / "var/lib/spanbridge-agent").exists()
    assert "spanbridge" not in (debian.root / "etc/passwd").read_text()
