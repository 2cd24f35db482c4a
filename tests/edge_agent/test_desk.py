"""What the command line may ask of an agent, on a scripted modem."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from edge_agent.control import Desk, Refused, ask, serve
from edge_agent.modem.fleet import Fleet
from edge_agent.span import Refusal
from tests.edge_agent.fake_cloud import until
from tests.edge_agent.rig import SPAN, TO, FakeModem, Rig, job, report_pdu


def run(coroutine: object) -> None:
    asyncio.run(coroutine)  # type: ignore[arg-type]


def desk(rig: Rig) -> Desk:
    return Desk(rig.core, Fleet(rig.config.modems, rig.core))


async def answers(at: Desk, request: Mapping[str, object]) -> list[Mapping[str, object]]:
    return [answer async for answer in at.answer(request)]


def test_the_status_tells_of_jobs_and_events_without_text_and_whole_number(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            await rig.take(job(text="a secret"))
            (status,) = await answers(desk(rig), {"do": "status"})
            assert (status["held"], status["waiting"], status["events"]) == (1, 1, [])
            told = json.dumps(status)
            assert '"id": "j1"' in told
            assert "a secret" not in told
            assert TO not in told

    run(main())


def test_a_message_from_here_is_told_with_its_result_and_report(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            modem = FakeModem()
            rig.plug(modem)
            sending = asyncio.ensure_future(answers(desk(rig), {"do": "send", "to": TO, "text": "hi", "span": SPAN}))
            await until(lambda: modem.on_air)
            await rig.core.journal.synced()
            await rig.core.status_report(SPAN, modem.imsi, report_pdu(1))
            assert [answer["outcome"] for answer in await sending] == ["sent", "delivered"]

    run(main())


def test_a_refused_message_from_here_ends_with_its_result(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            rig.plug(FakeModem(Refusal("CMS 1", "unassigned number", elsewhere=False)))
            (answer,) = await answers(desk(rig), {"do": "send", "to": TO, "text": "hi"})
            assert answer["outcome"] == "refused"

    run(main())


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"do": "send", "to": TO, "text": "hi", "span": "nobody"}, "no such modem here"),
        ({"do": "ussd", "code": "*100#", "span": "nobody"}, "no such modem here"),
        ({"do": "send", "to": TO, "text": "caf\udce9"}, "half a surrogate pair"),
        ({"do": "dance"}, "no request 'dance'"),
        ({}, "no request"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(tmp_path: Path, request_: dict[str, object], words: str) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            rig.plug(FakeModem())
            with pytest.raises(Refused, match=words):
                await answers(desk(rig), request_)

    run(main())


def test_the_socket_is_for_its_owner_only_and_answers_nonsense_too(tmp_path: Path) -> None:
    async def main() -> None:
        async with Rig(tmp_path) as rig:
            path = tmp_path / "journal.sock"
            path.write_text("left by a crash")
            serving = asyncio.ensure_future(serve(path, desk(rig)))
            await until(path.is_socket)
            assert path.stat().st_mode & 0o077 == 0
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"nonsense\n")
            assert b"error" in await reader.readline()
            writer.close()
            with pytest.raises(Refused, match="no request"):
                [answer async for answer in ask(path, {"do": "dance"})]
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            assert not path.exists()

    run(main())
