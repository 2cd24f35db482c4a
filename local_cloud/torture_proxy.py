"""A bad line between the agent and the gateway: a TCP relay that can be cut and stalled while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine

_CHUNK = 65536


class Line:
    """Relays 127.0.0.1:`port` to `target`, on an event loop in a thread of its own."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port: int = self._do(self._listen())

    def cut(self) -> None:
        """Every connection is reset; new ones go through."""
        self._do(self._cut())

    def stall(self) -> None:
        """Nothing flows, and nobody is told: half-open."""
        self._do(self._set(flowing=False))

    def flow(self) -> None:
        self._do(self._set(flowing=True))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _do(self, work: Coroutine[None, None, int]) -> int:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> int:
        self._flowing.set()
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    async def _cut(self) -> int:
        for writer in self._writers:
            writer.transport.abort()
        return len(self._writers)

    async def _set(self, *, flowing: bool) -> int:
        if flowing:
            self._flowing.set()
        else:
            self._flowing.clear()
        return 0

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:  # the gateway is down
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        self._writers -= {writer, far_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort() if reader.exception() else writer.close()
