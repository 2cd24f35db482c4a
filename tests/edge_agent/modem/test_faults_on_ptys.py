"""Fault by fault, on ptys: what a submission's outcome is said to be, and that the span goes on afterwards."""

from pathlib import Path

import pytest

from edge_agent.simulator.fault_rows import Value
from edge_agent.span import NotSubmitted, Refusal, SpanState, Submission, Taken, Unknown
from tests.edge_agent.modem.agent_double import mark
from tests.edge_agent.modem.rig import modems, part, run

Row = tuple[str, dict[str, Value], type[Submission]]

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
    name: str, params: dict[str, Value], outcome: type[Submission], tmp_path: Path
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


@pytest.mark.parametrize("vendor", ["quectel", "huawei"])
@pytest.mark.parametrize("name", ["reboot_mid_command", "hang"])
def test_a_modem_that_restarts_or_hangs_while_idle_comes_back(name: str, vendor: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, vendors=(vendor,)) as rig:
            await rig.ready()
            rig.sim.modem(0).fault(name, on="CSQ", **({"seconds": 30.0} if name == "hang" else {}))
            await rig.agent.until(lambda: rig.agent.statuses[-1].state is SpanState.RECOVERING)
            rig.sim.modem(0).wake()
            assert isinstance(await rig.submit("after"), Taken)
            assert rig.on_air() == ["after"]

    run(story)
