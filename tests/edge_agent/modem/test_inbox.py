"""The inbox against scripted modems, where minutes may pass."""

import asyncio

import pytest

from edge_agent.modem.commands import Command
from edge_agent.modem.inbox import Inbox, is_report
from edge_agent.modem.indications import Indications
from edge_agent.modem.report_watch import ReportWatch
from edge_agent.modem.setup import Receiving
from tests.edge_agent.modem.agent_double import AgentDouble
from tests.edge_agent.modem.scripted import SYNC, Ear, ScriptedModem, scripted
from tests.edge_agent.modem.virtual_time import run_virtually

DELIVER = "0791947101670000040791942143F500006211320021048008E834888E2ECBCB"
REPORT = "079194710167000006010C91947111325476621132002104806211320021048000"


class InboxOnScript(Ear):
    """An inbox whose notices come from the scripted modem."""

    def __init__(self, *, acknowledge: bool = False, stores: tuple[str, ...] = ("SM",)) -> None:
        super().__init__()
        self.agent = AgentDouble()
        self._receiving = Receiving(stores, Indications(1, 1, acknowledge, ()))

    async def play(self, script: str, *, sweep: bool = False) -> ScriptedModem:
        channel, modem = await scripted("", self)
        self.channel = channel
        self.inbox = Inbox(channel, self.agent, "imei:1", "2", self._receiving, ReportWatch(1.0))
        running = asyncio.create_task(self.inbox.run())
        if sweep:
            self.inbox.sweep()
        for urc in self.urcs:
            self.inbox.on_urc(urc)
        self.on_urc = self.inbox.on_urc  # type: ignore[method-assign]
        modem.extend(script)
        await asyncio.sleep(120.0)
        assert not running.done() or running.result()
        running.cancel()
        assert modem.done
        return modem


def test_a_direct_report_needs_no_command_in_phase_2() -> None:
    on_script = InboxOnScript()
    run_virtually(on_script.play(f"< +CDS: 25\n< {REPORT}"))
    assert on_script.agent.reports == [REPORT]


def test_a_direct_report_is_acknowledged_in_phase_2_plus() -> None:
    on_script = InboxOnScript(acknowledge=True)
    run_virtually(on_script.play(f"< +CDS: 25\n< {REPORT}\n> AT+CNMA\n< OK"))
    assert on_script.agent.reports == [REPORT]


def test_a_report_that_cannot_be_decoded_is_acknowledged_too() -> None:
    on_script = InboxOnScript(acknowledge=True)
    run_virtually(on_script.play("< +CDS: 25\n< 07!garbage\n> AT+CNMA\n< OK"))
    assert on_script.agent.reports == ["07!garbage"]


def test_an_acknowledgement_is_spelled_as_the_modem_wants_it() -> None:
    on_script = InboxOnScript(acknowledge=True)
    script = f"< +CDS: 25\n< {REPORT}\n< +CDS: 25\n< {REPORT}\n> AT+CNMA\n< ERROR\n> AT+CNMA=0\n< OK\n> AT+CNMA=0\n< OK"
    run_virtually(on_script.play(script))
    assert len(on_script.agent.reports) == 2


def test_an_empty_slot_answers_a_bare_ok_and_the_stores_are_searched() -> None:
    on_script = InboxOnScript(stores=("SM", "SR"))
    script = (
        '< +CMTI: "SM",0\n> AT+CPMS="SM"\n< +CPMS: 0,20,0,20,0,20\n< OK\n> AT+CMGR=0\n< OK\n'
        '> AT+CPMS="SM"\n< +CPMS: 0,20,0,20,0,20\n< OK\n> AT+CPMS="SR"\n< +CPMS: 0,20,0,20,0,20\n< OK'
    )
    run_virtually(on_script.play(script))
    assert on_script.agent.received == []


def test_a_notification_without_its_store_has_the_stores_searched() -> None:
    on_script = InboxOnScript()
    script = (
        f'< +CMTI: 4\n> AT+CPMS="SM"\n< +CPMS: 1,20,0,20,0,20\n< OK\n> AT+CMGL=4\n< +CMGL: 4,0,,24\n< {DELIVER}\n< OK\n'
        "> AT+CMGD=4\n< OK"
    )
    run_virtually(on_script.play(script))
    assert on_script.agent.received == [DELIVER]


def test_a_store_that_is_selected_is_not_selected_again() -> None:
    on_script = InboxOnScript()
    one = f"> AT+CMGR=%d\n< +CMGR: 0,,24\n< {DELIVER}\n< OK\n> AT+CMGD=%d\n< OK\n"
    script = '< +CMTI: "SM",4\n< +CMTI: "SM",5\n> AT+CPMS="SM"\n< +CPMS: 2,20,0,20,0,20\n< OK\n'
    run_virtually(on_script.play(script + one % (4, 4) + one % (5, 5)))
    assert len(on_script.agent.received) == 2


