"""Each reason has the remedy that fits it. Reasons are asked of what makes them, lest the two drift apart."""

import asyncio
import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent import doctor, journal
from edge_agent.config import JournalConfig
from edge_agent.journal import Journal
from edge_agent.modem import port_holder, serial_port, sim
from edge_agent.modem.answers import Registration
from edge_agent.modem.errors import parse_error
from edge_agent.modem.pin_ledger import PinLedger
from edge_agent.modem.quirks import PLAIN
from edge_agent.remedies import ANY_REMEDY, remedy_of
from edge_agent.span import SpanState
from shared.wire import NOT_THERE, PACED, SpanInfo
from tests.edge_agent.modem.scripted import scripted
from tests.edge_agent.rig import SPAN

IMEI = "490154203237518"
LOCKED = "> AT+CPIN?\n< +CPIN: SIM PIN\n< OK\n> AT+CCID\n< ERROR\n"
TRIES = "> AT+CPINR\n< +CPINR: SIM PIN,{},3\n< OK\n"


def of_sim(script: str, ledger: PinLedger, pin: str = "1234") -> str:
    """Why the SIM cannot be used."""

    async def main() -> str:
        channel, _ = await scripted(script)
        with pytest.raises(sim.SimNotReady) as told:
            await sim.unlock(channel, PLAIN, IMEI, pin, ledger)
        channel.close()
        return str(told.value)

    return asyncio.run(main())


def state(told: str) -> str:
    return f"> AT+CPIN?\n< {told}\n> AT+CCID\n< ERROR\n"


@pytest.mark.parametrize(
    ("script", "pin", "remedy"),
    [
        (LOCKED, "", "put pin into"),
        (LOCKED, "12", "correct pin in"),
        (LOCKED + TRIES.format(1), "1234", "which gives the tries back"),
        (LOCKED + TRIES.format(3) + '> AT+CPIN="1234"\n< +CME ERROR: 16\n', "1234", "put the right pin"),
        (state("+CPIN: SIM PUK\n< OK"), "", "enter its PUK"),
        (state("+CME ERROR: 12"), "", "enter its PUK"),
        (state("+CPIN: SIM PIN2\n< OK"), "", "PIN2"),
        (state("+CPIN: PH-NET PIN\n< OK"), "", "locked to another SIM or network"),
        (state("+CME ERROR: 10"), "", "put a SIM in"),
        (state("+CME ERROR: 13"), "", "put a SIM in"),
        (state("+CME ERROR: 40"), "", "locked to another SIM or network"),
    ],
)
def test_a_sim_that_cannot_be_used(tmp_path: Path, script: str, pin: str, remedy: str) -> None:
    reason = of_sim(script, PinLedger(tmp_path / "pins.json"), pin)
    assert remedy in remedy_of(reason), reason


def test_a_pin_that_is_not_tried_again_or_cannot_be_remembered(tmp_path: Path) -> None:
    script = LOCKED + TRIES.format(3)
    file = tmp_path / "SIM" / "pins.json"
    PinLedger(file).begin((IMEI,), "1234")
    assert "put the right pin" in remedy_of(of_sim(script, PinLedger(file)))
    file.write_text("{ cut")
    assert "make that file writable" in remedy_of(of_sim(script, PinLedger(file)))
    assert "modems.pin_ledger" in remedy_of(of_sim(script, PinLedger(None)))


@pytest.mark.parametrize(
    ("stat", "remedy"), [(0, "antenna"), (2, "antenna"), (3, "SIM's operator"), (4, "antenna"), (8, "antenna")]
)
def test_a_network_that_is_not_had(stat: int, remedy: str) -> None:
    reason = Registration(stat).in_words
    for said in (reason, f"not registered: {reason}", f"{reason}; tried again in 30 s"):
        assert remedy in remedy_of(said), said


@pytest.mark.parametrize("said", ["+CME ERROR: 30", "+CMS ERROR: 331"])
def test_messages_that_fail_for_want_of_a_network(said: str) -> None:
    error = parse_error(said)
    assert error is not None
    assert "antenna" in remedy_of(f"3 messages in a row failed, the last: {error.text} ({error.code})")


@pytest.fixture
def held_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A /proc in which a process of the name in `comm` has the port."""
    descriptors = tmp_path / "1" / "fd"
    descriptors.mkdir(parents=True)
    monkeypatch.setattr(port_holder.holder_of, "__defaults__", (tmp_path,))
    yield tmp_path / "1"


@pytest.mark.parametrize(
    ("number", "holder", "remedy"),
    [
        (errno.EACCES, "", "dialout"),
        (errno.ENOENT, "", "plug the modem in"),
        (errno.EBUSY, "", "stop the other program"),
        (errno.EBUSY, "minicom", "stop the other program"),
        (errno.EBUSY, "ModemManager", "stop ModemManager"),
        (errno.EIO, "", ANY_REMEDY),
    ],
)
def test_a_port_that_cannot_be_opened(held_by: Path, number: int, holder: str, remedy: str) -> None:
    port = "/dev/null" if number == errno.EIO else "/dev/serial/by-id/usb-SimTech_SIM7600-if02-port0"
    (held_by / "comm").write_text(holder)
    (held_by / "fd" / "3").symlink_to(port)
    assert remedy in remedy_of(serial_port._cannot_open(port, OSError(number, "")))


@pytest.mark.parametrize("device", ["socket://127.0.0.1:9", "socket://nowhere"])
def test_a_serial_server_that_is_not_there(device: str) -> None:
    with pytest.raises(serial_port.PortError) as told:
        asyncio.run(serial_port._open_socket(device, None))  # type: ignore[arg-type]
    assert remedy_of(str(told.value)) not in {"", ANY_REMEDY}


def test_a_journal_that_takes_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> str:
        kept = Journal.open(JournalConfig(path=tmp_path / "journal.db"), now=0.0, reports_since=0.0)
        monkeypatch.setattr(journal, "_free_mb", lambda path: 3.0)
        refusal = kept.refuses()
        kept.close()
        return refusal

    assert "make room" in remedy_of(asyncio.run(main()))


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        (NOT_THERE, "plug the modem in"),
        (PACED, "raise the limit"),
        (SpanState.REGISTERING.value, "antenna"),
        ("/dev/serial/by-id/usb-SIMCOM_1: nothing answers AT", "another port"),
        ("/dev/ttyUSB0 went away (Input/output error)", "plug it in again"),
        ("something else altogether", ANY_REMEDY),
        ("", ""),
    ],
)
def test_other_reasons(reason: str, remedy: str) -> None:
    assert remedy in remedy_of(reason)


def test_a_modem_and_a_port_are_told_with_the_remedy_of_their_reason() -> None:
    reason = Registration(2).in_words
    info = SpanInfo(span=SPAN, available=False, reason=reason)
    modem, port = doctor.findings_of({"spans": [info.model_dump()], "unusable_ports": {"a": reason}})
    assert (modem.ok, port.ok) == (False, False)
    assert modem.remedy == port.remedy == remedy_of(reason)
