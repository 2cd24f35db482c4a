"""Runs MiniStack, under its own Python, with what it lacks for our template. docs/aws.md tells of each difference.

Rule: only what MiniStack gets wrong about the template is put right here, before its own code sees it; what is deployed
is the unmodified build.
"""

import os
import re
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.services.cloudformation import provisioners

Properties = dict[str, Any]
_CREATE = {kind: handlers["create"] for kind, handlers in provisioners._RESOURCE_HANDLERS.items()}
_HERE = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}/_aws/execute-api"


def given(kind: str) -> Callable[[Callable[[Properties], Properties]], None]:
    """Lets `change` see the properties of each new resource of a kind first."""

    def register(change: Callable[[Properties], Properties]) -> None:
        provisioners._RESOURCE_HANDLERS[kind]["create"] = lambda name, properties, stack: _CREATE[kind](
            name, change(properties), stack
        )

    return register


@given("AWS::CloudWatch::Alarm")
def without_metric_math(properties: Properties) -> Properties:
    """Alarms over several metrics are refused: the first stands for all."""
    metrics = [each["MetricStat"] for each in properties.get("Metrics", []) if "MetricStat" in each]
    if not metrics:
        return properties
    single = {"Period": metrics[0]["Period"], "Statistic": metrics[0]["Stat"], **metrics[0]["Metric"]}
    return {name: value for name, value in properties.items() if name != "Metrics"} | single


@given("AWS::Lambda::EventSourceMapping")
def with_a_number(properties: Properties) -> Properties:
    """A Number parameter arrives as a text, which CloudFormation turns into what the property is."""
    ceiling = int(properties["ScalingConfig"]["MaximumConcurrency"])
    return properties | {"ScalingConfig": {"MaximumConcurrency": ceiling}}


@given("AWS::Lambda::Function")
def reachable_from_here(properties: Properties) -> Properties:
    """Addresses of APIs are those on AWS; here they are paths of the one port. Its own it adds where none is given."""
    variables = properties["Environment"]["Variables"]
    host = re.compile(r"https://(\w+)\.execute-api\.[\w-]+\.amazonaws\.com")
    local = {name: host.sub(rf"{_HERE}/\1", str(value)) for name, value in variables.items() if value != ""}
    return properties | {"Environment": {"Variables": local}}


def create_api(name: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    """SAM writes an HttpApi's routes as an OpenAPI document, which MiniStack passes over."""
    api, attributes = _CREATE["AWS::ApiGatewayV2::Api"](name, properties, stack)
    for path, methods in properties.get("Body", {}).get("paths", {}).items():
        for method, operation in methods.items():
            uri = operation["x-amazon-apigateway-integration"]["uri"]
            integration = {"ApiId": api, "IntegrationUri": uri, "PayloadFormatVersion": "2.0"}
            made, _ = _CREATE["AWS::ApiGatewayV2::Integration"](f"{name}{method}", integration, stack)
            anything = method == "x-amazon-apigateway-any-method"
            key = "$default" if path.endswith("$default") else f"{'ANY' if anything else method.upper()} {path}"
            route = {"ApiId": api, "RouteKey": key, "Target": f"integrations/{made}"}
            _CREATE["AWS::ApiGatewayV2::Route"](f"{name}{method}", route, stack)
    return api, attributes


provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]["create"] = create_api

if __name__ == "__main__":
    app.main()
