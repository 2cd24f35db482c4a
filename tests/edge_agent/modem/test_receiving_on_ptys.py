"""Messages and reports on their way in, on ptys: nothing is deleted or acknowledged before the agent has it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_agent.modem.pdu import Deliver, StatusReport, decode
from edge_agent.modem.report_watch import MISSED
from edge_agent.simulator import Simulator
from edge_agent.simulator.stores import Store, Stored
from edge_agent.span import SpanState, Taken
from tests.edge_agent.modem.agent_double import AgentDouble, mark
from tests.edge_agent.modem.rig import Rig, modems, part, run

SENDER = "+491719999999"
DELIVER = bytes.fromhex("0791947101670000040791942143F500006211320021048008E834888E2ECBCB")
DRAFT = bytes.fromhex("0011000B919471112233F40000FF05E8329BFD06")


def texts(agent: AgentDouble) -> list[str]:
    return [found.text for pdu in agent.received if isinstance(found := decode(pdu), Deliver)]


def store(sim: Simulator, name: str) -> Store:
    return sim.modem(0).core.stores[name]


def slots(rig: Rig) -> int:
    return sum(len(kept.slots) for kept in rig.sim.modem(0).core.stores.values())


async def until(wanted: Callable[[], bool], seconds: float = 10.0) -> None:
    """For what the simulator alone knows of."""
    async with asyncio.timeout(seconds):
        while not wanted():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_a_message_is_deleted_only_after_the_agent_has_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            await rig.ready()
            durable = asyncio.Event()
            kept_meanwhile: list[int] = []

            async def slowly(span: str, imsi: str, pdu: str) -> None:
                await durable.wait()
                kept_meanwhile.append(slots(rig))
                rig.agent.received.append(pdu)
                rig.agent.changed.set()

            rig.agent.delivered = slowly  # type: ignore[method-assign]
            rig.sim.modem(0).receive("hello", SENDER)
            await until(lambda: slots(rig) == 1)
            await asyncio.sleep(0.1)
            durable.set()
            await rig.agent.until(lambda: rig.agent.received)
            await until(lambda: slots(rig) == 0)
            assert kept_meanwhile == [1]

    run(story)


@pytest.mark.parametrize("vendor", ["quectel", "telit"])  # indexes from 0 and from 1
def test_what_was_stored_while_nobody_listened_is_read_at_the_start(vendor: str, tmp_path: Path) -> None:
    def before(sim: Simulator) -> None:
        for name in ("SM", "ME"):
            store(sim, name).put(Stored(DELIVER, len(DELIVER) - 8))
        store(sim, "SM").put(Stored(DRAFT, len(DRAFT) - 1, 2))

    async def story() -> None:
        async with modems(tmp_path, vendors=(vendor,), prepare=before) as rig:
            await rig.agent.until(lambda: len(rig.agent.received) == 2)
            await until(lambda: slots(rig) == 1)  # a person's own draft stays
            assert texts(rig.agent) == ["hi there"] * 2

    run(story)


def test_a_store_that_cannot_be_listed_is_read_one_by_one(tmp_path: Path) -> None:
    def before(sim: Simulator) -> None:
        store(sim, "SM").put(Stored(DELIVER, len(DELIVER) - 8))
        sim.modem(0).fault("command_not_support", on="CMGL", count=9)

    async def story() -> None:
        async with modems(tmp_path, prepare=before) as rig:
            await rig.agent.until(lambda: rig.agent.received)
            await until(lambda: slots(rig) == 0)

    run(story)


def test_a_message_kept_in_another_store_than_the_selected_one_is_found(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            await rig.ready()
            rig.sim.modem(0).fault("stored_elsewhere")
            rig.sim.modem(0).receive("elsewhere", SENDER)
            await rig.agent.until(lambda: rig.agent.received)
            await until(lambda: slots(rig) == 0)
            assert texts(rig.agent) == ["elsewhere"]

    run(story)


@pytest.mark.parametrize("vendor", ["simcom", "quectel", "huawei"])
def test_a_full_store_is_emptied_and_the_network_delivers_again(vendor: str, tmp_path: Path) -> None:
    def before(sim: Simulator) -> None:
        kept = store(sim, sim.modem(0).core.vendor.default_store)
        while not kept.full:
            kept.put(Stored(DELIVER, len(DELIVER) - 8))

    async def story() -> None:
        async with modems(tmp_path, vendors=(vendor,), prepare=before) as rig:
            await rig.ready()
            rig.sim.modem(0).receive("late", SENDER)
            await rig.agent.until(lambda: "late" in texts(rig.agent), 20)
            assert texts(rig.agent).count("late") == 1

    run(story)


def test_a_store_full_of_drafts_is_told_as_status(tmp_path: Path) -> None:
    def before(sim: Simulator) -> None:
        while not store(sim, "SM").full:
            store(sim, "SM").put(Stored(DRAFT, len(DRAFT) - 1, 2))

    async def story() -> None:
        async with modems(tmp_path, prepare=before) as rig:
            status = await rig.status(lambda status: status.sim_full)
            assert status.available

    run(story)


def test_a_malformed_message_is_handed_over_as_it_came_and_blocks_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            await rig.ready()
            rig.sim.modem(0).fault("malformed_inbound", count=3)
            for text in ("a", "b", "c", "whole"):
                rig.sim.modem(0).receive(text, SENDER)
            await rig.agent.until(lambda: len(rig.agent.received) == 4)
            await until(lambda: slots(rig) == 0)

    run(story)


def test_messages_received_while_sending_are_not_lost(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            modem = await rig.ready()
            for count in range(20):
                rig.sim.modem(0).receive(f"in {count}", SENDER)
                assert isinstance(await modem.submit(part(f"out {count}"), mark), Taken)
            await rig.agent.until(lambda: len(rig.agent.received) == 20 and len(rig.agent.reports) == 20)
            assert sorted(texts(rig.agent)) == sorted(f"in {count}" for count in range(20))

    run(story)


# Reports


def references(agent: AgentDouble) -> list[int]:
    return [found.tp_mr for pdu in agent.reports if isinstance(found := decode(pdu), StatusReport)]


@pytest.mark.parametrize(
    ("fault", "params"),
    [
        ("cds_needs_cnma", {}),
        ("ds_refused", {"values": "1"}),
        ("ds_refused", {"values": "12"}),
        ("report_before_answer", {}),
        ("report_late", {"seconds": 0.5}),
    ],
)
def test_reports_come_whatever_the_modem_wants_for_them(fault: str, params: dict[str, Any], tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, prepare=lambda sim: sim.modem(0).fault(fault, **params)) as rig:
            modem = await rig.ready()
            sent = [await modem.submit(part(str(count)), mark) for count in range(3)]
            if params.get("values") == "12":
                assert all(isinstance(one, Taken) for one in sent)  # no reports are to be had, the rest works
                return
            await rig.agent.until(lambda: len(rig.agent.reports) == 3)
            assert sorted(references(rig.agent)) == [one.mr for one in sent if isinstance(one, Taken)]

    run(story)


@pytest.mark.parametrize("vendor", ["quectel", "plain"])
def test_a_stored_report_is_found_wherever_it_is_kept(vendor: str, tmp_path: Path) -> None:
    """EC25: kept in SR, announced as "SM" (modem-notes 14), where something else may lie."""

    def before(sim: Simulator) -> None:
        sim.modem(0).fault("ds_refused", values="1")
        sim.modem(0).fault("cdsi_store_lies")

    async def story() -> None:
        async with modems(tmp_path, vendors=(vendor,), prepare=before) as rig:
            modem = await rig.ready()
            store(rig.sim, "SM").put(Stored(DELIVER, len(DELIVER) - 8))
            taken = await modem.submit(part(), mark)
            await rig.agent.until(lambda: rig.agent.reports and rig.agent.received)
            assert isinstance(taken, Taken)
            assert references(rig.agent) == [taken.mr]
            await until(lambda: slots(rig) == 0)

    run(story)


def test_every_direct_report_is_acknowledged_where_the_modem_wants_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, prepare=lambda sim: sim.modem(0).fault("cds_needs_cnma")) as rig:
            modem = await rig.ready()
            for count in range(10):
                await modem.submit(part(str(count)), mark)
            await rig.agent.until(lambda: len(rig.agent.reports) == 10)
            assert not rig.sim.modem(0).core.inbox.waiting
            assert rig.sim.modem(0).core.settings.cnmi[3] == 1  # not switched off for want of one

    run(story)


def test_an_acknowledgement_that_came_too_late_has_reports_told_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, prepare=lambda sim: sim.modem(0).fault("cds_needs_cnma")) as rig:
            modem = await rig.ready()
            keep = rig.agent.status_report

            async def slow_disk(span: str, imsi: str, pdu: str) -> None:
                await asyncio.sleep(0.7)  # longer than the simulated network waits
                rig.agent.status_report = keep  # type: ignore[method-assign]
                await keep(span, imsi, pdu)

            rig.agent.status_report = slow_disk  # type: ignore[method-assign]
            await modem.submit(part("one"), mark)
            await rig.agent.until(lambda: rig.agent.reports)
            await until(lambda: rig.sim.modem(0).core.settings.cnmi[3] == 1)
            await modem.submit(part("two"), mark)
            await rig.agent.until(lambda: len(set(references(rig.agent))) == 2)

    run(story)


def test_reports_that_never_come_directly_are_had_stored(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path, prepare=lambda sim: sim.modem(0).fault("ds_ignored")) as rig:
            modem = await rig.ready()
            for count in range(MISSED):
                await modem.submit(part(str(count)), mark)
            await until(lambda: rig.sim.modem(0).core.settings.cnmi[3] == 2)
            await modem.submit(part("with report"), mark)
            await rig.agent.until(lambda: rig.agent.reports)
            await rig.state(SpanState.READY)

    run(story)


def test_a_message_that_no_notice_announced_is_found_by_the_timer(tmp_path: Path) -> None:
    async def story() -> None:
        async with modems(tmp_path) as rig:
            await rig.state(SpanState.READY)
            await asyncio.sleep(0.1)
            store(rig.sim, "SM").put(Stored(DELIVER, len(DELIVER) - 8))
            await rig.agent.until(lambda: rig.agent.received)
            await until(lambda: slots(rig) == 0)

    run(story)
