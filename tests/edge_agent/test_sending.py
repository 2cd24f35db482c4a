"""From an accepted job to its result, on a real journal with a scripted modem."""

import asyncio
from pathlib import Path

import pytest

from edge_agent.sender import HELD_UP_S
from edge_agent.span import NotSubmitted, Refusal, Submission, Taken, Unknown
from tests.edge_agent.fake_cloud import until
from tests.edge_agent.rig import IMSI, NOW, SPAN, FakeModem, Hands, Rig, job

OTHER = "imei:490154203237526"
LONG = "x" * 300  # two parts


def run(coroutine: object) -> None:
    asyncio.run(coroutine)  # type: ignore[arg-type]


def test_a_message_that_the_modem_took_is_sent(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            modem = FakeModem()
            rig.plug(modem)
            assert await rig.take(job()) == ("j1",)
            event = await rig.event("j1.result")
            assert event["outcome"] == "sent"
            assert (event["span"], event["imsi"], event["parts"], event["parts_sent"]) == (SPAN, IMSI, 1, 1)
            assert len(modem.on_air) == 1
            assert rig.core.held() == 1
            rig.acknowledge_all()
            assert rig.core.held() == 0

    run(main())


def test_a_job_that_comes_again_is_accepted_again_and_sent_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            modem = FakeModem()
            rig.plug(modem)
            await rig.take(job())
            await rig.event("j1.result")
            assert await rig.take(job()) == ("j1",)
            rig.acknowledge_all()
            assert await rig.take(job(), job("j2")) == ("j1", "j2")
            await rig.event("j2.result")
            assert len(modem.on_air) == 2
            assert "j1.result" not in rig.events()

    run(main())


def test_a_job_that_comes_again_after_a_restart_is_sent_once(tmp_path: Path) -> None:
    async def main() -> None:
        modem = FakeModem()
        for _ in range(3):
            async with Rig(tmp_path) as rig:
                rig.plug(modem)
                await rig.take(job())
                await rig.event("j1.result")
        async with Rig(tmp_path) as rig:
            rig.plug(modem)
            rig.acknowledge_all()
            await rig.take(job(), job("j2"))
            await rig.event("j2.result")
        assert len(modem.on_air) == 2

    run(main())


def test_what_was_refused_elsewhere_goes_to_another_span_of_the_pool(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            first = FakeModem(Refusal("CMS 38", "network out of order", elsewhere=True))
            second = FakeModem(span=OTHER, imsi="other")
            rig.plug(first)
            rig.plug(second)
            await rig.able(2)
            await rig.take(job(spans=(SPAN, OTHER)))
            event = await rig.event("j1.result")
            assert (event["outcome"], event["span"]) == ("sent", OTHER)
            assert (len(first.on_air), len(second.on_air)) == (0, 1)

    run(main())


def test_a_refusal_that_holds_everywhere_ends_the_message(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            rig.plug(FakeModem(Refusal("CMS 1", "unassigned number", elsewhere=False)))
            rig.plug(FakeModem(span=OTHER))
            await rig.able(2)
            await rig.take(job(spans=(SPAN, OTHER)))
            event = await rig.event("j1.result")
            assert (event["outcome"], event["span"], event["parts_sent"]) == ("refused", SPAN, 0)
            assert event["cause"] == {"kind": "refused", "text": "unassigned number", "code": "CMS 1"}

    run(main())


def test_what_every_span_refused_is_refused_with_the_last_reason(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            rig.plug(FakeModem(Refusal("CMS 38", "network out of order", elsewhere=True)))
            rig.plug(FakeModem(Refusal("CMS 42", "congestion", elsewhere=True), span=OTHER))
            await rig.able(2)
            await rig.take(job(spans=(SPAN, OTHER)))
            event = await rig.event("j1.result")
            assert (event["outcome"], event["cause"]["code"]) == ("refused", "CMS 42")

    run(main())


def test_a_message_of_which_a_part_is_out_never_moves_to_another_span(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            rig.plug(FakeModem(Taken(7), Refusal("CMS 38", "network out of order", elsewhere=True)))
            other = FakeModem(span=OTHER)
            rig.plug(other)
            await rig.able(2)
            await rig.take(job(text=LONG, spans=(SPAN, OTHER)))
            event = await rig.event("j1.result")
            assert (event["outcome"], event["parts"], event["parts_sent"]) == ("refused", 2, 1)
            assert event["cause"]["text"] == "network out of order; 1 of its 2 parts went out"
            assert other.on_air == []

    run(main())


def test_an_unanswered_part_makes_the_message_uncertain_and_it_is_not_sent_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            modem = FakeModem(Unknown("no answer within 60 s"))
            other = FakeModem(span=OTHER)
            rig.plug(modem)
            rig.plug(other)
            await rig.able(2)
            await rig.take(job(spans=(SPAN, OTHER)), job("j2"))
            event = await rig.event("j1.result")
            assert (event["outcome"], event["cause"]["kind"], event["parts_sent"]) == ("uncertain", "uncertain", 0)
            await rig.event("j2.result")
            assert (len(modem.on_air), other.on_air) == (2, [])

    run(main())


def test_an_uncertain_part_of_several_is_told_truthfully(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            rig.plug(FakeModem(Taken(1), Unknown("the modem restarted")))
            await rig.take(job(text="x" * 400))
            event = await rig.event("j1.result")
            assert (event["outcome"], event["parts"], event["parts_sent"]) == ("uncertain", 3, 1)
            assert event["cause"]["text"] == (
                "part 2 of 3 was handed to the modem, and no answer came (the modem restarted);"
                " 1 before it sent, 1 after it not sent"
            )

    run(main())


def test_what_was_not_handed_over_is_tried_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            modem = FakeModem(NotSubmitted("no prompt"))
            rig.plug(modem)
            await rig.take(job())
            assert (await rig.event("j1.result"))["outcome"] == "sent"
            assert len(modem.on_air) == 1

    run(main())


def test_the_second_part_goes_on_with_the_first_one_s_modem_after_it_failed_in_between(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            modem = FakeModem(Taken(1), NotSubmitted("no prompt"))
            other = FakeModem(span=OTHER)
            rig.plug(modem)
            rig.plug(other)
            await rig.able(2)
            await rig.take(job(text=LONG, spans=(SPAN, OTHER)))
            event = await rig.event("j1.result")
            assert (event["outcome"], event["parts_sent"], event["span"]) == ("sent", 2, SPAN)
            assert (len(modem.on_air), other.on_air) == (2, [])
            assert modem.on_air[0] != modem.on_air[1]

    run(main())


def test_a_modem_lost_in_the_middle_of_a_part_leaves_it_uncertain(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:

            async def never(_: object) -> Submission:
                return await asyncio.get_running_loop().create_future()

            modem = FakeModem(never)
            worker = rig.plug(modem)
            await rig.take(job())
            async with asyncio.timeout(5):
                while not modem.on_air:  # noqa: ASYNC110
                    await asyncio.sleep(0.002)
            worker.cancel()
            assert (await rig.event("j1.result"))["outcome"] == "uncertain"

    run(main())


def test_what_waits_behind_a_modem_that_hangs_goes_out_through_an_idle_one_of_its_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.core.TICK_S", 0.001)

    async def main() -> None:
        async with Rig(tmp_path) as rig:
            answer: asyncio.Future[Submission] = asyncio.get_running_loop().create_future()
            hung, idle = FakeModem(lambda pdu: answer), FakeModem(span=OTHER, imsi="262019999999999")
            rig.plug(hung)
            rig.plug(idle)
            ticking = asyncio.ensure_future(rig.core.tick())
            await rig.able(2)
            await rig.take(job("j1", spans=(SPAN, OTHER)))
            await until(lambda: hung.on_air)
            await rig.take(job("j2", spans=(SPAN, OTHER)), job("j3"))
            await until(lambda: rig.core.sender._seen)
            assert rig.core.dispatch.waiting() == {SPAN: 2}
            rig.hands.forward(HELD_UP_S)
            assert (await rig.event("j2.result"))["span"] == OTHER
            assert (len(hung.on_air), len(idle.on_air), "j3.result" in rig.events()) == (1, 1, False)
            answer.set_result(Taken(1))
            assert (await rig.event("j3.result"))["span"] == (await rig.event("j1.result"))["span"] == SPAN
            assert (len(hung.on_air), len(idle.on_air)) == (2, 1)
            ticking.cancel()

    run(main())


def test_a_job_past_its_deadline_is_not_sent_but_expires(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            rig.know_the_time()
            await rig.take(job(deadline=NOW + 10))
            rig.hands.forward(11)
            modem = FakeModem()
            rig.plug(modem)
            event = await rig.event("j1.result")
            assert (event["outcome"], event["cause"]["kind"], modem.on_air) == ("expired", "expired", [])

    run(main())


def test_a_wrong_clock_neither_sends_nor_ends_a_message_before_the_cloud_told_the_time(tmp_path: Path) -> None:
    async def main() -> None:
        hands = Hands()
        async with Rig(tmp_path, hands) as rig:
            rig.know_the_time()
            await rig.take(job())
        hands.wall += 86_400 * 365  # the machine starts again with a clock a year ahead
        async with Rig(tmp_path, hands) as rig:
            modem = FakeModem()
            rig.plug(modem)
            await asyncio.sleep(0.05)
            rig.core.book.expire()
            assert (rig.events(), modem.on_air) == ({}, [])
            rig.core.welcomed(NOW + 5, {})
            assert (await rig.event("j1.result"))["outcome"] == "sent"

    run(main())


def test_a_cancelled_job_is_not_sent(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await rig.take(job())
            await rig.core.cancel_jobs(["j1"])
            assert (await rig.event("j1.result"))["outcome"] == "cancelled"
            modem = FakeModem()
            rig.plug(modem)
            await rig.take(job("j2"))
            await rig.event("j2.result")
            assert len(modem.on_air) == 1

    run(main())


def test_a_job_cancelled_before_it_came_is_never_sent(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await rig.core.cancel_jobs(["j1"])
            assert (await rig.event("j1.result"))["outcome"] == "cancelled"
            modem = FakeModem()
            rig.plug(modem)
            await rig.take(job(), job("j2"))
            await rig.event("j2.result")
            assert len(modem.on_air) == 1

    run(main())


def test_cancelling_what_is_sent_already_changes_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            rig.plug(FakeModem())
            await rig.take(job())
            await rig.event("j1.result")
            await rig.core.cancel_jobs(["j1"])
            await rig.core.journal.synced()
            assert rig.events()["j1.result"]["outcome"] == "sent"

    run(main())


def test_a_job_for_spans_that_nobody_knows_ends_unavailable(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            rig.plug(FakeModem(span=OTHER))
            await rig.take(job(), job("j2", spans=(SPAN, OTHER)))
            rig.core.book.give_up(rig.core.board.known)
            assert (await rig.event("j1.result"))["outcome"] == "unavailable"
            assert (await rig.event("j2.result"))["outcome"] == "sent"

    run(main())


def test_a_text_that_no_modem_can_take_is_refused_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            rig.plug(FakeModem())
            await rig.take(job(to="+" + "1" * 30))
            event = await rig.event("j1.result")
            assert (event["outcome"], event["cause"]["kind"]) == ("refused", "refused")

    run(main())


def test_more_than_the_agent_wants_to_hold_stays_with_the_cloud(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path, max_jobs=2) as rig:
            await rig.take(job("j1"), job("j2"))
            acceptance = await rig.core.take_jobs([job("j2"), job("j3")])
            assert acceptance.job_ids == ("j2",)
            assert "max_jobs" in acceptance.refused
            rig.plug(FakeModem())
            await rig.event("j2.result")
            assert not rig.core.book.has_room_again()
            rig.acknowledge_all()
            assert rig.core.book.has_room_again()
            assert not rig.core.book.has_room_again()
            assert (await rig.core.take_jobs([job("j3")])).refused == ""

    run(main())


def test_a_local_message_is_not_the_cloud_s_business(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            rig.plug(FakeModem())
            told: asyncio.Queue[object] = asyncio.Queue()
            rig.core.book.watch("local.1", told.put_nowait)
            await rig.take(job("local.1"))
            await asyncio.wait_for(told.get(), 5)
            assert (rig.events(), rig.core.held()) == ({}, 0)

    run(main())


def test_a_local_message_left_by_a_crash_is_not_told_either(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            rig.core.book.announce = lambda events: None  # type: ignore[method-assign]  # the end, just before it
            modem = FakeModem()
            rig.plug(modem)
            await rig.take(job("local.1"))
            async with asyncio.timeout(5):
                while not modem.on_air:  # noqa: ASYNC110
                    await asyncio.sleep(0.002)
        async with Rig(tmp_path) as rig:
            assert (rig.events(), rig.core.held()) == ({}, 0)
            await rig.core.journal.synced()
        async with Rig(tmp_path) as rig:
            assert rig.journal.contents.events == ()

    run(main())


def test_closing_waits_for_what_is_in_flight_and_starts_nothing_new(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            gate = asyncio.Event()

            async def slow(_: object) -> Submission:
                await gate.wait()
                return Taken(9)

            modem = FakeModem(slow)
            rig.plug(modem)
            await rig.take(job(), job("j2"))
            async with asyncio.timeout(5):
                while not modem.on_air:  # noqa: ASYNC110
                    await asyncio.sleep(0.002)
            closing = asyncio.ensure_future(rig.core.sender.close(5.0))
            await asyncio.sleep(0.01)
            assert not closing.done()
            gate.set()
            await closing
            assert (await rig.event("j1.result"))["outcome"] == "sent"
            assert len(modem.on_air) == 1
        async with Rig(tmp_path, rig.hands) as rig:
            rig.plug(modem)
            assert (await rig.event("j2.result"))["outcome"] == "sent"

    run(main())
