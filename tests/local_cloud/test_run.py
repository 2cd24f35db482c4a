"""The command line, and that no process is ever left behind."""

import fcntl
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from local_cloud.cloud import CloudOptions
from local_cloud.layout import CHECKOUT, Lock
from local_cloud.ports import Reservation
from local_cloud.process import StartError, start_any, stop_all
from local_cloud.site import SiteOptions
from local_cloud.stack import LocalStack, post

# A program that starts a stack, tells the ids of all its processes, and waits to be killed.
_HOST = """
import sys, time
from pathlib import Path
from local_cloud.cloud import CloudOptions
from local_cloud.stack import LocalStack
stack = LocalStack(Path(sys.argv[1]), CloudOptions(template=Path(sys.argv[2]), parameters={}), with_site=False)
stack.start()
workers = []
while len(workers) < 5:  # one for each function
    workers = [pid for pids in stack.control("workers").values() for pid in pids if pid]
    time.sleep(0.05)
print(*(child.pid for child in stack.children), *workers, flush=True)
time.sleep(600)
"""


def _run(*options, state_dir):
    command = [sys.executable, "-m", "local_cloud", "run", "--state-dir", state_dir, *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT, timeout=60)


def _alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the second when it ends between opening and reading
        return False


def _fails_with_one_line(result):
    assert result.returncode != 0
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


def test_a_port_in_use_is_one_clear_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = _fails_with_one_line(_run("--port", str(port), state_dir=tmp_path))
    assert f"port {port}" in line


@pytest.mark.parametrize("port", ["99999", "65536", "-1"])
def test_a_port_that_is_none_is_one_clear_line(tmp_path, port):
    line = _fails_with_one_line(_run("--port", port, state_dir=tmp_path))
    assert line == f"local cloud: PORT must be 1 to 65535, not {port}"


def test_a_missing_device_is_one_clear_line(tmp_path):
    line = _fails_with_one_line(_run("--port", "0", "--modems", "/dev/null /dev/no-such-modem", state_dir=tmp_path))
    assert "/dev/no-such-modem" in line


def test_a_file_is_no_modem(tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert str(file) in _fails_with_one_line(_run("--port", "0", "--modems", str(file), state_dir=tmp_path / "state"))


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path):
    (tmp_path / "logs").mkdir()
    assert "name another" in _fails_with_one_line(_run("--port", "0", state_dir=tmp_path))
    assert (tmp_path / "logs").is_dir()


def test_a_second_copy_is_one_clear_line(tmp_path):
    lock = Lock(tmp_path)
    try:
        line = _fails_with_one_line(_run("--port", "0", state_dir=tmp_path))
    finally:
        lock.release()
    assert f"process {os.getpid()}" in line
    Lock(tmp_path).release()


def test_two_copies_never_share_a_port():
    first = Reservation(0)
    with pytest.raises(StartError, match=str(first.port)):
        Reservation(first.port)
    first.release()
    Reservation(first.port).release()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_no_process_outlives_one_that_was_killed(tmp_path, eventually):
    template = CHECKOUT / "tests" / "local_cloud" / "template.yaml"
    command = [sys.executable, "-c", _HOST, tmp_path, template]
    host = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in host.stdout.readline().split()]
    assert len(pids) >= 2 + 5  # moto, gateway, and the workers
    assert all(_alive(pid) for pid in pids)
    host.kill()
    host.wait()
    host.stdout.close()
    eventually(lambda: not any(_alive(pid) for pid in pids), within=5)


