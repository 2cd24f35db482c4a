"""Handing TPDUs over, against scripted modems."""

import asyncio
import math
from collections.abc import Awaitable, Callable

import pytest

from edge_agent.modem.channel import Channel
from edge_agent.modem.driver import MAX_FAILURES, Driver
from edge_agent.modem.pdu import SubmitPdu
from edge_agent.modem.reply import Outcome
from edge_agent.modem.report_watch import MISSED, ReportWatch
from edge_agent.span import Cut, NotSubmitted, Refusal, Taken, Unknown
from tests.edge_agent.modem.agent_double import mark
from tests.edge_agent.modem.scripted import SYNC, Ear, ScriptedModem, scripted
from tests.edge_agent.modem.virtual_time import run_virtually

PART = SubmitPdu("0031000B919471112233F40000FF04D4F29C0E", 17)
PDU = f"> {PART.hex}^Z\n"
OFFER = f"> AT+CMGS=17\n< >\n{PDU}"


def taken(reference: int) -> str:
    return f"{OFFER}< +CMGS: {reference}\n< OK\n"


class Rig:
    """A driver on a scripted modem."""

    def __init__(self, channel: Channel, modem: ScriptedModem, ear: Ear) -> None:
        self.channel, self.modem, self.ear = channel, modem, ear
        self.reports = ReportWatch(60.0)
        self.failures: list[str] = []
        self.driver = Driver(channel, "imei:1", "2", 120.0, self.reports, self.failures.append)


def play(script: str, story: Callable[[Rig], Awaitable[None]], *, wake_after: float = math.inf) -> None:
    async def whole() -> None:
        ear = Ear()
        rig = Rig(*(await scripted(script, ear, wake_after=wake_after)), ear)
        await story(rig)
        assert rig.modem.done

    run_virtually(whole())


def test_a_part_is_taken_with_its_reference() -> None:
    async def story(rig: Rig) -> None:
        assert await rig.driver.submit(PART, mark) == Taken(78)

    play(taken(78), story)


def test_the_mark_begins_with_the_command_and_is_done_before_the_pdu() -> None:
    seen: list[str] = []

    async def slow_mark() -> None:
        seen.append("begun")
        await asyncio.sleep(3.0)
        seen.append("done")

    async def story(rig: Rig) -> None:
        submitting = asyncio.create_task(rig.driver.submit(PART, slow_mark))
        await asyncio.sleep(1.0)
        assert seen == ["begun"]
        rig.modem.extend(f"{PDU}< +CMGS: 1\n< OK")
        assert isinstance(await submitting, Taken)
        assert seen == ["begun", "done"]

    play("> AT+CMGS=17\n< >", story)


def test_the_modem_makes_its_prompt_ready_while_the_mark_is_written() -> None:
    next_at_mark: list[str] = []

    async def story(rig: Rig) -> None:
        def begun() -> Awaitable[None]:
            next_at_mark.append(rig.modem.next)
            return mark()

        await rig.driver.submit(PART, begun)
        assert next_at_mark == [PDU.strip()]

    play(taken(1), story)


def test_a_mark_that_fails_leaves_the_prompt_and_nothing_was_submitted() -> None:
    async def broken() -> None:
        await asyncio.sleep(0.1)
        raise OSError("disk full")

    async def story(rig: Rig) -> None:
        submission = await rig.driver.submit(PART, broken)
        assert submission == NotSubmitted("the journal could not note it")
        await asyncio.sleep(5.0)

    play(f"> AT+CMGS=17\n< >\n{SYNC}", story)


def test_a_mark_that_takes_for_ever_leaves_the_prompt() -> None:
    async def stuck() -> None:
        await asyncio.sleep(600.0)

    async def story(rig: Rig) -> None:
        assert await rig.driver.submit(PART, stuck) == NotSubmitted("the journal took too long")
        await asyncio.sleep(5.0)

    play(f"> AT+CMGS=17\n< >\n{SYNC}", story)


def test_a_submission_withdrawn_before_the_pdu_is_never_handed_over() -> None:
    async def slow_mark() -> None:
        await asyncio.sleep(3.0)

    async def story(rig: Rig) -> None:
        submitting = asyncio.create_task(rig.driver.submit(PART, slow_mark))
        await asyncio.sleep(1.0)
        submitting.cancel()
        await asyncio.sleep(10.0)

    play(f"> AT+CMGS=17\n< >\n{SYNC}", story)


