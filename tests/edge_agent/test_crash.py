"""A power cut at any moment: at most once on the air, and in the end one truthful outcome for each message.

The disk as it is at a chosen moment is copied, and an agent started on the copy finishes the work.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent import lanes
from edge_agent.held import HeldJob, HeldPart, PartState
from edge_agent.modem.pdu import SubmitPdu
from edge_agent.simulator.air_codec import parse_pdu
from edge_agent.span import NotSubmitted, Refusal, Submission, Taken, Unknown
from tests.edge_agent.rig import IMSI, NOW, SPAN, TO, FakeModem, Hands, Rig, job, report_pdu

TEXTS = {"short": 1, "x" * 200: 2, "х" * 200: 3}


class Power:
    """Counts moments; at the chosen one the disk is copied as it is, and so is what is on the air by then."""

    def __init__(self, folder: Path, at: int) -> None:
        self._folder, self._left = folder, at
        self.copy = folder.with_name(folder.name + "-cut")
        self.on_air: Counter[str] | None = None

    def moment(self, on_air: Counter[str]) -> None:
        self._left -= 1
        if self._left == 0:
            self.copy.mkdir()
            for name in ("journal.db", "journal.db-wal"):
                shutil.copy(self._folder / name, self.copy)
            self.on_air = Counter(on_air)


class Radio(FakeModem):
    """Puts parts on the air, and has a moment before, between and after everything."""

    def __init__(self, on_air: Counter[str], power: Power | None, outcomes: list[Submission]) -> None:
        super().__init__()
        self.air, self.power, self.outcomes = on_air, power, outcomes

    async def submit(self, pdu: SubmitPdu, mark: Callable[[], Awaitable[None]], *, more: bool = False) -> Submission:
        outcome = self.outcomes.pop(0) if self.outcomes else self._taken()
        self._moment()
        if isinstance(outcome, NotSubmitted):
            return outcome
        await mark()
        self._moment()
        if isinstance(outcome, Refusal):
            return outcome
        self.air[pdu.hex] += 1
        self._moment()
        await asyncio.sleep(0)
        return outcome

    def _moment(self) -> None:
        if self.power is not None:
            self.power.moment(self.air)


OUTCOMES = st.sampled_from(
    [Taken(5), Taken(5), Taken(None), NotSubmitted("no prompt"), Refusal("CMS 1", "no", False), Unknown("no answer")]
)


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(st.sampled_from(list(TEXTS)), min_size=1, max_size=4),
    outcomes=st.lists(OUTCOMES, max_size=6),
    at=st.integers(1, 25),
    reports=st.booleans(),
)
def test_a_power_cut_at_any_moment_sends_nothing_twice_and_loses_nothing(
    texts: list[str], outcomes: list[Submission], at: int, reports: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("site")
    jobs = [job(f"j{number}", text=text, to=f"+49151000{number}000") for number, text in enumerate(texts)]

    async def first_life(power: Power) -> None:
        on_air: Counter[str] = Counter()
        async with Rig(folder, Hands()) as rig:
            await rig.take(*jobs)
            rig.plug(Radio(on_air, power, list(outcomes)))
            for one in jobs:
                await rig.event(f"{one.id}.result")

    async def second_life(power: Power) -> None:
        assert power.on_air is not None
        before, after = power.on_air, Counter[str]()
        async with Rig(power.copy, Hands()) as rig:
            rig.plug(Radio(after, None, []))
            await rig.take(*jobs)  # the cloud drains again
            told = [await rig.event(f"{one.id}.result") for one in jobs]
            both = before + after
            assert all(count == 1 for count in both.values())
            parts = Counter(_recipient(pdu) for pdu in both)
            for one, event in zip(jobs, told, strict=True):
                aired = parts[one.to]
                assert event["parts_sent"] <= aired <= TEXTS[one.text]
                if event["outcome"] == "sent":
                    assert event["parts_sent"] == aired == TEXTS[one.text]
                elif event["outcome"] == "uncertain":
                    assert event["parts_sent"] <= aired <= event["parts_sent"] + 1
                else:
                    assert (event["outcome"], aired) == ("refused", event["parts_sent"])
                if event["outcome"] == "uncertain" and reports and aired == TEXTS[one.text] == 1:
                    await rig.core.status_report("", "262011234567890", report_pdu(77, to=one.to))
                    assert rig.events()[f"{one.id}.settled"]["outcome"] == "sent"

    power = Power(folder, at)
    with patch.object(lanes, "LONGEST_PAUSE_S", 0.0):  # however often a modem would not take it
        asyncio.run(first_life(power))
        if power.on_air is not None:
            asyncio.run(second_life(power))


def test_a_message_that_was_taken_but_not_told_of_is_told_of_and_not_sent_again(tmp_path: Path) -> None:
    """The answer is noted at once, the message's end a moment later: the power may go in between."""

    async def first_life() -> None:
        async with Rig(tmp_path) as rig:
            held = HeldJob("j1", TO, "hello", (SPAN,), NOW + 3600, True, 7)
            part = HeldPart(0, 1, SPAN, IMSI, NOW)
            await rig.journal.add_jobs([held])
            await rig.journal.mark(held, part, counted=False)
            part.state, part.mr, part.at = PartState.TAKEN, 5, NOW + 2
            rig.journal.answer(held, part)

    async def second_life() -> None:
        async with Rig(tmp_path, Hands(NOW + 600)) as rig:
            modem = FakeModem()
            rig.plug(modem)
            told = await rig.event("j1.result")
            assert (told["outcome"], told["at"], told["parts_sent"]) == ("sent", NOW + 2, 1)
            await rig.core.status_report(SPAN, IMSI, report_pdu(5, to=TO))
            assert rig.events()["j1.report"]["outcome"] == "delivered"
            assert modem.on_air == []

    asyncio.run(first_life())
    asyncio.run(second_life())


def test_a_message_of_which_a_part_is_out_is_gone_on_with_after_a_restart_and_not_begun_again(tmp_path: Path) -> None:
    first, second = FakeModem(Taken(1), NotSubmitted("no prompt")), FakeModem()

    async def first_life() -> None:
        async with Rig(tmp_path) as rig:
            worker = rig.plug(first, again=False)
            await rig.take(job(text="x" * 400))
            await worker  # the modem is to be looked at after the second part
            assert len(first.on_air) == 1

    async def second_life() -> None:
        async with Rig(tmp_path) as rig:
            rig.plug(second)
            told = await rig.event("j1.result")
            assert (told["outcome"], told["parts"], told["parts_sent"]) == ("sent", 3, 3)

    asyncio.run(first_life())
    asyncio.run(second_life())
    parts = [parse_pdu(pdu.encode(), len(pdu) // 2 - 1).concat for pdu in (*first.on_air, *second.on_air)]
    assert [part and (part.sequence, part.total) for part in parts] == [(1, 3), (2, 3), (3, 3)]
    assert len({part and part.reference for part in parts}) == 1


def _recipient(pdu: str) -> str:
    """TP-DA of a SMS-SUBMIT, by hand (3GPP TS 23.040 §9.2.2.2)."""
    length = int(pdu[6:8], 16)
    swapped = pdu[10 : 10 + length + length % 2]
    digits = "".join(swapped[index + 1] + swapped[index] for index in range(0, len(swapped), 2))
    return "+" + digits[:length]