def test_nothing_is_deleted_by_an_index_of_before_the_dialogue_was_out_of_step() -> None:
    """A modem that restarted without a word has its default store selected, and another message at that index."""
    on_script = InboxOnScript()

    async def slow_disk(span: str, imsi: str, pdu: str) -> None:
        on_script.agent.received.append(pdu)
        if len(on_script.agent.received) == 1:
            await on_script.channel.request(Command("AT+CSQ", "+CSQ:", 1.0))

    on_script.agent.delivered = slow_disk  # type: ignore[method-assign]
    script = (
        '< +CMTI: "SM",4\n> AT+CPMS="SM"\n< +CPMS: 1,20,0,20,0,20\n< OK\n'
        f"> AT+CMGR=4\n< +CMGR: 0,,24\n< {DELIVER}\n< OK\n> AT+CSQ\n"  # and no answer
        + SYNC
        + f'> AT+CPMS="SM"\n< +CPMS: 1,20,0,20,0,20\n< OK\n> AT+CMGL=4\n< +CMGL: 4,1,,24\n< {DELIVER}\n< OK\n'
        "> AT+CMGD=4\n< OK"
    )
    run_virtually(on_script.play(script))
    assert on_script.agent.received == [DELIVER] * 2


def test_a_listing_that_hangs_is_given_up_and_the_store_is_read_one_by_one() -> None:
    on_script = InboxOnScript()
    script = (
        '> AT+CPMS="SM"\n< +CPMS: 1,3,1,3,1,3\n< OK\n> AT+CMGL=4\n'  # and no answer
        + SYNC
        + '> AT+CPMS="SM"\n< +CPMS: 1,3,1,3,1,3\n< OK\n'
        + f"> AT+CMGR=0\n< +CMS ERROR: 321\n> AT+CMGR=1\n< +CMGR: 1,,24\n< {DELIVER}\n< OK\n> AT+CMGD=1\n< OK"
    )
    run_virtually(on_script.play(script, sweep=True))
    assert on_script.agent.received == [DELIVER]


def test_reports_in_a_listing_are_told_as_reports() -> None:
    on_script = InboxOnScript()
    script = (
        '> AT+CPMS="SM"\n< +CPMS: 2,20,0,20,0,20\n< OK\n> AT+CMGL=4\n'
        f"< +CMGL: 1,1,,24\n< {DELIVER}\n< +CMGL: 7,0,,25\n< {REPORT}\n< OK\n> AT+CMGD=1\n< OK\n> AT+CMGD=7\n< OK"
    )
    run_virtually(on_script.play(script, sweep=True))
    assert (on_script.agent.received, on_script.agent.reports) == ([DELIVER], [REPORT])


LISTED = (
    '> AT+CPMS="SM"\n< +CPMS: 2,2,2,2,2,2\n< OK\n> AT+CMGL=4\n'
    f"< +CMGL: 1,1,,24\n< {DELIVER}\n< +CMGL: 2,1,,24\n< {DELIVER}\n< OK\n"
)
ONE_BY_ONE = (
    '> AT+CPMS="SM"\n< +CPMS: 2,2,2,2,2,2\n< OK\n> AT+CMGL=4\n< ERROR\n'
    f"> AT+CMGR=0\n< +CMGR: 1,,24\n< {DELIVER}\n< OK\n> AT+CMGD=0\n< %s\n"
    f"> AT+CMGR=1\n< +CMGR: 1,,24\n< {DELIVER}\n< OK\n> AT+CMGD=1\n< %s\n"
)


@pytest.mark.parametrize(
    ("script", "full"),
    [
        (LISTED + "> AT+CMGD=1\n< +CMS ERROR: 302\n> AT+CMGD=2\n< +CMS ERROR: 302\n", True),
        (LISTED + "> AT+CMGD=1\n< +CMS ERROR: 302\n> AT+CMGD=2\n< OK\n", False),
        (ONE_BY_ONE % ("+CMS ERROR: 302", "+CMS ERROR: 302"), True),
        (ONE_BY_ONE % ("OK", "OK"), False),
    ],
)
def test_a_store_stays_full_where_the_modem_deletes_nothing(script: str, full: bool) -> None:
    on_script = InboxOnScript()
    run_virtually(on_script.play(script, sweep=True))
    assert on_script.inbox.full is full
    assert on_script.agent.received == [DELIVER] * 2


def test_what_is_a_report_is_told_by_the_pdu_itself() -> None:
    assert is_report(REPORT)
    assert not is_report(DELIVER)
    assert not any(is_report(broken) for broken in ("", "zz", "07", "0791"))