def _of_state_dir(folder):
    """Every process that has the folder in its command line."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in file.read_bytes():
                found.append(int(file.parent.name))
        except OSError:
            continue  # it ended while we looked
    return [pid for pid in found if _alive(pid)]


def _command_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_says_when_it_is_ready_and_how_to_send_and_ends_on_a_signal(tmp_path, number):
    command = [sys.executable, "-m", "local_cloud", "run", "--port", "0", "--state-dir", tmp_path, "--simulate", "1"]
    running = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    ready, url = running.stdout.readline().split()
    assert ready == "READY"
    curl = shlex.split(running.stdout.readline())
    assert curl[:3] == ["curl", "-s", f"{url}/sms/send"]
    status, answer = post(curl[2], json.loads(curl[-1]))
    assert (status, answer["data"][0]["status"]) == (200, "SENT")
    assert _of_state_dir(tmp_path)
    before = time.monotonic()
    running.send_signal(number)
    assert running.wait(10) == 0
    assert time.monotonic() - before < 5
    assert _of_state_dir(tmp_path) == []
    running.stdout.close()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_was_killed_comes_back_by_the_line_that_is_shown(tmp_path, eventually):
    command = [sys.executable, "-m", "local_cloud", "run", "--port", "0", "--state-dir", tmp_path, "--simulate", "1"]
    running = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    again = []
    try:
        assert running.stdout.readline().startswith("READY")
        curl = shlex.split(running.stdout.readline())
        for name, module in (("agent", "edge_agent run"), ("receiver", "local_cloud.receiver")):
            (pid,) = [pid for pid in _of_state_dir(tmp_path) if module in _command_of(pid)]
            os.kill(pid, signal.SIGKILL)
            told, _, line = running.stderr.readline().partition("; to start it again: ")
            assert told == f"{name} was killed by signal 9"
            again.append(subprocess.Popen(shlex.split(line), cwd=CHECKOUT, stderr=subprocess.DEVNULL))
        eventually(lambda: post(curl[2], json.loads(curl[-1]))[1]["msg"] == "1 sent.")
        eventually(lambda: "SMS-Status-Report" in (tmp_path / "received.jsonl").read_text())
    finally:
        for child in (*again, running):
            child.terminate()
            child.wait(10)
        running.stdout.close()
        running.stderr.close()


def _in_a_terminal_of_its_own():
    """As a login does it. Tests that were started with nohup have SIGHUP ignored, and so would what they start."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_it_ends_when_its_terminal_is_closed_though_make_alone_is_told(tmp_path, eventually):
    """Nothing but `make run` was started in it. Make hears of the end, and then waits for what it runs."""
    rules = tmp_path / "Makefile"
    rules.write_text(
        f"run:\n\t@exec {sys.executable} -m local_cloud run --port 0 --state-dir {tmp_path}/state --simulate 1\n"
    )
    ours, theirs = os.openpty()
    make = subprocess.Popen(
        ["make", "-f", rules, "run"],
        cwd=CHECKOUT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_in_a_terminal_of_its_own,
    )
    os.close(theirs)
    said = b""
    while b"READY" not in said:
        said += os.read(ours, 1000)
    assert _of_state_dir(tmp_path / "state")
    os.close(ours)
    eventually(lambda: not _of_state_dir(tmp_path / "state"), within=10)
    make.wait(10)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_was_told_to_outlive_its_terminal_does(tmp_path):
    """nohup has SIGHUP ignored."""
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    run = [sys.executable, "-m", "local_cloud", "run", "--port", "0", "--state-dir", tmp_path, "--simulate", "1"]
    command = [sys.executable, "-c", ignoring, *run]
    running = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert running.stdout.readline().startswith("READY")
    (ignored,) = re.findall(r"^SigIgn:\t(\w+)$", Path(f"/proc/{running.pid}/status").read_text(), re.MULTILINE)
    assert int(ignored, 16) & 1 << signal.SIGHUP - 1
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) == 0
    running.stdout.close()


def test_given_serial_ports_are_used_instead_of_simulated_ones(tmp_path, eventually):
    links = tmp_path / "links"
    command = [sys.executable, "-m", "edge_agent.simulator", "--count", "2", "--link-dir", links]
    modems = start_any("modems", command, tmp_path / "log", CHECKOUT)
    try:
        ports = [str(links / f"modem{number}") for number in range(2)]
        eventually(lambda: all(Path(port).exists() for port in ports))
        with LocalStack(tmp_path / "state", site=SiteOptions(modems=ports)) as stack:
            assert stack.site.simulator is None
            assert [span["status"] for span in stack.spans()] == [1, 1]
    finally:
        modems.kill()


def test_the_demo_shows_every_step_of_every_message(tmp_path):
    command = [sys.executable, "-m", "local_cloud", "demo", "--state-dir", tmp_path]
    result = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=110)
    assert result.returncode == 0, result.stdout
    for step in ("accepted", "with the agent", "on the air", "report", "outbox"):
        assert result.stdout.count(f"s  {step} ") == 4, result.stdout
    assert result.stdout.count("s  push ") == 8
    assert result.stdout.endswith("4 of 4 messages arrived\n")


def test_a_command_that_ignores_sigterm_is_killed_within_the_time(tmp_path):
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    log = tmp_path / "log"
    child = start_any("stubborn", [sys.executable, "-c", stubborn], log, CHECKOUT)
    while not (log.exists() and log.read_text()):
        time.sleep(0.01)
    before = time.monotonic()
    stop_all([child], 0.5)
    assert time.monotonic() - before < 2
    assert child.ended == -signal.SIGKILL


def test_where_the_kernel_cannot_be_asked_the_pipe_is_the_lifeline(tmp_path, eventually):
    """What macOS does, tried here: the wrapper waits for the end of its standard input."""
    child = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    program = (
        "import sys; sys.platform = 'darwin'; from local_cloud import lifeline; "
        f"sys.exit(lifeline._main([sys.executable, '-c', {child!r}]))"
    )
    wrapper = subprocess.Popen(
        [sys.executable, "-c", program], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    pid = int(wrapper.stdout.readline())
    assert _alive(pid)
    wrapper.stdin.close()
    eventually(lambda: not _alive(pid), within=5)
    wrapper.wait(5)
    wrapper.stdout.close()


def test_a_function_that_does_not_start_is_named_at_once(tmp_path):
    template = tmp_path / "template.yaml"
    small = CHECKOUT / "tests" / "local_cloud" / "template.yaml"
    template.write_text(small.read_text().replace("probe_handlers.sweep", "no_such_module.sweep"))
    options = CloudOptions(template=template, parameters={})
    with pytest.raises(StartError, match="Sweep"), LocalStack(tmp_path / "state", options, with_site=False):
        pass
    assert "no_such_module" in (tmp_path / "state" / "logs" / "Sweep.log").read_text()
