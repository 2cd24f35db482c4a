"""PIN attempts that are remembered."""

from pathlib import Path

import pytest

from edge_agent.modem.pin_ledger import PinAttemptForbidden, PinLedger


def test_an_attempt_is_remembered_across_restarts(tmp_path: Path) -> None:
    path = tmp_path / "state" / "pins.json"
    PinLedger(path).begin(("894",), "1234")
    with pytest.raises(PinAttemptForbidden, match="tried once"):
        PinLedger(path).begin(("894",), "1234")
    PinLedger(path).begin(("895",), "1234")
    PinLedger(path).begin(("894",), "4321")


def test_a_success_takes_the_attempt_back(tmp_path: Path) -> None:
    ledger = PinLedger(tmp_path / "pins.json")
    for _ in range(3):
        ledger.begin(("894",), "1234")
        ledger.succeeded(("894",))


def test_the_file_is_for_its_owner_and_has_no_pin_in_it(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    PinLedger(path).begin(("894",), "13579246")
    assert path.stat().st_mode & 0o077 == 0
    assert "13579246" not in path.read_text()


@pytest.mark.parametrize("content", ["{ cut", "[]", ""])
def test_a_damaged_file_forbids_every_attempt_and_is_left_for_a_person(content: str, tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    path.write_text(content)
    with pytest.raises(PinAttemptForbidden, match="cannot be used"):
        PinLedger(path).begin(("894",), "1234")
    PinLedger(path).succeeded(("894",))
    assert path.read_text() == content


def test_an_attempt_that_cannot_be_written_down_is_forbidden(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PinAttemptForbidden, match="cannot be used"):
        PinLedger(tmp_path / "file" / "pins.json").begin(("894",), "1234")


def test_without_a_file_every_attempt_is_forbidden() -> None:
    with pytest.raises(PinAttemptForbidden, match="without a file"):
        PinLedger(None).begin(("894",), "1234")


def test_a_sim_is_remembered_by_everything_that_it_was_known_by(tmp_path: Path) -> None:
    ledger = PinLedger(tmp_path / "pins.json")
    ledger.begin(("894", "490154203237518"), "1234")
    with pytest.raises(PinAttemptForbidden):
        ledger.begin(("490154203237518",), "1234")  # its own number cannot be read this time
    ledger.succeeded(("894", "490154203237518"))
    ledger.begin(("490154203237518",), "1234")
