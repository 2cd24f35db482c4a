"""Received messages from the raw PDU to the event, on a real journal."""

import asyncio
from pathlib import Path

import pytest

from edge_agent.inbox import INCOMPLETE_S, TOGETHER_S
from tests.edge_agent.rig import IMSI, NOW, SPAN, TO, Hands, Rig, deliver_pdu


def run(coroutine: object) -> None:
    asyncio.run(coroutine)  # type: ignore[arg-type]


async def receive(rig: Rig, *pdus: str, imsi: str = IMSI) -> list[dict[str, object]]:
    for pdu in pdus:
        await rig.core.delivered(SPAN, imsi, pdu)
    await rig.core.journal.synced()
    return list(rig.events().values())


def part(number: int, text: str, *, total: int = 3, reference: int = 7, at: float = NOW) -> str:
    return deliver_pdu(text, part=(reference, total, number), at=at)


def test_a_message_is_told_with_its_sender_time_and_sim(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            (event,) = await receive(rig, deliver_pdu("Grüße 👋"))
            assert str(event["event_id"]).startswith("rx.")
            assert (event["sender"], event["text"], event["at"]) == (TO, "Grüße 👋", NOW)
            assert (event["span"], event["imsi"], event["parts"], event["missing"]) == (SPAN, IMSI, 1, [])

    run(main())


def test_the_same_pdu_is_told_once_even_after_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        pdu = deliver_pdu("ok")
        async with Rig(tmp_path) as rig:
            await receive(rig, pdu, pdu)
            assert len(rig.events()) == 1
            rig.acknowledge_all()
        async with Rig(tmp_path) as rig:
            assert await receive(rig, pdu) == []

    run(main())


def test_the_same_text_sent_twice_is_told_twice(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            assert len(await receive(rig, deliver_pdu("ok"), deliver_pdu("ok", at=NOW + 1))) == 2

    run(main())


def test_two_sims_may_receive_the_very_same_pdu(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await receive(rig, deliver_pdu("to all"))
            assert len(await receive(rig, deliver_pdu("to all"), imsi="another")) == 2

    run(main())


def test_parts_in_any_order_and_over_restarts_make_one_message(tmp_path: Path) -> None:
    async def main() -> None:
        pdus = [part(3, "drei"), part(1, "eins "), part(2, "zwei ")]
        for pdu in pdus[:2]:
            async with Rig(tmp_path) as rig:
                assert await receive(rig, pdu) == []
        async with Rig(tmp_path) as rig:
            (event,) = await receive(rig, pdus[2])
            assert (event["text"], event["parts"], event["missing"]) == ("eins zwei drei", 3, [])
            assert await receive(rig, *pdus) == [event]

    run(main())


def test_a_pair_of_surrogates_cut_by_the_sender_is_whole_again(tmp_path: Path) -> None:
    async def main() -> None:
        whole = "👋".encode("utf-16-be").hex()
        first, second = (deliver_pdu("A", part=(1, 2, number)) for number in (1, 2))
        first, second = first.replace("0041", whole[:4].upper()), second.replace("0041", whole[4:].upper())
        async with Rig(tmp_path) as rig:
            (event,) = await receive(rig, first, second)
            assert event["text"] == "👋"

    run(main())


def test_a_message_that_never_becomes_whole_is_told_with_what_is_missing(tmp_path: Path) -> None:
    async def main() -> None:
        hands = Hands()
        async with Rig(tmp_path, hands) as rig:
            await receive(rig, part(3, "drei"), part(1, "eins "))
        hands.forward(INCOMPLETE_S - 1)
        async with Rig(tmp_path, hands) as rig:
            rig.core.inbox.give_up()
            assert await receive(rig) == []
            hands.forward(2)
            rig.core.inbox.give_up()
            (event,) = await receive(rig)
            assert (event["text"], event["parts"], event["missing"]) == ("eins drei", 3, [2])

    run(main())


def test_a_reference_used_again_begins_another_message(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            events = await receive(
                rig,
                part(1, "old ", total=2),
                part(1, "new ", total=2, at=NOW + 60),
                part(2, "end", total=2, at=NOW + 60),
            )
            assert [(event["text"], event["missing"]) for event in events] == [("old ", [2]), ("new end", [])]

    run(main())


DAY_S = 86_400.0


def test_a_part_of_the_next_day_does_not_fill_the_gap_of_another_message(tmp_path: Path) -> None:
    async def main() -> None:
        hands = Hands()
        monday = [part(number, text, total=2) for number, text in ((1, "on "), (2, "Monday"))]
        tuesday = [part(number, text, total=2, at=NOW + DAY_S) for number, text in ((1, "on "), (2, "Tuesday"))]
        async with Rig(tmp_path, hands) as rig:
            assert await receive(rig, monday[0]) == []
            hands.forward(DAY_S)
            assert await receive(rig, tuesday[1]) == []
        async with Rig(tmp_path, hands) as rig:  # and so it stays after a restart
            assert [event["text"] for event in await receive(rig, tuesday[0])] == ["on Tuesday"]
            events = await receive(rig, monday[1])  # that the network kept till now
            assert [(event["text"], event["missing"]) for event in events] == [("on Tuesday", []), ("on Monday", [])]

    run(main())


@pytest.mark.parametrize(("apart", "whole"), [(TOGETHER_S, True), (TOGETHER_S + 1, False)])
def test_parts_belong_together_by_the_time_the_message_centre_took_them(
    apart: float, whole: bool, tmp_path: Path
) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            events = await receive(rig, part(2, "end", total=2, at=NOW + apart), part(1, "begin ", total=2))
            assert [event["text"] for event in events] == (["begin end"] if whole else [])

    run(main())


def test_a_part_without_a_readable_time_belongs_to_what_is_waited_for(tmp_path: Path) -> None:
    async def main() -> None:
        second = part(2, "end", total=2, at=NOW + DAY_S)
        stamp = deliver_pdu("x", at=NOW + DAY_S)[-20:-6]
        async with Rig(tmp_path) as rig:
            events = await receive(rig, part(1, "begin ", total=2), second.replace(stamp, "F" * 14))
            assert [event["text"] for event in events] == ["begin end"]

    run(main())


def test_what_cannot_be_read_is_kept_and_harms_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            assert await receive(rig, "zz", "", "04", deliver_pdu("x")[:30]) == []
            kept = rig.journal._writer._db.execute("SELECT pdu, event FROM received ORDER BY pdu").fetchall()
            assert [event for _, event in kept] == ["unreadable"] * 4
            assert len(await receive(rig, deliver_pdu("fine"))) == 1

    run(main())


def test_a_silent_message_is_not_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            assert await receive(rig, deliver_pdu("ping", pid=0x40)) == []

    run(main())


def test_the_raw_pdu_is_kept_until_the_cloud_has_the_message(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            pdu = deliver_pdu("ok")
            await receive(rig, pdu)
            assert rig.journal._writer._db.execute("SELECT pdu FROM received").fetchall() == [(pdu,)]
            rig.acknowledge_all()
            await rig.core.journal.synced()
            assert rig.journal._writer._db.execute("SELECT pdu FROM received").fetchall() == [("",)]

    run(main())
