"""The simulator as a program would meet it: on ptys."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from edge_agent.simulator import Simulator, Traits

QUICK = Traits(answer_delay=0.001, report_delay=0.01, boot=0.02, register=0.01, ussd_delay=0.01)
# "hello" to +49171122334, a status report asked for, the longest validity; 19 octets after the empty SMSC field.
HELLO = b"0031000B919471112233F40000FF05E8329BFD06"


class Terminal:
    """A pty's other end, read without blocking."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def close(self) -> None:
        os.close(self._fd)

    def write(self, data: bytes) -> None:
        os.write(self._fd, data)

    async def read_until(self, wanted: bytes, seconds: float = 5.0) -> bytes:
        data = b""
        async with asyncio.timeout(seconds):
            while wanted not in data:
                await asyncio.sleep(0.001)
                try:
                    data += os.read(self._fd, 4096)
                except BlockingIOError:
                    continue
        return data


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Terminal]:
    terminal = Terminal(path)
    try:
        yield terminal
    finally:
        terminal.close()


def events(kind: str, count: int = 1) -> Callable[[list[dict[str, object]]], bool]:
    return lambda records: sum(record["event"] == kind for record in records) >= count


def test_a_message_is_on_the_air_before_it_is_answered_and_its_report_follows(tmp_path: Path) -> None:
    async def story() -> None:
        async with Simulator(count=1, dir=tmp_path, traits=QUICK) as sim, opened(sim.ports[0]) as terminal:
            terminal.write(b"ATE0;+CNMI=2,1,0,1,0\r")
            await terminal.read_until(b"OK\r\n")
            terminal.write(b"AT+CMGS=19\r")
            await terminal.read_until(b"\r\n> ")
            terminal.write(HELLO + b"\x1a")
            assert await terminal.read_until(b"OK\r\n") == b"\r\n+CMGS: 1\r\n\r\nOK\r\n"
            assert [record["event"] for record in sim.air[:2]] == ["submit", "message"]
            assert (sim.air[1]["to"], sim.air[1]["text"]) == ("+49171122334", "hello")
            await sim.wait_air(events("report"))
            assert (await terminal.read_until(b"00\r\n")).startswith(b"\r\n+CDS: 25\r\n")

    asyncio.run(story())
