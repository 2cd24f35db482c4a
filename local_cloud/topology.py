"""Who calls whom: routes, authorizers, queues and schedules, read from the evaluated template.

Functions and queues are named by their logical ids here; what they are called in the deployed stack is added by
`deploy`. Everything in this module is data, so that it can be handed to the gateway process as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic.alias_generators import to_pascal

from local_cloud.intrinsics import JsonObject

_REFERENCE = re.compile(r'\$\{([A-Za-z0-9]+)[.}]|"(?:Ref|Fn::GetAtt)": \[?"([A-Za-z0-9]+)')
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


class TemplateError(Exception):
    """The template asks for something that is not played locally."""


class Throttle(BaseModel):
    """Requests a second, and how many at once, as a token bucket."""

    rate: float
    burst: int


class HttpRoute(BaseModel):
    method: str  # upper case, or ANY
    path: str  # `/items/{name}`, `/deep/{proxy+}`, or `$default`
    function: str
    throttle: Throttle | None = None

    @property
    def key(self) -> str:
        return self.path if self.path == "$default" else f"{self.method} {self.path}"


class HttpApi(BaseModel):
    api_id: str
    stage: str
    routes: list[HttpRoute]


class Authorizer(BaseModel):
    function: str
    identity_sources: list[str]


class SocketApi(BaseModel):
    api_id: str
    stage: str
    selection: str
    routes: dict[str, str]  # route key → function
    authorizer: Authorizer | None = None


class QueueSource(BaseModel):
    queue: str  # logical id; its URL once deployed
    function: str
    batch_size: int = 10
    window_s: int = 0
    partial_failures: bool = False
    max_concurrency: int | None = None


class Schedule(BaseModel):
    name: str
    function: str
    every_s: int
    source: str
    input: str | None = None
    retries: int = 2  # Lambda's own, of a call that failed


class Topology(BaseModel):
    http: HttpApi | None
    sockets: SocketApi | None
    queues: list[QueueSource]
    schedules: list[Schedule]


class Resource(BaseModel):
    """One entry of the template's `Resources`."""

    model_config = ConfigDict(alias_generator=to_pascal, populate_by_name=True)
    type: str
    properties: JsonObject = {}

    def text(self, name: str, default: str = "") -> str:
        value = self.properties.get(name, default)
        return value if isinstance(value, str) else default

    def number(self, name: str, default: int = 0) -> int:
        value = self.properties.get(name, default)
        return int(value) if isinstance(value, str | int | float) else default

    def object(self, name: str) -> JsonObject:
        return as_object(self.properties.get(name))


Resources = Mapping[str, Resource]


def as_object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def as_list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def api_id(logical_id: str) -> str:
    """An API's id as AWS would make one up: ten characters, here the same at every start."""
    return f"{logical_id.lower()[:6]:x<6}{sum(logical_id.encode()) % 10000:04d}"


def references(value: JsonValue) -> Iterator[str]:
    """Logical ids named anywhere in `value`, by Ref, GetAtt or Sub."""
    for match in _REFERENCE.finditer(json.dumps(value)):
        yield match.group(1) or match.group(2)


def topology(resources: Resources) -> Topology:
    sockets = [
        name for name, each in _of(resources, "AWS::ApiGatewayV2::Api") if each.text("ProtocolType") == "WEBSOCKET"
    ]
    https = [name for name, _ in _of(resources, "AWS::ApiGatewayV2::Api") if name not in sockets]
    if len(sockets) > 1 or len(https) > 1:
        raise TemplateError("more than one HTTP or WebSocket API in the template: the local gateway plays one of each")
    return Topology(
        http=_http_api(https[0], resources) if https else None,
        sockets=_socket_api(sockets[0], resources) if sockets else None,
        queues=[_queue_source(each, resources) for _, each in _of(resources, "AWS::Lambda::EventSourceMapping")],
        schedules=list(_schedules(resources)),
    )


def _of(resources: Resources, kind: str) -> Iterator[tuple[str, Resource]]:
    return ((name, each) for name, each in resources.items() if each.type == kind)


def function_of(value: JsonValue, resources: Resources) -> str:
    """The function that `value` (an ARN, an integration URI, an alias) leads to."""
    for name in references(value):
        found = resources.get(name)
        if found and found.type == "AWS::Lambda::Function":
            return name
        if found and found.type in {"AWS::Lambda::Alias", "AWS::Lambda::Version"}:
            return function_of(found.properties["FunctionName"], resources)
        if found and found.type == "AWS::ApiGatewayV2::Integration":
            return function_of(found.properties["IntegrationUri"], resources)
    raise TemplateError(f"no function is named by {json.dumps(value)}")


def _stage(api: str, resources: Resources) -> Resource:
    for _, stage in _of(resources, "AWS::ApiGatewayV2::Stage"):
        if api in references(stage.properties.get("ApiId")) or stage.text("ApiId") == api_id(api):
            return stage
    raise TemplateError(f"API {api} has no stage")


def _belongs(each: Resource, api: str) -> bool:
    return each.text("ApiId") == api_id(api)


