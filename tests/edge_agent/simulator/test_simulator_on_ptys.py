"""The simulator as a program meets it: ports that are opened, closed and pulled out."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from edge_agent.simulator import Simulator, Traits
from edge_agent.simulator.air import Record
from edge_agent.simulator.identity import Sim
from edge_agent.simulator.pty_port import LinkTaken
from edge_agent.simulator.simulator import SimulatorError
from tests.edge_agent.simulator.bench import HELLO, HELLO_OCTETS
from tests.edge_agent.simulator.terminal import opened

QUICK = Traits(answer_delay=0.001, report_delay=0.01, boot=0.02, register=0.01, ussd_delay=0.01)


def story(tell: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(tell())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if true():
                return
            await asyncio.sleep(0.001)


def count_of(kind: str, count: int) -> Callable[[list[Record]], bool]:
    return lambda records: sum(record["event"] == kind for record in records) >= count


def test_a_message_is_on_the_air_before_it_is_answered_and_its_report_follows(tmp_path: Path) -> None:
    async def tell() -> None:
        async with Simulator(count=1, dir=tmp_path, traits=QUICK) as sim, opened(sim.ports[0]) as terminal:
            await terminal.ask("ATE0;+CNMI=2,1,0,1,0")
            assert await terminal.submit(HELLO, HELLO_OCTETS) == "\r\n+CMGS: 1\r\n\r\nOK\r\n"
            assert [record["event"] for record in sim.air[:2]] == ["submit", "message"]
            assert (sim.air[1]["to"], sim.air[1]["text"]) == ("+49171122334", "hello")
            await sim.wait_air(count_of("report", 1))
            assert (await terminal.read_until(b"00\r\n")).startswith(b"\r\n+CDS: 25\r\n")

    story(tell)


def test_many_modems_keep_apart_and_the_file_says_what_the_list_says(tmp_path: Path) -> None:
    async def one(sim: Simulator, index: int) -> None:
        async with opened(sim.ports[index]) as terminal:
            await terminal.ask("ATE0")
            for _ in range(10):
                await terminal.submit(HELLO, HELLO_OCTETS)

    async def tell() -> None:
        air = tmp_path / "air.jsonl"
        ports = tmp_path / "ports"
        vendors = ("quectel", "huawei", "plain")
        async with Simulator(count=9, dir=ports, traits=QUICK, vendors=vendors, air_file=air) as sim:
            await asyncio.gather(*(one(sim, index) for index in range(9)))
            assert [json.loads(line) for line in air.read_text().splitlines()] == sim.air
            assert len({record["imei"] for record in sim.air}) == 9
            assert sum(record["event"] == "message" for record in sim.air) == 90

    story(tell)


def test_a_modem_stays_as_it_was_when_its_program_dies_and_comes_back(tmp_path: Path) -> None:
    async def tell() -> None:
        async with Simulator(count=1, dir=tmp_path, traits=QUICK) as sim:
            async with opened(sim.ports[0]) as terminal:
                await terminal.ask("ATE0")
                terminal.write(b"AT+CMGS=19\r")
                await terminal.read_until(b"> ")
                terminal.write(HELLO[:11])
            async with opened(sim.ports[0]) as terminal:
                terminal.write(b"AT\r")
                with pytest.raises(TimeoutError):
                    await terminal.read_until(b"OK", seconds=0.05)
                terminal.write(b"\x1b")
                assert await terminal.read_until(b"OK\r\n") == b"\r\nOK\r\n"
                assert await terminal.ask("AT") == "\r\nOK\r\n"
            assert sim.air == []

    story(tell)


def test_a_pulled_plug_ends_the_port_and_another_name_brings_the_same_modem_back(tmp_path: Path) -> None:
    async def tell() -> None:
        async with Simulator(count=2, dir=tmp_path, traits=QUICK) as sim:
            async with opened(sim.ports[0]) as terminal:
                imei = await terminal.ask("ATE0;+CGSN")
                sim.modem(0).unplug()
                with pytest.raises(EOFError):
                    await terminal.read_until(b"never")
            assert names(tmp_path) == ["modem1"]
            sim.modem(0).replug("modem9")
            assert names(tmp_path) == ["modem1", "modem9"]
            async with opened(sim.ports[0]) as terminal:
                await terminal.read_until(b"SMS DONE")
                assert imei.split()[-2] in await terminal.ask("AT+CGSN")

    story(tell)


@pytest.mark.parametrize(("name", "link"), [("unplug", "modem0"), ("usb_eio", "modem0"), ("replug", "modem1")])
def test_a_port_that_goes_away_comes_back(tmp_path: Path, name: str, link: str) -> None:
    async def tell() -> None:
        async with Simulator(count=1, dir=tmp_path, traits=QUICK) as sim:
            async with opened(sim.ports[0]) as terminal:
                await terminal.ask("ATE0")
                sim.modem(0).fault(name, seconds=0.02)
                terminal.write(b"AT\r")
                with pytest.raises(EOFError):
                    await terminal.read_until(b"never")
            await until(lambda: sim.modem(0).port.plugged)
            async with opened(tmp_path / link) as terminal:
                if name != "usb_eio":
                    await terminal.read_until(b"SMS DONE\r\n")
                echo = "" if name == "usb_eio" else "AT\r"
                assert await terminal.ask("AT") == f"{echo}\r\nOK\r\n"

    story(tell)


def test_reports_wait_while_the_plug_is_out(tmp_path: Path) -> None:
    async def tell() -> None:
        async with Simulator(count=1, dir=tmp_path, traits=QUICK) as sim:
            async with opened(sim.ports[0]) as terminal:
                await terminal.ask("ATE0;+CNMI=2,1,0,2,0")
                await terminal.submit(HELLO, HELLO_OCTETS)
                sim.modem(0).unplug(power_lost=False)
            await asyncio.sleep(0.05)
            sim.modem(0).replug()
            async with opened(sim.ports[0]) as terminal:
                assert await terminal.ask('AT+CPMS="SR"') == "\r\n+CPMS: 1,20,0,23,0,23\r\n\r\nOK\r\n"

    story(tell)


def test_another_sim_is_another_subscriber_in_the_same_modem(tmp_path: Path) -> None:
    async def tell() -> None:
        async with Simulator(count=1, dir=tmp_path, traits=QUICK) as sim, opened(sim.ports[0]) as terminal:
            before = await terminal.ask("ATE0;+CGSN;+CIMI")
            sim.modem(0).swap_sim(Sim("001019999999999", "894901", "+4915"))
            await terminal.read_until(b"SMS DONE\r\n")
            after = await terminal.ask("ATE0;+CGSN;+CIMI")
            assert after.split()[1] == before.split()[1]
            assert after.split()[2] == "001019999999999"

    story(tell)


def test_two_sites_need_not_have_the_same_modems(tmp_path: Path) -> None:
    async def tell() -> None:
        first, second = Simulator(dir=tmp_path / "a"), Simulator(dir=tmp_path / "b", identity_offset=100)
        async with first, second:
            imeis = [handle.core.identity.imei for sim in (first, second) for handle in sim.modems]
            assert len(set(imeis)) == 8

    story(tell)


def test_a_second_simulator_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    async def tell() -> None:
        async with Simulator(count=1, dir=tmp_path):
            with pytest.raises(SimulatorError, match="another simulator"):
                async with Simulator(count=1, dir=tmp_path):
                    pass

    story(tell)


def test_a_link_of_an_earlier_run_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    async def tell() -> None:
        (tmp_path / "modem0").symlink_to("/dev/pts/none")
        (tmp_path / "modem5").symlink_to("/dev/pts/none")
        async with Simulator(count=1, dir=tmp_path) as sim, opened(sim.ports[0]) as terminal:
            await terminal.ask("AT")
            assert names(tmp_path) == ["modem0"]
        (tmp_path / "modem1").write_text("mine")
        with pytest.raises(LinkTaken):
            async with Simulator(count=2, dir=tmp_path):
                pass
        assert names(tmp_path) == ["modem1"]

    story(tell)
