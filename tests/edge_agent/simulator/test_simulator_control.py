"""The control socket and the command line."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_agent.simulator import Simulator, Traits
from edge_agent.simulator.air import Record
from edge_agent.simulator.control import answer, control_socket
from edge_agent.simulator.fault_rows import CATALOGUE
from tests.edge_agent.simulator.bench import HELLO, HELLO_OCTETS
from tests.edge_agent.simulator.terminal import opened

QUICK = Traits(answer_delay=0.001, report_delay=0.01, boot=0.02, register=0.01)


def test_every_deed_is_done_over_the_socket(tmp_path: Path) -> None:
    async def tell() -> None:
        async with (
            Simulator(count=2, dir=tmp_path / "ports", traits=QUICK) as sim,
            control_socket(sim, tmp_path / "control"),
            opened(sim.ports[0]) as terminal,
        ):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "control")

            async def do(what: str, **more: object) -> Record:
                writer.write(json.dumps({"modem": 0, "do": what, **more}).encode() + b"\n")
                told: Record = json.loads(await reader.readline())
                return told

            await terminal.ask("ATE0;+CREG=1")
            assert await do("receive", **{"from": "+49170", "text": "a" * 200, "parts_order": [2, 1]}) == {"ok": True}
            await terminal.read_until(b'+CMTI: "ME",1\r\n')
            assert await do("receive", raw_pdu="0401") == {"ok": True}
            await terminal.read_until(b'+CMTI: "ME",2\r\n')
            assert await do("fault", name="late_answer", seconds=0.01, count=2, on="+CSQ") == {"ok": True}
            assert await do("fault", name="report_lost", probability=0.5) == {"ok": True}
            assert (await do("state"))["faults"] == ["late_answer", "report_lost"]
            assert await do("clear") == {"ok": True}
            assert await do("set", csq=7, operator="Elsewhere", stat=5) == {"ok": True}
            await terminal.read_until(b"+CREG: 5\r\n")
            assert "+CSQ: 7,99" in await terminal.ask("AT+CSQ")
            assert await do("ussd", code="*1#", answer="yes") == {"ok": True}
            assert (await do("swap_sim", index=77))["imsi"] == "001010000000077"
            await terminal.read_until(b"SMS DONE\r\n")
            assert await do("unplug") == {"ok": True}
            assert (await do("state"))["port"] is None
            assert await do("replug", **{"as": "modem5"}) == {"ok": True, "port": str(tmp_path / "ports/modem5")}
            assert (await do("reboot"), await do("wake")) == ({"ok": True}, {"ok": True})
            assert len((await do("state", modem="all"))["modems"]) == 2  # type: ignore[arg-type]
            assert (await do("catalogue"))["faults"] == {name: fault.says for name, fault in CATALOGUE.items()}
            writer.close()
        assert not (tmp_path / "control").exists()

    asyncio.run(tell())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"nonsense\n", "Expecting value"),
        (b"[]\n", "an object"),
        (b'{"modem":0}\n', "'do' has to be a text"),
        (b'{"modem":0,"do":"dance"}\n', "'do' is one of receive, fault"),
        (b'{"modem":7,"do":"state"}\n', "'modem' is 0 to 0"),
        (b'{"modem":0,"do":"fault","name":"hnag"}\n', "no fault 'hnag'"),
        (b'{"modem":0,"do":"fault","name":"hang","second":1}\n', "it has on, seconds"),
        (b'{"modem":0,"do":"receive","text":1,"from":"1"}\n', "'text' has to be a text"),
        (b'{"modem":0,"do":"receive","raw_pdu":"0"}\n', "hexadecimal"),
        (b'{"modem":0,"do":"set","csq":"loud"}\n', "'csq' has to be a number"),
    ],
)
def test_a_mistaken_request_is_told_what_is_wrong(tmp_path: Path, line: bytes, said: str) -> None:
    async def tell() -> None:
        async with Simulator(count=1, dir=tmp_path) as sim:
            told = answer(sim, line)
            assert told["ok"] is False
            assert said in str(told["error"])

    asyncio.run(tell())


@contextmanager
def _start(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "edge_agent.simulator", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        try:
            yield program
        finally:
            program.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_prints_its_ports_works_and_cleans_up(tmp_path: Path, number: int) -> None:
    links, air = tmp_path / "ports", tmp_path / "air.jsonl"
    options = ("--vendor", "quectel,huawei", "--seed", "7", "--answer-delay-ms", "1", "--fault", "report_lost=0.5")
    with _start("--count", "3", "--link-dir", str(links), "--air", str(air), *options) as program:
        assert program.stdout is not None
        lines = [program.stdout.readline().strip() for _ in range(4)]
        assert lines == [*(str(links / f"modem{index}") for index in range(3)), "ready"]

        async def tell() -> None:
            async with opened(links / "modem1") as terminal:
                await terminal.ask("ATE0")
                await terminal.submit(HELLO, HELLO_OCTETS)

        asyncio.run(tell())
        events = [json.loads(line)["event"] for line in air.read_text().splitlines()]
        assert [event for event in events if event != "fault"] == ["submit", "message"]
        program.send_signal(number)
        assert program.wait(10) == 0
    assert list(links.iterdir()) == []


def test_identities_may_be_given(tmp_path: Path) -> None:
    row = {"imei": "490154203237518", "imsi": "262019876543210", "iccid": "8949000000000000001", "number": "+491"}
    (tmp_path / "who.json").write_text(json.dumps([row]))
    with _start("--count", "1", "--link-dir", str(tmp_path / "d"), "--identity-file", str(tmp_path / "who.json")) as it:
        assert it.stdout is not None
        it.stdout.readline()

        async def tell() -> None:
            async with opened(tmp_path / "d/modem0") as terminal:
                said = await terminal.ask("ATE0;+CGSN;+CIMI;+QCCID")
                assert all(row[key] in said for key in ("imei", "imsi", "iccid"))

        asyncio.run(tell())
        it.terminate()
        assert it.wait(10) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--link-dir", "{tmp}", "--vendor", "nokia"], "no vendor nokia"),
        (["--link-dir", "{tmp}", "--fault", "hang"], "could not convert"),
        (["--link-dir", "{tmp}", "--fault", "hnag=1"], "no fault 'hnag'"),
        (["--link-dir", "{tmp}", "--count", "0"], "at least one"),
        (["--link-dir", "{tmp}", "--air", "{tmp}/no/such/air"], "No such file"),
        (["--link-dir", "{tmp}", "--control", "{tmp}/" + "x" * 120], "too long"),
        (["--link-dir", "{tmp}/file"], "exists"),
        (["--link-dir", "{tmp}", "--identity-file", "{tmp}/file"], "Expecting value"),
    ],
)
def test_what_can_not_work_ends_with_a_plain_word(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "file").write_text("x")
    with _start(*(argument.format(tmp=tmp_path) for argument in arguments)) as program:
        _, errors = program.communicate(timeout=20)
    assert program.returncode in (1, 2)
    assert said in errors
    assert "Traceback" not in errors
    assert [path for path in tmp_path.iterdir() if path.is_symlink()] == []
