"""The gateway process: API Gateway, Lambda and their event sources, in one event loop.

Its deployment comes as one line of JSON on standard input, so that everything slow can be imported while the stack is
still being deployed. It says that it is ready once it listens; functions that are still starting make callers wait.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path

from aiohttp import web

from local_cloud.clock import Clock
from local_cloud.connections import Connections, Faults
from local_cloud.control import Control
from local_cloud.deploy import Deployment
from local_cloud.event_sources import QueuePoller, ScheduleRunner
from local_cloud.http_gateway import HttpGateway
from local_cloud.lifeline import announce, live_with_parent
from local_cloud.socket_gateway import SocketGateway
from local_cloud.trace import Trace
from local_cloud.worker_pool import Pool


class Gateway:
    def __init__(self, deployment: Deployment, options: argparse.Namespace) -> None:
        self._deployment, self._options = deployment, options
        self._clock = Clock()
        self._pools = {
            name: Pool(spec, deployment.endpoint, options.code, options.logs / f"{name}.log", options.workers)
            for name, spec in deployment.functions.items()
        }
        sockets = deployment.topology.sockets
        trace = Trace(options.trace)
        self._connections = Connections(sockets.stage, self._clock, Faults(), trace) if sockets else None

    async def run(self) -> int:
        """Serves until SIGTERM; the exit status."""
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await self._listen()
        announce("ready")
        endless = [asyncio.create_task(self._call_functions()), asyncio.create_task(stop.wait())]
        ended, _ = await asyncio.wait(endless, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*(pool.stop() for pool in self._pools.values()))
        broken = [error for task in ended if (error := task.exception())]
        for error in broken:  # an event source that broke ends the gateway, and its log says why
            logging.error("an event source broke", exc_info=error)
        return 1 if broken else 0

    async def _call_functions(self) -> None:
        """Starts them: first those that somebody waits for. Then calls those that have a queue or a schedule."""
        parts = self._deployment.topology
        background = {each.function for each in parts.queues} | {each.function for each in parts.schedules}
        await asyncio.gather(*(pool.start() for name, pool in self._pools.items() if name not in background))
        await asyncio.gather(*(self._pools[name].start() for name in background))
        async with asyncio.TaskGroup() as sources:
            for each in self._sources():
                sources.create_task(each)

    async def _listen(self) -> None:
        parts = self._deployment.topology
        control = Control(self._pools, self._connections, self._clock)
        await _site(control.application(), self._options.control_port)
        if parts.sockets and self._connections:
            sockets = SocketGateway(parts.sockets, self._pools, self._connections, self._clock)
            await sockets.start(self._options.sockets_port)
        if parts.http:
            throttled = not self._options.no_throttle
            http = HttpGateway(parts.http, self._pools, self._clock, self._options.http_port, throttled=throttled)
            await _site(http.application(), self._options.http_port)

    def _sources(self) -> list[Coroutine[None, None, None]]:
        deployed, parts = self._deployment, self._deployment.topology
        pollers = [
            QueuePoller(each, deployed.queues[each.queue], self._pools[each.function], deployed.endpoint).run()
            for each in parts.queues
        ]
        schedules = [ScheduleRunner(each, self._pools[each.function], self._clock).run() for each in parts.schedules]
        return [*pollers, *schedules]


async def _site(app: web.Application, port: int) -> None:
    runner = web.AppRunner(app, access_log=None, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_port=True).start()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local_cloud.gateway")
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--sockets-port", type=int, required=True)
    parser.add_argument("--control-port", type=int, required=True)
    parser.add_argument("--code", type=Path, required=True, help="folder that the functions are imported from")
    parser.add_argument("--logs", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=4, help="environments a function may have at once")
    parser.add_argument("--trace", type=Path, help="keep every frame in this file, texts included")
    parser.add_argument("--no-throttle", action="store_true")
    return parser.parse_args()


async def _serve(deployment: Deployment, options: argparse.Namespace) -> None:
    status = await Gateway(deployment, options).run()
    logging.shutdown()
    # At once: an orderly end would wait for the threads of the long polls.
    os._exit(status)


def main() -> None:
    options = _options()
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s", level=logging.WARNING)
    line = sys.stdin.readline()
    live_with_parent()
    if line:  # none: the parent ended first
        asyncio.run(_serve(Deployment.model_validate_json(line), options))


if __name__ == "__main__":
    main()
