"""The HTTP API's front door: a request becomes an event, goes to the function of its route, and its answer comes back.

Limits and error bodies as API Gateway has them:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Mapping

from aiohttp import web

from local_cloud.clock import Clock
from local_cloud.http_event import HttpAnswer, HttpRequest, Matched, http_answer, http_event
from local_cloud.routing import Bucket, Router
from local_cloud.topology import HttpApi, HttpRoute
from local_cloud.worker_pool import Pool

_PAYLOAD_LIMIT = 10 * 1024 * 1024
# The longest that API Gateway waits for an integration of an HTTP API.
_INTEGRATION_TIMEOUT_S = 30.0

_log = logging.getLogger(__name__)


class HttpGateway:
    def __init__(self, api: HttpApi, pools: Mapping[str, Pool], clock: Clock, port: int, *, throttled: bool) -> None:
        self._api, self._pools, self._clock, self._port = api, pools, clock, port
        self._router = Router(api.routes)
        now = clock.now()
        self._buckets = {
            each.key: Bucket.full(each.throttle, now) for each in api.routes if each.throttle and throttled
        }

    def application(self) -> web.Application:
        app = web.Application(client_max_size=_PAYLOAD_LIMIT)
        app.router.add_route("*", "/{path:.*}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.Response:
        request_id = str(uuid.uuid4())
        try:
            answer = await self._answer(await self._read(request), request_id)
        except web.HTTPRequestEntityTooLarge:
            answer = plain_error(413, "Request Entity Too Large")
        response = web.Response(status=answer.status, body=answer.body)
        for name, value in answer.headers:
            response.headers.add(name, value)
        response.headers["apigw-requestid"] = request_id
        return response

    async def _read(self, request: web.Request) -> HttpRequest:
        address = request.remote or ""
        added = [("x-forwarded-for", address), ("x-forwarded-port", str(self._port)), ("x-forwarded-proto", "http")]
        added.append(("x-amzn-trace-id", f"Root=1-{int(self._clock.now()):08x}-{uuid.uuid4().hex[:24]}"))
        return HttpRequest(
            method=request.method,
            path=request.path,
            query=request.rel_url.raw_query_string,
            headers=[*request.headers.items(), *added],
            body=await request.read(),
            source_ip=address,
        )

    async def _answer(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        found = self._router.match(request.method, self._within_stage(request.path))
        if found is None:
            return plain_error(404, "Not Found")
        route, parameters = found
        bucket = self._buckets.get(route.key)
        if bucket and not bucket.take(self._clock.now()):
            return plain_error(429, "Too Many Requests")
        matched = Matched(self._api.api_id, self._api.stage, route.key, parameters)
        event = http_event(request, matched, request_id, self._clock.now())
        return await self._integrate(route, json.dumps(event).encode())

    def _within_stage(self, path: str) -> str:
        """Routes are matched without the stage, which only `$default` does not show in the path."""
        return path if self._api.stage == "$default" else path.removeprefix(f"/{self._api.stage}")

    async def _integrate(self, route: HttpRoute, event: bytes) -> HttpAnswer:
        try:
            outcome = await asyncio.wait_for(self._pools[route.function].invoke(event), _INTEGRATION_TIMEOUT_S)
        except TimeoutError:
            _log.warning("%s did not answer within %.0f s", route.function, _INTEGRATION_TIMEOUT_S)
            return plain_error(503, "Service Unavailable")
        answer = None if outcome.failed else http_answer(outcome.payload)
        if answer is None:
            _log.warning("%s failed with %s; its log says more", route.function, outcome.error_type)
            return plain_error(500, "Internal Server Error")
        return answer


def plain_error(status: int, message: str) -> HttpAnswer:
    """An error of the gateway itself: not the API's envelope, because the function never answered."""
    return HttpAnswer(status, [("content-type", "application/json")], json.dumps({"message": message}).encode())