def test_a_submission_withdrawn_after_the_pdu_does_not_spoil_the_next() -> None:
    async def story(rig: Rig) -> None:
        first = asyncio.create_task(rig.driver.submit(PART, mark))
        await asyncio.sleep(1.0)
        first.cancel()
        await asyncio.sleep(1.0)
        second = asyncio.create_task(rig.driver.submit(PART, mark))
        await asyncio.sleep(1.0)
        rig.modem.extend(f"< +CMGS: 1\n< OK\n{taken(2)}")
        assert await second == Taken(2)

    play(OFFER, story)


def test_nothing_is_ever_written_between_a_command_and_its_pdu() -> None:
    async def slow_mark() -> None:
        await asyncio.sleep(3.0)

    async def story(rig: Rig) -> None:
        from edge_agent.modem import commands

        submitting = asyncio.create_task(rig.driver.submit(PART, slow_mark))
        await asyncio.sleep(1.0)
        acknowledged = rig.channel.request(commands.ACKNOWLEDGE, urgent=True)
        signal = rig.channel.request(commands.SIGNAL)
        rig.modem.extend(f"{PDU}< +CMGS: 1\n< OK\n> AT+CNMA\n< OK\n> AT+CSQ\n< +CSQ: 9,99\n< OK")
        assert isinstance(await submitting, Taken)
        assert (await acknowledged).ok
        assert (await signal).lines == ("+CSQ: 9,99",)

    play("> AT+CMGS=17\n< >", story)


def test_the_link_is_kept_for_the_parts_of_one_message() -> None:
    async def story(rig: Rig) -> None:
        for more in (True, True, False):
            await rig.driver.submit(PART, mark, more=more)
        await rig.driver.submit(PART, mark)

    play("> AT+CMMS=1\n< OK\n" + taken(1) + taken(2) + taken(3) + taken(4), story)


def test_a_modem_that_cannot_keep_the_link_is_not_asked_again() -> None:
    async def story(rig: Rig) -> None:
        for more in (True, False, True, False):
            await rig.driver.submit(PART, mark, more=more)

    play("> AT+CMMS=1\n< ERROR\n" + taken(1) + taken(2) + taken(3) + taken(4), story)


@pytest.mark.parametrize("busy", ["+CMS ERROR: 515", "+CME ERROR: 14", "+CMS ERROR: SIM busy"])
def test_a_busy_modem_is_asked_again_and_the_mark_is_made_once(busy: str) -> None:
    marks: list[int] = []

    async def counted() -> None:
        marks.append(1)

    async def story(rig: Rig) -> None:
        assert await rig.driver.submit(PART, counted) == Taken(5)
        assert len(marks) == 1

    play(f"> AT+CMGS=17\n< {busy}\n" * 2 + taken(5), story)


def test_no_answer_is_an_unknown_outcome_and_the_next_one_waits_for_the_modem() -> None:
    async def story(rig: Rig) -> None:
        assert isinstance(await rig.driver.submit(PART, mark), Unknown)
        rig.modem.extend(SYNC + taken(9))
        assert await rig.driver.submit(PART, mark) == Taken(9)

    play(OFFER, story)


def test_after_a_pause_an_at_goes_before_the_submission_and_not_into_it() -> None:
    marks: list[int] = []

    async def counted() -> None:
        marks.append(len(marks))

    async def story(rig: Rig) -> None:
        for pause in (4.9, 5.1, 0.0):
            await asyncio.sleep(pause)
            await rig.driver.submit(PART, counted)
        assert len(marks) == 3

    play(taken(1) + "> AT\n< OK\n" + taken(2) + taken(3), story, wake_after=5.0)


def test_an_at_that_a_sleeping_modem_lost_is_no_trouble_and_the_submission_follows_it() -> None:
    async def story(rig: Rig) -> None:
        for number in range(1, 6):
            await asyncio.sleep(6.0)
            rig.modem.extend("> AT\n" + SYNC + taken(number))  # the first one has no answer
            assert await rig.driver.submit(PART, mark) == Taken(number)
        assert rig.ear.troubles == []

    play("", story, wake_after=5.0)


def test_a_modem_that_is_not_woken_by_an_at_is_lost() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(6.0)
        assert isinstance(await rig.driver.submit(PART, mark), NotSubmitted)
        assert [outcome for outcome, _ in rig.ear.troubles] == [Outcome.GONE]

    play("> AT\n" + "> ^[\n> AT\n" * 2 + "> ^[\n", story, wake_after=5.0)


