"""Who holds a port, from a /proc made by the test."""

from pathlib import Path

from edge_agent.modem.port_holder import holder_of


def process(proc: Path, number: int, name: str, *open_files: Path) -> None:
    fds = proc / str(number) / "fd"
    fds.mkdir(parents=True)
    (proc / str(number) / "comm").write_text(name + "\n")
    for index, target in enumerate(open_files):
        (fds / str(index)).symlink_to(target)


def test_modem_manager_is_named_with_its_remedy(tmp_path: Path) -> None:
    port = tmp_path / "ttyUSB2"
    port.touch()
    process(tmp_path / "proc", 500, "ModemManager", port)
    found = holder_of(str(port), tmp_path / "proc")
    assert "ModemManager holds it" in found
    assert "ID_MM_DEVICE_IGNORE" in found


def test_the_holder_is_found_through_a_stable_link(tmp_path: Path) -> None:
    port, link = tmp_path / "ttyUSB2", tmp_path / "by-id"
    port.touch()
    link.symlink_to(port)
    process(tmp_path / "proc", 500, "minicom", tmp_path / "other", port)
    assert holder_of(str(link), tmp_path / "proc") == "in use by minicom (process 500)"


def test_a_holder_that_cannot_be_seen_is_most_likely_modem_manager_where_that_runs(tmp_path: Path) -> None:
    process(tmp_path / "proc", 500, "ModemManager")
    assert "most likely by ModemManager" in holder_of(str(tmp_path / "ttyUSB2"), tmp_path / "proc")


def test_nothing_is_said_where_nothing_is_known(tmp_path: Path) -> None:
    process(tmp_path / "proc", 500, "bash")
    assert holder_of(str(tmp_path / "ttyUSB2"), tmp_path / "proc") == ""
    assert holder_of(str(tmp_path / "ttyUSB2"), tmp_path / "no proc") == ""
