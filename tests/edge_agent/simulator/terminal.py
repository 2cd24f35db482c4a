"""The computer's end of a pty, read without blocking."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


class Terminal:
    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def close(self) -> None:
        os.close(self._fd)

    def write(self, data: bytes) -> None:
        os.write(self._fd, data)

    async def read_until(self, wanted: bytes, seconds: float = 10.0) -> bytes:
        """All that came up to and with `wanted`; EOFError once the port is gone."""
        data = b""
        async with asyncio.timeout(seconds):
            while wanted not in data:
                await asyncio.sleep(0.001)
                data += self._read()
        return data

    async def ask(self, command: str) -> str:
        self.write(command.encode() + b"\r")
        return (await self.read_until(b"OK\r\n")).decode()

    async def submit(self, pdu: bytes, octets: int) -> str:
        self.write(f"AT+CMGS={octets}\r".encode())
        await self.read_until(b"\r\n> ")
        self.write(pdu + b"\x1a")
        return (await self.read_until(b"OK\r\n")).decode()

    def _read(self) -> bytes:
        try:
            data = os.read(self._fd, 4096)
        except BlockingIOError:
            return b""
        except OSError as gone:
            raise EOFError from gone
        if not data:
            raise EOFError
        return data


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Terminal]:
    terminal = Terminal(path)
    try:
        yield terminal
    finally:
        terminal.close()
