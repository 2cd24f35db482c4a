"""Delivery reports from the raw PDU to the event, on a real journal."""

import asyncio
from pathlib import Path

from edge_agent.span import Refusal, Submission, Taken, Unknown
from tests.edge_agent.fake_cloud import until
from tests.edge_agent.rig import IMSI, NOW, SPAN, TO, FakeModem, Hands, Rig, deliver_pdu, job, report_pdu


def run(coroutine: object) -> None:
    asyncio.run(coroutine)  # type: ignore[arg-type]


async def sent(rig: Rig, *jobs: object, modem: FakeModem | None = None) -> FakeModem:
    """Sends the jobs one after the other and returns the modem."""
    modem = modem or FakeModem()
    rig.plug(modem)
    await rig.take(*jobs)  # type: ignore[arg-type]
    for one in jobs:
        await rig.event(f"{one.id}.result")  # type: ignore[attr-defined]
    return modem


async def report(rig: Rig, pdu: str) -> None:
    await rig.core.status_report(SPAN, IMSI, pdu)


def test_a_message_is_delivered_when_its_report_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await sent(rig, job())
            await report(rig, report_pdu(1, done_at=NOW + 7))
            event = rig.events()["j1.report"]
            assert (event["outcome"], event["at"], event["sent_at"]) == ("delivered", NOW + 7, NOW)

    run(main())


