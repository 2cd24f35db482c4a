"""The gateway's own back door, on a port that no customer knows: for `run`, tests, demo and torture.

`@connections` is served here too: its address is whatever the template's endpoint resolves to.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from local_cloud.clock import Clock
from local_cloud.connections import Connections
from local_cloud.worker_pool import Pool


class Control:
    def __init__(self, pools: Mapping[str, Pool], connections: Connections | None, clock: Clock) -> None:
        self._pools, self._connections, self._clock = pools, connections, clock

    def application(self) -> web.Application:
        app = web.Application(client_max_size=1024 * 1024)
        app.router.add_get("/_local/functions", self._functions)
        app.router.add_get("/_local/workers", self._workers)
        app.router.add_post("/_local/clock", self._turn_clock)
        if self._connections is not None:
            self._connections.add_routes(app)
            app.router.add_get("/_local/connections", self._list)
            app.router.add_post("/_local/faults", self._set_faults)
            app.router.add_post("/_local/cut", self._cut)
        return app

    async def _functions(self, request: web.Request) -> web.Response:
        """Logical id → `starting`, `warm` or `broken`."""
        return web.json_response({name: pool.state for name, pool in self._pools.items()})

    async def _workers(self, request: web.Request) -> web.Response:
        """Handler → process ids, for whoever wants to kill one."""
        return web.json_response({pool.spec.handler: pool.pids for pool in self._pools.values()})

    async def _turn_clock(self, request: web.Request) -> web.Response:
        self._clock.turn(float((await request.json())["seconds"]))
        return web.json_response({"now": self._clock.now()})

    async def _list(self, request: web.Request) -> web.Response:
        assert self._connections is not None
        return web.json_response({"open": [each.client.connection_id for each in self._connections]})

    async def _set_faults(self, request: web.Request) -> web.Response:
        """The fields of `Faults`, each optional: `{"fail_posts": [429], "drop_disconnects": true}`."""
        assert self._connections is not None
        wanted, faults = await request.json(), self._connections.faults
        faults.fail_posts.extend(int(status) for status in wanted.get("fail_posts", []))
        faults.lose_posts = int(wanted.get("lose_posts", faults.lose_posts))
        faults.lose_frames = int(wanted.get("lose_frames", faults.lose_frames))
        faults.drop_disconnects = bool(wanted.get("drop_disconnects", faults.drop_disconnects))
        return web.json_response({})

    async def _cut(self, request: web.Request) -> web.Response:
        """Closes every open connection with `{"code": …}`."""
        assert self._connections is not None
        code = int((await request.json()).get("code", 1001))
        for connection in self._connections:
            await connection.wire.close(code, "Going away")
        return web.json_response({})
