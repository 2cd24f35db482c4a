"""The life of spans on ptys: SIM, registration, plugging, ports, trouble; and that one modem's trouble is its own."""

import asyncio
import fcntl
import os
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.modem.config import ModemsConfig, SpanOptions
from edge_agent.simulator import Simulator, Traits
from edge_agent.simulator.identity import identity_of
from edge_agent.span import ReadyModem, SpanState, Taken
from tests.edge_agent.modem.agent_double import mark
from tests.edge_agent.modem.rig import OPTIONS, QUICK, SHORT, Rig, modems, part, run

LOCKED = replace(QUICK, pin="4711")


def with_pin(pin: str, folder: Path, *, ledger: bool = True) -> ModemsConfig:
    return ModemsConfig(
        default=SpanOptions(pin=pin), timings=SHORT, pin_ledger=folder / "state" / "pins.json" if ledger else None
    )


def tries(rig: Rig) -> int:
    return rig.sim.modem(0).core.sim.pin_attempts


def states(rig: Rig) -> list[SpanState]:
    return [status.state for status in rig.agent.statuses]


# SIM


def test_a_configured_pin_unlocks_the_sim_also_after_a_restart_of_the_modem(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, traits=LOCKED, config=with_pin("4711", tmp_path)) as rig:
            await rig.state(SpanState.READY)
            rig.sim.modem(0).reboot()
            await rig.state(SpanState.RECOVERING)
            await rig.state(SpanState.READY)
            assert tries(rig) == 3

    run(story)


def test_a_wrong_pin_is_entered_once_and_never_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, traits=LOCKED, config=with_pin("0000", tmp_path)) as rig:
            status = await rig.state(SpanState.SIM_PIN)
            assert "refused" in status.reason
            await rig.status(lambda status: "not tried again" in status.reason)
            await asyncio.sleep(4 * SHORT.sim_every)
            rig.sim.modem(0).reboot()
            await rig.state(SpanState.RECOVERING)
            await rig.state(SpanState.SIM_PIN)
            assert tries(rig) == 2
            # A new process finds the file.
            async with modems(tmp_path / "other", traits=LOCKED, config=with_pin("0000", tmp_path)) as second:
                status = await second.state(SpanState.SIM_PIN)
                assert "was tried once" in status.reason
                assert tries(second) == 3

    run(story)


def test_a_corrected_pin_is_tried(tmp_path: Path) -> None:
    async def story() -> None:
        for pin, state in (("0000", SpanState.SIM_PIN), ("4711", SpanState.READY)):
            async with modems(tmp_path / pin, traits=LOCKED, config=with_pin(pin, tmp_path)) as rig:
                await rig.state(state)

    run(story)


@pytest.mark.parametrize(
    ("pin", "ledger", "reason"),
    [("", True, "none is configured"), ("12ab", True, "4 to 8 digits"), ("4711", False, "without a file")],
)
def test_no_pin_is_entered_where_that_is_not_safe(pin: str, ledger: bool, reason: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, traits=LOCKED, config=with_pin(pin, tmp_path, ledger=ledger)) as rig:
            status = await rig.state(SpanState.SIM_PIN)
            assert reason in status.reason
            assert not status.available
            assert tries(rig) == 3

    run(story)


def test_with_one_try_left_a_person_must_enter_the_pin(tmp_path: Path) -> None:
    def before(sim: Simulator) -> None:
        sim.modem(0).core.sim.pin_attempts = 1

    async def story() -> None:
        async with modems(tmp_path, traits=LOCKED, config=with_pin("4711", tmp_path), prepare=before) as rig:
            status = await rig.state(SpanState.SIM_PIN)
            assert "only 1" in status.reason
            assert tries(rig) == 1

    run(story)


def test_a_missing_sim_is_told_and_noticed_when_it_is_put_in(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, prepare=lambda sim: sim.modem(0).fault("sim_missing")) as rig:
            status = await rig.state(SpanState.SIM_PIN)
            assert "SIM not inserted" in status.reason
            rig.sim.modem(0).clear("sim_missing")
            await rig.state(SpanState.READY)

    run(story)


