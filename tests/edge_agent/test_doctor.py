"""Every finding that is not good carries its remedy."""

import asyncio
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from edge_agent import doctor
from edge_agent.__main__ import main
from edge_agent.config import JournalConfig
from edge_agent.doctor import Finding
from edge_agent.journal import Journal
from shared.wire import SpanInfo
from tests.edge_agent.fake_cloud import CREDENTIAL, FakeCloud
from tests.edge_agent.rig import SPAN

ENVIRONMENT = {"SPANBRIDGE_CREDENTIAL": CREDENTIAL}


async def examine(path: Path, environment: dict[str, str]) -> dict[str, Finding]:
    found = [finding async for finding in doctor.examine(path, environment, look_s=0.1)]
    assert all(finding.ok is not False or finding.remedy for finding in found)
    return {finding.subject: finding for finding in found}


def write(folder: Path, url: str = "ws://127.0.0.1:9/live", more: str = "") -> Path:
    path = folder / "agent.toml"
    path.write_text(f'[cloud]\nurl = "{url}"\n{more}[modems]\nports = ["{folder}/no-port"]\n')
    return path


def test_a_mistake_in_the_file_is_the_first_thing_told(tmp_path: Path) -> None:
    path = write(tmp_path, more="colour = 1\n")
    found = asyncio.run(examine(path, ENVIRONMENT))
    assert found["configuration"].ok is False
    found = asyncio.run(examine(tmp_path / "none.toml", ENVIRONMENT))
    assert list(found) == ["configuration"]


def test_a_missing_credential_does_not_keep_it_from_looking_at_the_rest(tmp_path: Path) -> None:
    found = asyncio.run(examine(write(tmp_path), {}))
    assert found["configuration"].ok is False
    assert found["journal"].ok
    assert found["ports"].ok is False
    assert "cloud" not in found


def test_a_credential_that_others_can_read_is_told(tmp_path: Path) -> None:
    file = tmp_path / "credential"
    file.write_text(CREDENTIAL)
    for mode, ok in ((0o644, False), (0o600, True)):
        file.chmod(mode)
        assert asyncio.run(examine(write(tmp_path), {}))["credential"].ok is ok


def test_the_cloud_that_is_reached_is_told_and_so_is_its_time(tmp_path: Path) -> None:
    async def main() -> dict[str, Finding]:
        async with FakeCloud() as cloud:
            found = await examine(write(tmp_path, cloud.url), ENVIRONMENT)
            assert cloud.hellos == []
            return found

    found = asyncio.run(main())
    assert found["cloud"].ok
    assert found["clock"].ok is not False


@pytest.mark.parametrize(("status", "words"), [(403, "credential"), (503, "did not open")])
def test_a_cloud_that_says_no_is_told_with_what_to_do(tmp_path: Path, status: int, words: str) -> None:
    async def main() -> Finding:
        async with FakeCloud() as cloud:
            cloud.status = status
            return (await examine(write(tmp_path, cloud.url), ENVIRONMENT))["cloud"]

    finding = asyncio.run(main())
    assert finding.ok is False
    assert words in finding.text


def test_a_journal_in_use_is_the_running_agent_s(tmp_path: Path) -> None:
    async def main() -> None:
        journal = Journal.open(JournalConfig(path=tmp_path / "journal.db"), now=0.0, reports_since=0.0)
        found = await examine(write(tmp_path), ENVIRONMENT)
        assert (found["journal"].ok, "running agent" in found["journal"].text) == (True, True)
        journal.close()

    asyncio.run(main())


def test_a_clock_that_is_off_is_told_by_how_much() -> None:
    now = time.time()
    assert doctor._clock(formatdate(now), now).ok
    finding = doctor._clock(formatdate(now), now + 7200)
    assert (finding.ok, "7200 s ahead" in finding.text or "7201 s ahead" in finding.text) == (False, True)
    assert doctor._clock("", now).ok is None


@pytest.mark.parametrize(
    ("ports", "remedy"), [("", "plug a modem in"), ('ports = ["/dev/none"]', "correct modems.ports")]
)
def test_a_probe_that_finds_no_port_says_so_with_what_to_do(
    ports: str, remedy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(f'[modems]\nignore = ["*"]\n{ports}\n')
    assert main(["probe", "--config", str(path)]) == 1
    said = capsys.readouterr().out
    assert "BAD  ports: no port of a modem was found" in said
    assert remedy in said


def test_a_ready_modem_is_told_with_its_operator_and_signal() -> None:
    info = SpanInfo(span=SPAN, available=True, name="lte-1", operator="Testnet", signal_dbm=-71, device="/dev/ttyUSB2")
    (finding,) = doctor.findings_of({"spans": [info.model_dump()], "unusable_ports": {}})
    assert finding == Finding("modem", True, f"lte-1 {SPAN} on /dev/ttyUSB2: ready, Testnet, -71 dBm")


def test_a_ready_modem_whose_sim_is_full_is_a_finding_of_its_own() -> None:
    info = SpanInfo(span=SPAN, available=True, sim_full=True)
    ready, full = doctor.findings_of({"spans": [info.model_dump()], "unusable_ports": {}})
    assert (ready.ok, full.ok, full.subject) == (True, False, "SIM")
    assert "delete" in full.remedy