def test_settings_are_restored_before_anything_else_when_the_dialogue_was_out_of_step() -> None:
    async def story(rig: Rig) -> None:
        from edge_agent.modem import commands

        rig.channel.restore = (commands.ECHO_OFF, commands.PDU_MODE)
        await rig.driver.submit(PART, mark)
        rig.modem.extend(SYNC + "> ATE0\n< OK\n> AT+CMGF=0\n< OK\n" + taken(9))
        assert await rig.driver.submit(PART, mark) == Taken(9)

    play(OFFER, story)


def test_a_restart_fails_what_is_queued_too_since_the_modem_is_in_text_mode() -> None:
    async def story(rig: Rig) -> None:
        first = asyncio.create_task(rig.driver.submit(PART, mark))
        second = asyncio.create_task(rig.driver.submit(PART, mark))
        await asyncio.sleep(1.0)
        rig.modem.extend("< RDY\n" + SYNC)
        assert isinstance(await first, Unknown)
        assert isinstance(await second, NotSubmitted)
        await asyncio.sleep(5.0)

    play(OFFER, story)


def test_a_driver_that_was_ended_writes_nothing() -> None:
    async def story(rig: Rig) -> None:
        rig.driver.end("the modem restarted")
        assert await rig.driver.submit(PART, mark) == NotSubmitted("the modem restarted")

    play("", story)


def test_references_are_believed_only_where_counting_leads_to_them() -> None:
    async def story(rig: Rig) -> None:
        told = [await rig.driver.submit(PART, mark) for _ in range(5)]
        assert told == [Taken(None), Taken(None), Taken(255), Taken(0), Taken(1)]

    play(taken(0) + taken(0) + taken(255) + taken(0) + taken(1), story)


def test_a_report_before_its_reference_is_told_as_a_notice() -> None:
    async def story(rig: Rig) -> None:
        assert await rig.driver.submit(PART, mark) == Taken(7)
        assert [urc.text for urc in rig.ear.urcs] == ["+CDS: 25"]

    report = "07919471016700000606010C91947111325476621132002104806211320021048000"
    play(f"{OFFER}< +CDS: 25\n< {report}\n< +CMGS: 7\n< OK", story)


def test_failures_in_a_row_are_told_but_not_those_of_the_recipient() -> None:
    async def story(rig: Rig) -> None:
        for _ in range(MAX_FAILURES - 1):
            assert await rig.driver.submit(PART, mark) == Refusal("CMS 331", "no network service", elsewhere=True)
        for _ in range(MAX_FAILURES):
            assert await rig.driver.submit(PART, mark) == Refusal("CMS 1", "unassigned number", elsewhere=False)
        assert rig.failures == []
        await rig.driver.submit(PART, mark)
        assert len(rig.failures) == 1

    refused = f"{OFFER}< +CMS ERROR: 331\n"
    play(refused * (MAX_FAILURES - 1) + f"{OFFER}< +CMS ERROR: 1\n" * MAX_FAILURES + refused, story)


def test_missing_reports_are_noticed_once() -> None:
    async def story(rig: Rig) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(MISSED):
            await rig.driver.submit(PART, mark)
        assert not rig.reports.missing(loop.time())
        await asyncio.sleep(61.0)
        assert rig.reports.missing(loop.time())
        assert not rig.reports.missing(loop.time())

    play("".join(taken(number) for number in range(1, MISSED + 1)), story)


async def cut(rig: Rig) -> object:
    """What is known of a part whose submission is cancelled as soon as the modem has no more to say."""
    submission = asyncio.ensure_future(rig.driver.submit(PART, mark))
    await asyncio.sleep(1.0)
    submission.cancel()
    with pytest.raises(Cut) as told:
        await submission
    return told.value.known


def test_a_part_cancelled_before_its_prompt_is_known_not_to_be_out() -> None:
    async def story(rig: Rig) -> None:
        assert isinstance(await cut(rig), NotSubmitted)

    play("> AT+CMGS=17\n", story)


def test_a_part_cancelled_after_its_pdu_went_out_is_unknown() -> None:
    async def story(rig: Rig) -> None:
        assert isinstance(await cut(rig), Unknown)

    play(OFFER, story)


def test_an_answer_that_comes_with_the_cancellation_counts() -> None:
    async def story(rig: Rig) -> None:
        submission = asyncio.ensure_future(rig.driver.submit(PART, mark))
        await asyncio.sleep(1.0)
        rig.channel.data_received(b"\r\n+CMGS: 78\r\n\r\nOK\r\n")
        submission.cancel()
        with pytest.raises(Cut) as told:
            await submission
        assert told.value.known == Taken(78)

    play(OFFER, story)
