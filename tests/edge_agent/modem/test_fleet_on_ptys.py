"""The whole modem side on simulated modems: what works when nothing is wrong, for each make."""

from pathlib import Path

import pytest

from edge_agent.modem.pdu import Deliver, StatusReport, decode
from edge_agent.simulator.vendors import VENDORS
from edge_agent.span import SpanState, Taken
from tests.edge_agent.modem.agent_double import mark
from tests.edge_agent.modem.rig import modems, part, run


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_every_make_becomes_ready_sends_and_receives(vendor: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, vendors=(vendor,)) as rig:
            modem = await rig.ready()
            assert isinstance(await modem.submit(part("one"), mark), Taken)
            rig.sim.modem(0).receive("hello yourself", "+491719999999")
            await rig.agent.until(lambda: rig.agent.received)
            received = decode(rig.agent.received[0])
            assert isinstance(received, Deliver)
            assert received.text == "hello yourself"
            assert rig.on_air() == ["one"]

    run(story)


@pytest.mark.parametrize("vendor", sorted(VENDORS.keys() - {"cinterion"}))
def test_every_make_with_reports_tells_them(vendor: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, vendors=(vendor,)) as rig:
            modem = await rig.ready()
            taken = await modem.submit(part(), mark)
            assert isinstance(taken, Taken)
            await rig.agent.until(lambda: rig.agent.reports)
            report = decode(rig.agent.reports[0])
            assert isinstance(report, StatusReport)
            assert report.tp_mr == taken.mr

    run(story)


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_every_make_answers_ussd(vendor: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, vendors=(vendor,)) as rig:
            modem = await rig.ready()
            await rig.state(SpanState.READY)
            assert "12.34" in await rig.fleet.ussd(modem.span, "*100#")

    run(story)


def test_a_ready_span_tells_who_and_where_it_is(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            await rig.state(SpanState.READY)
            (status,) = rig.fleet.statuses()
            who = rig.sim.modem(0).core.identity
            assert status.span == f"imei:{who.imei}"
            assert (status.imei, status.imsi, status.iccid) == (who.imei, who.sim.imsi, who.sim.iccid)
            assert (status.operator, status.technology, status.available) == ("Testnet", "lte", True)
            assert status.device == str(rig.sim.ports[0])

    run(story)


def test_an_unchanged_status_is_told_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            modem = await rig.ready()
            for _ in range(20):
                await modem.submit(part(), mark)
            states = [status.state for status in rig.agent.statuses]
            assert states == [SpanState.ABSENT, SpanState.PROBING, SpanState.REGISTERING, SpanState.READY]

    run(story)