def _http_api(api: str, resources: Resources) -> HttpApi:
    stage = _stage(api, resources)
    routes = [*_body_routes(resources[api], resources), *_declared_routes(api, resources)]
    for route in routes:
        route.throttle = _throttle(stage, route.key)
    return HttpApi(api_id=api_id(api), stage=stage.text("StageName"), routes=routes)


def _body_routes(api: Resource, resources: Resources) -> Iterator[HttpRoute]:
    """SAM writes the routes of an HttpApi as an OpenAPI document."""
    for path, methods in as_object(api.object("Body").get("paths")).items():
        for method, operation in as_object(methods).items():
            uri = as_object(as_object(operation).get("x-amazon-apigateway-integration")).get("uri")
            name = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            # The route that takes whatever no other does is a path of this name in an OpenAPI document.
            yield HttpRoute(
                method=name, path=path.replace("/$default", "$default"), function=function_of(uri, resources)
            )


def _declared_routes(api: str, resources: Resources) -> Iterator[HttpRoute]:
    for _, route in _of(resources, "AWS::ApiGatewayV2::Route"):
        if _belongs(route, api):
            method, _, path = route.text("RouteKey").rpartition(" ")
            function = function_of(route.properties.get("Target"), resources)
            yield HttpRoute(method=method or "ANY", path=path, function=function)


def _throttle(stage: Resource, route_key: str) -> Throttle | None:
    settings = as_object(stage.object("RouteSettings").get(route_key)) or stage.object("DefaultRouteSettings")
    rate, burst = settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit")
    if not isinstance(rate, str | int | float) or not isinstance(burst, str | int | float):
        return None
    return Throttle(rate=float(rate), burst=int(burst))


def _socket_api(api: str, resources: Resources) -> SocketApi:
    routes = [each for _, each in _of(resources, "AWS::ApiGatewayV2::Route") if _belongs(each, api)]
    return SocketApi(
        api_id=api_id(api),
        stage=_stage(api, resources).text("StageName"),
        selection=resources[api].text("RouteSelectionExpression"),
        routes={each.text("RouteKey"): function_of(each.properties.get("Target"), resources) for each in routes},
        authorizer=_authorizer(routes, resources),
    )


def _authorizer(routes: list[Resource], resources: Resources) -> Authorizer | None:
    for route in routes:
        if route.text("RouteKey") == "$connect" and route.text("AuthorizationType") == "CUSTOM":
            (name, *_) = references(route.properties["AuthorizerId"])
            found = resources[name].properties
            sources = [str(each) for each in as_list(found.get("IdentitySource"))]
            return Authorizer(function=function_of(found["AuthorizerUri"], resources), identity_sources=sources)
    return None


def _queue_source(mapping: Resource, resources: Resources) -> QueueSource:
    queues = [
        each for each in references(mapping.properties["EventSourceArn"]) if resources[each].type == "AWS::SQS::Queue"
    ]
    if not queues:
        raise TemplateError("an event source that is not an SQS queue of this template is not played locally")
    ceiling = mapping.object("ScalingConfig").get("MaximumConcurrency")
    return QueueSource(
        queue=queues[0],
        function=function_of(mapping.properties["FunctionName"], resources),
        batch_size=mapping.number("BatchSize", 10),
        window_s=mapping.number("MaximumBatchingWindowInSeconds"),
        partial_failures="ReportBatchItemFailures" in as_list(mapping.properties.get("FunctionResponseTypes")),
        max_concurrency=int(ceiling) if isinstance(ceiling, str | int | float) else None,
    )


def _schedules(resources: Resources) -> Iterator[Schedule]:
    for name, each in _of(resources, "AWS::Scheduler::Schedule"):
        if each.text("State", "ENABLED") == "ENABLED":
            yield _schedule(name, each, each.object("Target"), "aws.scheduler", resources)
    for name, each in _of(resources, "AWS::Events::Rule"):
        if each.text("ScheduleExpression") and each.text("State", "ENABLED") == "ENABLED":
            for target in as_list(each.properties.get("Targets")):
                yield _schedule(name, each, as_object(target), "aws.events", resources)


def _schedule(name: str, each: Resource, target: JsonObject, source: str, resources: Resources) -> Schedule:
    text = target.get("Input")
    function = function_of(target.get("Arn"), resources)
    return Schedule(
        name=each.text("Name", name),
        function=function,
        every_s=rate_seconds(each.text("ScheduleExpression")),
        source=source,
        input=text if isinstance(text, str) else None,
        retries=_retries(function, resources),
    )


def _retries(function: str, resources: Resources) -> int:
    """How often an asynchronous call of it that failed is tried again: twice, unless the template says less."""
    for _, each in _of(resources, "AWS::Lambda::EventInvokeConfig"):
        if function_of(each.properties["FunctionName"], resources) == function:
            return each.number("MaximumRetryAttempts", 2)
    return 2


def rate_seconds(expression: str) -> int:
    """`rate(5 minutes)` → 300. cron() expressions are not played locally."""
    match = _RATE.fullmatch(expression)
    if not match:
        raise TemplateError(f"only rate(…) schedules are played locally, not {expression!r}")
    return int(match.group(1)) * _SECONDS[match.group(2)]
