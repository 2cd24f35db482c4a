"""The gateway's clock: real time that can be turned forward, so that two hours pass in a test at once."""

from __future__ import annotations

import asyncio
import time


class Clock:
    """Epoch seconds plus whatever it was turned by. Belongs to one event loop."""

    def __init__(self) -> None:
        self._turned_by = 0.0
        self._turned = asyncio.Event()

    def now(self) -> float:
        return time.time() + self._turned_by

    def turn(self, seconds: float) -> None:
        """Lets `seconds` pass at once; everything that sleeps on this clock looks at it again."""
        self._turned_by += seconds
        self._turned.set()
        self._turned = asyncio.Event()

    async def sleep_until(self, moment: float) -> None:
        while (left := moment - self.now()) > 0:
            try:
                await asyncio.wait_for(self._turned.wait(), left)
            except TimeoutError:
                continue

    async def sleep(self, seconds: float) -> None:
        await self.sleep_until(self.now() + seconds)
