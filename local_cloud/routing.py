"""Which route of an HTTP API a request goes to, and how fast it may. Pure.

The most specific route wins: one with the method before ANY, a path without variables before one with, a greedy
variable after both, `$default` last.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from local_cloud.topology import HttpRoute, Throttle

_VARIABLE = re.compile(r"\\\{([A-Za-z0-9_.-]+)(\\\+)?\\\}")


class Router:
    def __init__(self, routes: Sequence[HttpRoute]) -> None:
        ordered = sorted(routes, key=_specificity)
        self._routes = [(route, _names(route.path), _pattern(route.path)) for route in ordered]

    def match(self, method: str, path: str) -> tuple[HttpRoute, dict[str, str]] | None:
        for route, names, pattern in self._routes:
            if route.method in {method, "ANY"} and (found := pattern.fullmatch(path)):
                return route, dict(zip(names, found.groups(), strict=True))
        return None


def _specificity(route: HttpRoute) -> tuple[bool, bool, int, bool]:
    variables = route.path.count("{")
    return route.path == "$default", "+}" in route.path, variables, route.method == "ANY"


def _names(path: str) -> list[str]:
    return [match.group(1) for match in _VARIABLE.finditer(re.escape(path))]


def _pattern(path: str) -> re.Pattern[str]:
    if path == "$default":
        return re.compile(".*", re.DOTALL)
    return re.compile(_VARIABLE.sub(lambda match: "(.+)" if match.group(2) else "([^/]+)", re.escape(path)))


@dataclass
class Bucket:
    """A token bucket: `burst` requests at once, refilled at `rate` a second."""

    limits: Throttle
    tokens: float
    since: float

    @classmethod
    def full(cls, limits: Throttle, now: float) -> Bucket:
        return cls(limits, limits.burst, now)

    def take(self, now: float) -> bool:
        self.tokens = min(self.limits.burst, self.tokens + (now - self.since) * self.limits.rate)
        self.since = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True