# Network


@pytest.mark.parametrize(
    ("fault", "reason"), [("not_registered", "searching for a network"), ("registration_denied", "denies")]
)
def test_a_span_that_is_not_registered_says_why(fault: str, reason: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, prepare=lambda sim: sim.modem(0).fault(fault)) as rig:
            await rig.status(lambda status: status.state is SpanState.REGISTERING and reason in status.reason)
            rig.sim.modem(0).clear(fault)
            await rig.state(SpanState.READY)

    run(story)


def test_registration_lost_stops_the_work_and_registration_found_resumes_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            await rig.state(SpanState.READY)
            rig.sim.modem(0).fault("not_registered")
            await rig.state(SpanState.REGISTERING)
            rig.sim.modem(0).clear("not_registered")
            await rig.state(SpanState.READY)
            assert isinstance(await rig.submit("after"), Taken)

    run(story)


def test_a_modem_that_never_registers_has_its_radio_switched_and_then_its_port_reopened(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with modems(tmp_path, prepare=lambda sim: sim.modem(0).fault("not_registered")) as rig:
            await rig.state(SpanState.QUARANTINED, 20)

    run(story)
    steps = [record.message for record in caplog.records if "imei:" in record.message]
    assert [step.rpartition("; ")[2] for step in steps[:3]] == [
        "switching its radio off and on",
        "closing and opening its port",
        "leaving it alone for a while",
    ]
    assert all("not registered: searching for a network" in step for step in steps[:3])


def test_a_usb_device_is_reset_where_that_is_allowed_and_it_goes_on_where_that_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        config = ModemsConfig(default=replace(OPTIONS, usb_reset=True), timings=SHORT)
        async with modems(tmp_path, config=config, prepare=lambda sim: sim.modem(0).fault("not_registered")) as rig:
            await rig.state(SpanState.QUARANTINED, 20)
            rig.sim.modem(0).clear("not_registered")
            await rig.state(SpanState.READY)

    run(story)
    steps = [record.message.rpartition(": ")[2] for record in caplog.records if "imei:" in record.message]
    at = next(position for position, step in enumerate(steps) if step.endswith("resetting its USB device"))
    assert steps[at + 1].endswith("is no port of a USB device")  # a pty


# Plugging


def test_an_unplugged_modem_is_absent_and_the_same_span_when_it_is_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            ready = await rig.state(SpanState.READY)
            rig.sim.modem(0).unplug()
            absent = await rig.state(SpanState.ABSENT)
            assert (absent.span, absent.available) == (ready.span, False)
            rig.sim.modem(0).replug()
            assert (await rig.state(SpanState.READY)).span == ready.span
            assert isinstance(await rig.submit("after"), Taken)

    run(story)


def test_a_modem_that_comes_back_on_another_port_keeps_its_span(tmp_path: Path) -> None:
    ports = tuple(str(tmp_path / "ports" / name) for name in ("modem0", "modem7"))

    async def story() -> None:
        async with modems(tmp_path, config=ModemsConfig(ports=ports, default=OPTIONS, timings=SHORT)) as rig:
            ready = await rig.state(SpanState.READY)
            rig.sim.modem(0).unplug()
            rig.sim.modem(0).replug("modem7")
            again = await rig.status(lambda status: status.state is SpanState.READY and status.device == ports[1])
            assert again.span == ready.span
            assert len(rig.fleet.statuses()) == 1

    run(story)


def test_two_modems_that_swap_their_ports_keep_their_spans(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, count=2) as rig:
            await rig.agent.until_ready(2)
            before = {status.span: status.device for status in rig.fleet.statuses()}
            for modem in rig.sim.modems:
                modem.unplug()
            rig.sim.modem(0).replug("modem1")
            rig.sim.modem(1).replug("modem0")

            def swapped() -> bool:
                now = {status.span: status.device for status in rig.fleet.statuses() if status.available}
                return len(now) == 2 and all(now[span] != device for span, device in before.items())

            await rig.agent.until(swapped)
            assert before.keys() == {status.span for status in rig.fleet.statuses()}

    run(story)


def test_several_ports_of_one_modem_are_one_span_and_the_other_one_takes_over(tmp_path: Path) -> None:
    async def story() -> None:
        async with Simulator(
            dir=tmp_path / "ports", count=2, traits=QUICK, identities=[identity_of(5), identity_of(5)]
        ) as sim:
            ports = tuple(str(port) for port in sim.ports)
            config = ModemsConfig(ports=ports, default=OPTIONS, timings=SHORT)
            async with modems(tmp_path / "unused", count=0, config=config) as rig:
                first = await rig.state(SpanState.READY)
                await asyncio.sleep(0.5)
                assert len(rig.fleet.statuses()) == 1
                used = ports.index(first.device)
                sim.modem(used).unplug()
                other = await rig.status(
                    lambda status: status.state is SpanState.READY and status.device == ports[1 - used]
                )
                assert other.span == first.span

    run(story)


@pytest.mark.parametrize("fault", ["usb_eio", "replug"])
def test_a_port_that_breaks_is_opened_anew(fault: str, tmp_path: Path) -> None:
    ports = tuple(str(tmp_path / "ports" / f"modem{number}") for number in range(3))

    async def story() -> None:
        async with modems(tmp_path, config=ModemsConfig(ports=ports, default=OPTIONS, timings=SHORT)) as rig:
            await rig.state(SpanState.READY)
            rig.sim.modem(0).fault(fault, on="CSQ")
            await rig.status(lambda status: status.state is not SpanState.READY)
            await rig.state(SpanState.READY)
            assert isinstance(await rig.submit("after"), Taken)

    run(story)


def test_a_port_held_by_another_program_is_named_and_used_when_it_is_free(tmp_path: Path) -> None:
    async def story() -> None:
        async with Simulator(dir=tmp_path / "ports", count=1, traits=QUICK) as sim:
            port = str(sim.ports[0])
            held = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            config = ModemsConfig(ports=(port,), default=OPTIONS, timings=SHORT)
            async with modems(tmp_path / "unused", count=0, config=config) as rig:
                await asyncio.sleep(0.3)
                assert "in use" in rig.fleet.unusable()[port]
                os.close(held)
                await rig.state(SpanState.READY)
                assert rig.fleet.unusable() == {}

    run(story)


# Trouble


def test_one_deaf_modem_never_delays_another(tmp_path: Path) -> None:
    async def work(modem: ReadyModem) -> None:
        for count in range(100):
            await modem.submit(part(str(count)), mark)
        await asyncio.get_running_loop().create_future()

    async def story() -> None:
        def before(sim: Simulator) -> None:
            sim.modem(0).fault("hang", seconds=1000.0, on="CGMM")

        async with modems(tmp_path, count=2, prepare=before, worker=work) as rig:
            loop = asyncio.get_running_loop()
            await rig.agent.until_ready(1)
            start = loop.time()
            await rig.sim.wait_air(lambda records: sum(record["event"] == "submit" for record in records) >= 100)
            assert loop.time() - start < 2.0
            assert all(record["imei"] == rig.sim.modem(1).core.identity.imei for record in rig.sim.air)

    run(story)


def test_a_fault_of_our_own_on_one_modem_ends_no_other_and_that_one_is_begun_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    faulty = f"imei:{identity_of(0).imei}"
    begun: list[str] = []

    async def work(modem: ReadyModem) -> None:
        begun.append(modem.span)
        if begun.count(faulty) == 1 and modem.span == faulty:
            raise LookupError("a bug")
        await asyncio.get_running_loop().create_future()

    async def story() -> None:
        async with modems(tmp_path, count=2, worker=work) as rig:
            await rig.agent.until(lambda: begun.count(faulty) == 2)
            told = [status for status in rig.agent.statuses if status.span == faulty]
            assert [status.reason for status in told if status.state is SpanState.QUARANTINED] == [
                "a fault of the agent's own, see its log; tried again in 0 s"
            ]
            assert (len(begun), rig.running.done()) == (3, False)

    run(story)
    assert "LookupError: a bug" in caplog.text


def test_a_fault_of_our_own_while_a_port_is_probed_ends_no_modem(tmp_path: Path) -> None:
    class Faulty(dict[str, SpanOptions]):
        """Options that cannot be looked up the first time."""

        asked = 0

        def get(self, key: str, default: object = None) -> None:  # type: ignore[override]
            self.asked += 1
            if self.asked == 1:
                raise LookupError("a bug")

    async def story() -> None:
        config = ModemsConfig(spans=Faulty(), default=OPTIONS, timings=SHORT)
        async with modems(tmp_path, config=config) as rig:
            await rig.agent.until_ready()
            assert rig.fleet.unusable() == {}

    run(story)


def test_a_modem_that_stays_deaf_is_left_alone_for_ever_longer(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            await rig.state(SpanState.READY)
            rig.sim.modem(0).fault("hang", seconds=1000.0, on="CSQ")
            first = await rig.state(SpanState.QUARANTINED, 60)
            assert "tried again in" in first.reason
            rig.sim.modem(0).wake()
            await rig.state(SpanState.READY, 20)
            assert isinstance(await rig.submit("after"), Taken)

    run(story)


def test_messages_that_fail_in_a_row_have_the_modem_looked_after(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            modem = await rig.ready()
            rig.sim.modem(0).fault("refuse", count=5, code=331)
            for count in range(5):
                await modem.submit(part(str(count)), mark)
            status = await rig.state(SpanState.RECOVERING)
            assert "5 messages in a row failed" in status.reason
            assert isinstance(await rig.submit("after"), Taken)

    run(story)


def test_the_balance_is_asked_for_and_shown(tmp_path: Path) -> None:
    async def story() -> None:
        config = ModemsConfig(default=SpanOptions(balance_ussd="*100#"), timings=SHORT)
        async with modems(tmp_path, config=config) as rig:
            status = await rig.status(lambda status: bool(status.balance))
            assert "12.34" in status.balance

    run(story)


def test_a_span_configured_by_its_imei_is_known_before_it_is_there(tmp_path: Path) -> None:
    async def story() -> None:
        who = identity_of(0).imei
        config = ModemsConfig(spans={who: SpanOptions(name="lte-1.1")}, timings=SHORT)
        async with modems(tmp_path, config=config, prepare=lambda sim: sim.modem(0).unplug()) as rig:
            absent = await rig.state(SpanState.ABSENT)
            assert (absent.span, absent.name) == (f"imei:{who}", "lte-1.1")
            rig.sim.modem(0).replug()
            assert (await rig.state(SpanState.READY)).name == "lte-1.1"

    run(story)


def test_the_whole_fleet_ends_at_once_and_lets_the_ports_go(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, count=4, traits=Traits(boot=0.05, register=0.02)) as rig:
            await rig.agent.until_ready(4)
            ports = [str(port) for port in rig.sim.ports]
            loop = asyncio.get_running_loop()
            start = loop.time()
            rig.running.cancel()
            await asyncio.wait({rig.running})
            assert loop.time() - start < 1.0
            for port in ports:
                free = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
                fcntl.flock(free, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.close(free)

    run(story)


def test_a_sim_taken_out_of_a_ready_modem_is_told(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            await rig.state(SpanState.READY)
            rig.sim.modem(0).fault("sim_missing")
            status = await rig.state(SpanState.SIM_PIN)
            assert "SIM not inserted" in status.reason
            rig.sim.modem(0).clear("sim_missing")
            await rig.state(SpanState.READY)

    run(story)


def test_a_soft_reset_switches_echo_on_and_is_no_restart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            modem = await rig.ready()
            rig.sim.modem(0).fault("refuse", count=5, code=331)
            for count in range(5):
                await modem.submit(part(str(count)), mark)
            await rig.state(SpanState.RECOVERING)
            await rig.state(SpanState.READY)

    run(story)
    assert [record.message.rpartition("; ")[2] for record in caplog.records] == ["soft reset (ATZ)"]
