"""A modem or a link that is lost cancels who waits for the disk. What was begun must not be half forgotten by that."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from tests.edge_agent.rig import IMSI, SPAN, FakeModem, Rig, deliver_pdu, job


async def begun_and_cancelled(work: Coroutine[Any, Any, Any]) -> None:
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_message_whose_modem_is_lost_while_it_is_written_down_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            pdu = deliver_pdu("hello")
            await begun_and_cancelled(rig.core.delivered(SPAN, IMSI, pdu))
            await rig.core.delivered(SPAN, IMSI, pdu)  # the modem was never told to forget it
            async with asyncio.timeout(5):
                while not rig.events():  # noqa: ASYNC110 (told by a commit)
                    await asyncio.sleep(0.002)
            assert [event["text"] for event in rig.events().values()] == ["hello"]

    asyncio.run(main())


def test_a_job_whose_link_is_lost_while_it_is_written_down_is_sent(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            modem = FakeModem()
            rig.plug(modem)
            await begun_and_cancelled(rig.core.take_jobs([job("j1")]))
            assert await rig.take(job("j1")) == ("j1",)  # the cloud drains again
            assert (await rig.event("j1.result"))["outcome"] == "sent"
            assert len(modem.on_air) == 1
            assert rig.core.held() == 1

    asyncio.run(main())


def test_a_job_taken_back_as_the_link_is_lost_is_told_as_cancelled(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await begun_and_cancelled(rig.core.cancel_jobs(["j1"]))
            assert (await rig.event("j1.result"))["outcome"] == "cancelled"

    asyncio.run(main())