def test_a_message_of_several_parts_is_delivered_when_all_of_them_are(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await sent(rig, job(text="x" * 400))
            await report(rig, report_pdu(3))
            await report(rig, report_pdu(1))
            assert "j1.report" not in rig.events()
            await report(rig, report_pdu(2))
            assert rig.events()["j1.report"]["outcome"] == "delivered"

    run(main())


def test_parts_reported_before_and_after_a_restart_count_together(tmp_path: Path) -> None:
    async def main() -> None:
        hands = Hands()
        async with Rig(tmp_path, hands) as rig:
            await sent(rig, job(text="x" * 300))
            await report(rig, report_pdu(1))
            rig.acknowledge_all()
        async with Rig(tmp_path, hands) as rig:
            await report(rig, report_pdu(1))
            assert rig.events() == {}
            await report(rig, report_pdu(2))
            assert rig.events()["j1.report"]["outcome"] == "delivered"

    run(main())


def test_a_repeated_report_is_told_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await sent(rig, job())
            await report(rig, report_pdu(1))
            rig.acknowledge_all()
            await report(rig, report_pdu(1))
            assert rig.events() == {}

    run(main())


def test_a_temporary_report_says_nothing_and_the_final_one_does(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await sent(rig, job())
            await report(rig, report_pdu(1, status=0x30))
            assert "j1.report" not in rig.events()
            await report(rig, report_pdu(1, status=0))
            assert rig.events()["j1.report"]["outcome"] == "delivered"

    run(main())


def test_a_failed_part_makes_the_message_undelivered_with_the_network_s_words(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await sent(rig, job(text="x" * 300))
            await report(rig, report_pdu(2, status=0x46))
            event = rig.events()["j1.report"]
            assert event["outcome"] == "undelivered"
            assert event["cause"]["text"] == "part 2 of 2: validity period expired (TP-ST 70)"
            rig.acknowledge_all()
            await report(rig, report_pdu(1))
            assert rig.events() == {}

    run(main())


def test_a_report_before_the_answer_waits_for_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:

            async def early(_: object) -> Submission:
                await report(rig, report_pdu(42))
                return Taken(42)

            await sent(rig, job(), modem=FakeModem(early))
            assert (await rig.event("j1.report"))["outcome"] == "delivered"
            assert list(rig.events()) == ["j1.result", "j1.report"]

    run(main())


def test_a_report_before_an_answer_that_never_came_shows_that_the_message_went_out(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:

            async def early(_: object) -> Submission:
                await report(rig, report_pdu(42))
                return Unknown("the modem restarted")

            await sent(rig, job(), modem=FakeModem(early))
            await rig.event("j1.report")
            outcomes = [event["outcome"] for event in rig.events().values()]
            assert outcomes == ["uncertain", "sent", "delivered"]

    run(main())


def test_a_report_that_fits_settles_an_uncertain_message(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await sent(rig, job(), modem=FakeModem(Unknown("no answer")))
            await report(rig, report_pdu(200, status=0x30))
            assert rig.events()["j1.settled"]["outcome"] == "sent"
            assert "j1.report" not in rig.events()
            await report(rig, report_pdu(200))
            assert rig.events()["j1.report"]["outcome"] == "delivered"

    run(main())


def test_a_report_after_a_crash_settles_what_the_crash_left_uncertain(tmp_path: Path) -> None:
    async def main() -> None:
        hands = Hands()
        async with Rig(tmp_path, hands) as rig:

            async def crash(_: object) -> Submission:
                rig.core.sender._answered = lambda *_: None  # type: ignore[method-assign]  # nothing more is written
                raise asyncio.CancelledError

            modem = FakeModem(crash)
            worker = rig.plug(modem, again=False)
            await rig.take(job())
            await asyncio.wait([worker], timeout=5)
            assert len(modem.on_air) == 1
        async with Rig(tmp_path, hands) as rig:
            assert (await rig.event("j1.result"))["outcome"] == "uncertain"
            await report(rig, report_pdu(17))
            assert [event["outcome"] for event in rig.events().values()] == ["uncertain", "sent", "delivered"]

    run(main())


def test_a_stranger_s_report_settles_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await sent(rig, job(), modem=FakeModem(Unknown("no answer")))
            await report(rig, report_pdu(1, to="+4916000000000"))
            await report(rig, report_pdu(1, taken_at=NOW - 7200))
            rig.hands.forward(7200)
            await report(rig, report_pdu(1, taken_at=NOW + 7200))
            await rig.core.status_report(SPAN, "another SIM", report_pdu(1))
            assert list(rig.events()) == ["j1.result"]

    run(main())


def test_a_modem_that_tells_no_reference_is_matched_by_recipient_and_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await sent(rig, job(), job("j2", to="+4915200000000"), modem=FakeModem(Taken(None), Taken(None)))
            await report(rig, report_pdu(9, to="+4915200000000"))
            assert "j2.report" in rig.events()
            assert "j1.report" not in rig.events()

    run(main())


def test_each_part_without_a_reference_has_one_report_of_its_own(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            modem = FakeModem(Taken(None), Taken(None))
            await sent(rig, job(text="x" * 300), modem=modem)
            await report(rig, report_pdu(8))
            await report(rig, report_pdu(8))
            assert "j1.report" not in rig.events()
            await report(rig, report_pdu(7))
            assert rig.events()["j1.report"]["outcome"] == "delivered"

    run(main())


def test_a_failed_part_of_an_uncertain_message_is_told_with_what_went_out(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await sent(rig, job(text="x" * 400), modem=FakeModem(Taken(5), Unknown("timeout")))
            await report(rig, report_pdu(5, status=0x46))
            event = rig.events()["j1.report"]
            assert event["outcome"] == "undelivered"
            assert event["cause"]["text"].startswith("part 1 of 3: validity period expired")
            assert event["cause"]["text"].endswith("; 1 of its 3 parts went out")

    run(main())


def test_a_part_that_failed_before_the_rest_became_uncertain_decides_the_message(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:

            async def reported_meanwhile(_: object) -> Submission:
                await report(rig, report_pdu(5, status=0x46))
                return Unknown("timeout")

            await sent(rig, job(text="x" * 300), modem=FakeModem(Taken(5), reported_meanwhile))
            assert rig.events()["j1.result"]["outcome"] == "uncertain"
            assert (await rig.event("j1.report"))["outcome"] == "undelivered"

    run(main())


def test_an_early_report_is_not_taken_for_an_old_message_of_the_same_reference(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:

            async def early(_: object) -> Submission:
                await report(rig, report_pdu(1, taken_at=NOW + 1200))
                return Taken(1)

            await sent(rig, job("old"), modem=FakeModem(Taken(1), early))
            rig.hands.forward(1200)
            await rig.take(job("new"))
            await rig.event("new.report")
            assert "old.report" not in rig.events()

    run(main())


def test_a_report_in_national_spelling_fits_a_message_in_international(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await sent(rig, job())
            await report(rig, report_pdu(1, to="0" + TO.removeprefix("+49")))
            assert "j1.report" in rig.events()

    run(main())


def test_what_was_refused_waits_for_no_report(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await sent(rig, job(), modem=FakeModem(Refusal("CMS 1", "unassigned number", elsewhere=False)))
            await report(rig, report_pdu(0))
            assert list(rig.events()) == ["j1.result"]

    run(main())


def test_a_report_that_was_not_asked_for_is_nobody_s(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await sent(rig, job(report=False))
            await report(rig, report_pdu(1))
            assert list(rig.events()) == ["j1.result"]

    run(main())


def test_garbage_instead_of_a_report_harms_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            for garbage in ("", "zz", "00", "0006", "00" * 200, report_pdu(1)[:20]):
                await report(rig, garbage)
            await sent(rig, job())

    run(main())


def kept(rig: Rig) -> list[tuple[str, str]]:
    """Raw PDUs that are put by, with the reason."""
    return rig.journal._writer._db.execute("SELECT pdu, event FROM received ORDER BY pdu").fetchall()


def test_what_a_modem_calls_a_report_and_nobody_can_read_is_kept_as_it_came(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await sent(rig, job())
            garbage = ["0006zz", report_pdu(1)[:20]]
            for pdu in (*garbage, *garbage):
                await report(rig, pdu)
            await rig.journal.synced()
            assert kept(rig) == [(pdu, "unreadable") for pdu in sorted(garbage)]
            await report(rig, report_pdu(1))
            assert rig.events()["j1.report"]["outcome"] == "delivered"

    run(main())


def test_a_message_announced_as_a_report_is_told_as_the_message_it_is(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            rig.core.status_report(SPAN, IMSI, deliver_pdu("hello"))  # a modem that wants no answer is not waited for
            await until(rig.events)
            await rig.core.delivered(SPAN, IMSI, deliver_pdu("hello"))
            await rig.journal.synced()
            (event,) = rig.events().values()
            assert (event["kind"], event["text"]) == ("received", "hello")

    run(main())
