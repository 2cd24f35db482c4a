"""The whole modem side on simulated modems: what works when nothing is wrong, for each make."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.modem.config import ModemsConfig, SpanOptions
from edge_agent.modem.pdu import Deliver, StatusReport, decode
from edge_agent.simulator.state import ROAMING
from edge_agent.simulator.vendors import VENDORS
from edge_agent.span import SpanState, Taken
from tests.edge_agent.modem.agent_double import mark
from tests.edge_agent.modem.rig import QUICK, SHORT, modems, part, run


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


def test_a_span_is_seen_to_be_sending_while_it_is(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            modem = await rig.ready()
            await rig.state(SpanState.READY)
            seen: list[SpanState] = []

            async def look() -> None:
                seen.extend(status.state for status in rig.fleet.statuses())

            await modem.submit(part(), look)
            seen.extend(status.state for status in rig.fleet.statuses())
            assert seen == [SpanState.SENDING, SpanState.READY]

    run(story)


def test_a_roaming_span_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            await rig.state(SpanState.READY)
            rig.sim.modem(0).core.radio.stat = ROAMING
            await rig.status(lambda status: "roaming" in status.operator)

    run(story)


def test_a_trace_on_request_shows_the_dialogue_and_nothing_personal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "edge_agent.modem.trace")

    async def story() -> None:
        config = ModemsConfig(trace=True, timings=SHORT, default=SpanOptions(pin="4711"), pin_ledger=tmp_path / "pins")
        async with modems(tmp_path, config=config, traits=replace(QUICK, pin="4711")) as rig:
            modem = await rig.ready()
            await modem.submit(part("secret", "+491711234567"), mark)
            await rig.agent.until(lambda: rig.agent.reports)
            personal = [part("secret", "+491711234567").hex, "4711", rig.sim.modem(0).core.identity.sim.imsi]
            assert not [text for text in personal if text in caplog.text.replace("imei:", "")]

    run(story)
    assert "> AT+CMGS=" in caplog.text
    assert "+CMGS: 1" in caplog.text
