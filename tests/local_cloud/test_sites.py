"""Sites through every real part: what modems receive, which port is whose, and an operator's word from his desk."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud import seed
from local_cloud.layout import CHECKOUT
from local_cloud.process import start_any
from local_cloud.site import SiteOptions
from local_cloud.stack import LocalStack

Eventually = Callable[..., Any]


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("c") / "s"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, control: Path) -> Iterator[LocalStack]:
    site = SiteOptions(simulator_options=["--control", str(control)])
    with LocalStack(tmp_path_factory.mktemp("sites"), site=site) as running:
        yield running


def modem(control: Path, number: int, do: str, **more: object) -> dict[str, Any]:
    """Does something to a simulated modem."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(control))
        line.sendall(json.dumps({"modem": number, "do": do, **more}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(line.makefile().readline())
    assert answer["ok"], answer
    return answer


def admin(stack: LocalStack, *words: str) -> Any:
    where = ["--local", "--state-dir", str(stack.layout.root), "--json"]
    command = [sys.executable, "-m", "admin", *where, *words]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ------------------------------------------------------------------------------------------- receiving


def inbox(stack: Any, number: str) -> list[tuple[int, str]]:
    _, answer = stack.call("/smsinbox/get", phone_number_filter=number)
    return [(row["port"], row["message"]) for row in answer["data"]]


def pushed(stack: Any, number: str) -> list[tuple[str, str]]:
    """What the receiver took of messages from a number: text and webhook-id; by that it knows a copy, should one of two
    deliveries at the same moment have come twice."""
    found = [push for push in stack.pushes() if push["answered"] == 200]
    told = [
        (push["parameters"]["message"], push["headers"]["webhook-id"])
        for push in found
        if push["parameters"]["type"] == "SMS-Received" and push["parameters"]["phonenumber"] == number
    ]
    return list(dict.fromkeys(told))


def arrives_once(stack: LocalStack, control: Path, number: str, text: str, eventually: Eventually) -> None:
    eventually(lambda: pushed(stack, number), within=60)
    # What came behind it has arrived too, so a second copy of it would have.
    modem(control, 0, "receive", **{"from": f"{number}9", "text": "behind it"})
    eventually(lambda: pushed(stack, f"{number}9"), within=60)
    assert [told for told, _ in pushed(stack, number)] == [text]
    assert [told for _, told in inbox(stack, number)] == [text]


@pytest.mark.parametrize("text", ["Guten Tag, {Welt} €", "пароль 🎉 " + "long " * 40])
def test_a_received_message_is_listed_and_pushed_once(
    stack: LocalStack, control: Path, eventually: Eventually, text: str
) -> None:
    number = f"+4915511{len(text):04}"
    modem(control, 1, "receive", **{"from": number, "text": text})
    arrives_once(stack, control, number, text, eventually)
    assert [port for port, _ in inbox(stack, number)] == [port_of(stack, control, 1)]


def test_what_came_while_the_agent_was_dead_is_told_once_when_it_is_back(
    stack: LocalStack, control: Path, eventually: Eventually
) -> None:
    stack.kill("agent")
    modem(control, 2, "receive", **{"from": "+4915522001", "text": "nobody was there"})
    stack.restart("agent")
    arrives_once(stack, control, "+4915522001", "nobody was there", eventually)


def test_what_came_while_the_cloud_heard_nothing_is_told_once_when_it_does_again(
    stack: LocalStack, control: Path, eventually: Eventually
) -> None:
    stack.control("faults", {"lose_frames": 10_000})
    modem(control, 0, "receive", **{"from": "+4915533001", "text": "no cloud"})
    eventually(lambda: unacknowledged(stack) == 1)
    assert inbox(stack, "+4915533001") == []
    stack.control("faults", {"lose_frames": 0})
    stack.cut_connections()
    arrives_once(stack, control, "+4915533001", "no cloud", eventually)
    assert unacknowledged(stack) == 0


def unacknowledged(stack: LocalStack) -> int:
    """Events in the agent's journal that the cloud has not taken."""
    command = [sys.executable, "-m", "edge_agent", "status", "--config", str(stack.site.config)]
    told = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=True).stdout
    return int(json.loads(told)["unacknowledged_events"])


def test_what_came_while_the_gateway_was_dead_is_in_the_inbox_once_when_it_is_back(
    stack: LocalStack, control: Path, eventually: Eventually
) -> None:
    """Its push is left out: a poll of the dead gateway may have taken it, which hides it for the queue's 6 minutes."""
    stack.kill("gateway")
    modem(control, 0, "receive", **{"from": "+4915566001", "text": "no gateway"})
    stack.restart("gateway")
    eventually(lambda: inbox(stack, "+4915566001"), within=90)
    assert [told for _, told in inbox(stack, "+4915566001")] == ["no gateway"]


def test_what_came_is_told_once_though_the_agent_dies_before_it_is_acknowledged(
    stack: LocalStack, control: Path, eventually: Eventually
) -> None:
    stack.control("faults", {"lose_posts": 3})  # acknowledgements that never arrive
    modem(control, 0, "receive", **{"from": "+4915544001", "text": "say it again"})
    eventually(lambda: inbox(stack, "+4915544001"))
    stack.kill("agent")
    stack.control("faults", {"lose_posts": 0})
    stack.restart("agent")
    arrives_once(stack, control, "+4915544001", "say it again", eventually)


# ------------------------------------------------------------------------------------------- ports


def ports(stack: LocalStack) -> dict[str, int]:
    """Span identity → port, as stored."""
    snapshot = seed.accounts(stack.deployment).snapshot(seed.ACCOUNT)
    assert snapshot
    return {port.span: number for number, port in snapshot.ports.items()}


def available(stack: LocalStack) -> dict[str, str]:
    """Span identity → where it is plugged in, of those that can send."""
    spans = seed.accounts(stack.deployment).spans(seed.ACCOUNT, seed.AGENT)
    return {info.span: Path(info.device).name for info in spans if info.available}


def sims(stack: LocalStack) -> list[str]:
    return [info.iccid for info in seed.accounts(stack.deployment).spans(seed.ACCOUNT, seed.AGENT)]


def imei(control: Path, number: int) -> str:
    return f"imei:{modem(control, number, 'state')['imei']}"


def port_of(stack: LocalStack, control: Path, number: int) -> int:
    return ports(stack)[imei(control, number)]


def test_ports_stay_put_whatever_is_plugged_where(stack: LocalStack, control: Path, eventually: Eventually) -> None:
    before = ports(stack)
    who = [imei(control, number) for number in range(4)]
    assert sorted(before.values()) == [1, 2, 3, 4]

    for number in range(4):
        modem(control, number, "unplug")
    eventually(lambda: available(stack) == {})
    moved = {0: "modem2", 1: "modem0", 2: "modem3", 3: "modem1"}
    for number, name in moved.items():
        modem(control, number, "replug", **{"as": name})
    eventually(lambda: available(stack) == {who[number]: name for number, name in moved.items()}, within=60)
    assert ports(stack) == before

    stack.site.stop_agent()
    for number in (0, 1):
        modem(control, number, "reboot")
    swapped = modem(control, 3, "swap_sim", index=77)
    stack.site.start_agent()
    eventually(lambda: swapped["iccid"] in sims(stack) and len(available(stack)) == 4, within=60)
    assert ports(stack) == before

    (shown,) = [row for row in admin(stack, "spans", "list", "demo") if row["port"] == before[who[3]]]
    assert shown["sim"] == f"…{swapped['iccid'][-6:]}" and "was …" in shown["sim_changed"]

    _, answer = stack.call("/sms/send", dest_num="+12025550177", msg="same port", spans=before[who[0]], mode=1)
    assert answer["code"] == 0, answer
    (sent,) = [each for each in stack.air() if each["event"] == "submit" and each["to"] == "+12025550177"]
    assert f"imei:{sent['imei']}" == who[0]


# ------------------------------------------------------------------------------------------- from the desk


def test_revoking_cuts_a_live_agent_at_once_and_a_new_code_lets_it_in_again(
    stack: LocalStack, eventually: Eventually, tmp_path: Path
) -> None:
    before, url = ports(stack), stack.deployment.outputs["AgentUrl"]
    eventually(lambda: len(stack.connections()) == 1)
    assert admin(stack, "agents", "revoke", "demo", "site-1")["connection"] == "closed"
    eventually(lambda: stack.connections() == [], within=5)
    stack.kill("agent")
    stack.restart("agent")
    log = stack.layout.log("agent")
    eventually(lambda: "credential was not accepted" in log.read_text())
    assert stack.connections() == []

    code = admin(stack, "agents", "rotate", "demo", "site-1")["code"]
    stack.kill("agent")
    command = [
        sys.executable,
        "-m",
        "edge_agent",
        "enroll",
        "--url",
        url,
        "--code",
        code,
        "--config",
        stack.site.config,
    ]
    refused = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1 and "--force replaces it" in refused.stderr
    done = subprocess.run([*command, "--force"], cwd=CHECKOUT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    stack.restart("agent")
    eventually(lambda: len(available(stack)) == 4 and stack.connections(), within=60)
    assert ports(stack) == before

    elsewhere = [*command[:-1], str(tmp_path / "agent.toml")]
    second = subprocess.run(elsewhere, cwd=CHECKOUT, capture_output=True, text=True, timeout=60)
    assert second.returncode == 1 and "was used already" in second.stderr
    assert not (tmp_path / "credential").exists()


def test_a_copied_disk_is_noticed_and_the_one_that_comes_back_is_stopped(
    stack: LocalStack, eventually: Eventually, tmp_path: Path
) -> None:
    """Two live machines with one identity do not fight: the newer stays, the older ends, the operator sees it."""
    first = stack.site.agent
    assert first is not None
    eventually(lambda: len(stack.connections()) == 1)
    before = process_known(stack)
    for name in ("agent.toml", "credential"):
        shutil.copy(stack.site.config.parent / name, tmp_path / name)
    twin = start_any(
        "twin",
        [sys.executable, "-m", "edge_agent", "run", "--config", tmp_path / "agent.toml"],
        stack.layout.log("twin"),
        CHECKOUT,
    )
    try:
        eventually(lambda: process_known(stack) != before, within=60)
        assert doubled(stack) == ""
        stack.cut_connections()  # else it takes until the next heartbeat
        assert eventually(lambda: first.ended, within=120) == _STOPPED
        assert doubled(stack) != ""
        said = stack.layout.log("agent").read_text()
        assert "another agent with this credential has taken over, enrol this one anew" in said
        eventually(lambda: len(stack.connections()) == 1)
        assert twin.ended is None
    finally:
        twin.kill()


_STOPPED = 78  # EX_CONFIG, after which the service unit does not start it again


def process_known(stack: LocalStack) -> str:
    """Which process the cloud takes for the site's agent."""
    agent = seed.accounts(stack.deployment).agent(seed.ACCOUNT, seed.AGENT)
    assert agent is not None
    return agent.life.boot_id


def doubled(stack: LocalStack) -> str:
    """Since when two machines bear the site's identity, as the operator's list has it."""
    (site,) = admin(stack, "agents", "list")
    return str(site["two_machines_since"] or "")
