"""Fault by fault, on ptys: what a submission's outcome is said to be, and that the span goes on afterwards."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_agent.modem.config import ModemsConfig
from edge_agent.modem.opened import MAX_RESYNCS
from edge_agent.modem.resync import AFTER_ESC
from edge_agent.simulator import Simulator
from edge_agent.span import NotSubmitted, Refusal, SpanState, Submission, Taken, Unknown
from tests.edge_agent.modem.agent_double import mark
from tests.edge_agent.modem.rig import OPTIONS, SHORT, modems, part, run

Row = tuple[str, dict[str, Any], type[Submission]]

# What happens while AT+CMGS or its PDU is answered, and what is known afterwards.
FAULTS: list[Row] = [
    ("no_prompt", {}, NotSubmitted),
    ("slow_prompt", {"seconds": 0.6}, Taken),
    ("prompt_without_space", {}, Taken),
    ("urc_in_prompt", {"where": "before"}, Taken),
    ("urc_in_prompt", {"where": "inside"}, Taken),
    ("urc_in_prompt", {"where": "after"}, Taken),
    ("hang_after_pdu", {"seconds": 1.5}, Unknown),
    ("refuse", {"code": 21}, Refusal),
    ("refuse", {"code": 304}, Refusal),
    ("refuse_network", {"code": 38}, Unknown),
    ("refuse_network", {"code": 500}, Unknown),
    ("command_not_support", {}, NotSubmitted),
    ("urc_storm", {}, Taken),
    ("urc_between", {}, Taken),
    ("joined", {}, Taken),
    ("split_reads", {}, Taken),
    ("garbage", {}, Taken),
    ("extra_blank_lines", {}, Taken),
    ("odd_line_ends", {}, Taken),
    ("report_before_answer", {}, Taken),
    ("reboot_after_pdu", {}, Unknown),
    ("unplug_after_pdu", {"seconds": 0.3}, Unknown),
]


@pytest.mark.parametrize(("name", "params", "outcome"), FAULTS, ids=lambda value: str(value)[:40])
def test_the_outcome_is_what_is_known(
    name: str, params: dict[str, Any], outcome: type[Submission], tmp_path: Path
) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            modem = await rig.ready()
            rig.sim.modem(0).fault(name, **params)
            submission = await modem.submit(part("one"), mark)
            assert isinstance(submission, outcome), submission
            on_air = rig.on_air()
            assert on_air == (["one"] if isinstance(submission, Taken) else on_air)
            assert not (isinstance(submission, NotSubmitted | Refusal) and on_air)
            assert isinstance(await rig.submit("two"), Taken)
            assert rig.on_air()[-1] == "two"

    run(story)


@pytest.mark.parametrize("reference", [None, -1, 0])
def test_a_missing_reference_is_said_to_be_missing(reference: int | None, tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            modem = await rig.ready()
            rig.sim.modem(0).fault("missing_reference", reference=reference)
            assert await modem.submit(part(), mark) == Taken(None)
            await rig.agent.until(lambda: rig.agent.reports)

    run(story)


def test_a_busy_modem_is_asked_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            modem = await rig.ready()
            rig.sim.modem(0).fault("busy", count=1, on="CMGS")
            assert isinstance(await modem.submit(part(), mark), Taken | NotSubmitted)

    run(story)


@pytest.mark.parametrize(
    ("name", "vendor"), [("reboot_mid_command", "quectel"), ("reboot_mid_command", "huawei"), ("hang", "quectel")]
)
def test_a_modem_that_restarts_or_hangs_while_idle_comes_back(name: str, vendor: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, vendors=(vendor,)) as rig:
            await rig.ready()
            params: dict[str, Any] = {"seconds": 30.0} if name == "hang" else {}
            rig.sim.modem(0).fault(name, on="CSQ", **params)
            await rig.agent.until(lambda: rig.agent.statuses[-1].state is SpanState.RECOVERING)
            rig.sim.modem(0).wake()
            assert isinstance(await rig.submit("after"), Taken)
            assert rig.on_air() == ["after"]

    run(story)


def test_a_first_command_that_is_lost_is_made_good(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, prepare=lambda sim: sim.modem(0).fault("first_command_lost", count=3)) as rig:
            assert isinstance(await rig.submit("one"), Taken)
            assert rig.on_air() == ["one"]

    run(story)


def test_a_modem_that_sleeps_whenever_it_is_left_alone_stays_ready_and_sends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Three times, for three answers that never come are trouble."""
    config = ModemsConfig(default=OPTIONS, timings=replace(SHORT, status_every=1.0, wake_after=0.7))

    async def story() -> None:
        async with modems(tmp_path, config=config) as rig:
            await rig.state(SpanState.READY)
            slept, woken = rig.sim.modem(0).core.faults, asyncio.Semaphore(0)
            slept.on_strike = lambda name: woken.release()
            rig.sim.modem(0).fault("falls_asleep", idle=0.8)
            for count in range(MAX_RESYNCS):
                await woken.acquire()
                assert isinstance(await (await rig.ready()).submit(part(str(count)), mark), Taken)
            assert rig.on_air() == ["0", "1", "2"]
            assert rig.agent.statuses[-1].state is SpanState.READY

    run(story)
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == []


def test_a_sim_that_is_busy_after_boot_is_waited_for(tmp_path: Path) -> None:
    def before(sim: Simulator) -> None:
        sim.modem(0).fault("sms_not_ready", count=2)
        sim.modem(0).fault("busy", count=1, on="CIMI")

    async def story() -> None:
        async with modems(tmp_path, prepare=before) as rig:
            assert isinstance(await rig.submit("one"), Taken)
            (status,) = rig.fleet.statuses()
            assert status.imsi

    run(story)


def test_a_slow_modem_that_keeps_what_is_typed_meanwhile_is_understood(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Slower than the first wait for an OK, so that it has two of them to answer, until it has told who it is."""
    first_wait = 0.05
    config = ModemsConfig(default=OPTIONS, timings=replace(SHORT, probe_waits=(first_wait, 1.0)))

    def before(sim: Simulator) -> None:
        sim.modem(0).fault("late_answer", seconds=first_wait + AFTER_ESC + 0.05, count=9)

    async def story() -> None:
        async with modems(tmp_path, prepare=before, config=config) as rig:
            await rig.state(SpanState.READY, 20)
            assert rig.fleet.statuses()[0].imei == rig.sim.modem(0).core.identity.imei

    run(story)
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == []


@pytest.mark.parametrize("name", ["echo_stays", "cpin_without_ok", "odd_line_ends", "split_reads", "late_answer"])
def test_a_modem_with_such_a_habit_from_the_start_works(name: str, tmp_path: Path) -> None:
    def before(sim: Simulator) -> None:
        if name == "late_answer":
            sim.modem(0).fault(name, seconds=1.0, on="CGMM")
        else:
            sim.modem(0).fault(name, count=200)

    async def story() -> None:
        async with modems(tmp_path, prepare=before) as rig:
            assert isinstance(await rig.submit("one"), Taken)

    run(story)
