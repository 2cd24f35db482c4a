"""One TaskGroup that owns every task, and ends by cancelling whatever still runs in it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from edge_agent.link_policy import Disconnect


class Tasks:
    """`async with Tasks() as tasks`; a task that fails ends the others and is raised, in a group. What the body raises
    comes out as it is."""

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[Any]] = []

    async def __aenter__(self) -> "Tasks":
        await self._group.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        for task in self._tasks:
            task.cancel()
        try:
            await self._group.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:
            if error is None or group.exceptions != (error,):
                raise
            raise error from error.__cause__

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self._group.create_task(work)
        self._tasks.append(task)
        return task

    async def until(self, stop: asyncio.Event, uplink: Coroutine[Any, Any, Disconnect]) -> Disconnect | None:
        """Waits for either; why the uplink ended, if it did."""
        ended, stopped = self.start(uplink), self.start(stop.wait())
        await asyncio.wait([ended, stopped], return_when=asyncio.FIRST_COMPLETED)
        return ended.result() if ended.done() else None
