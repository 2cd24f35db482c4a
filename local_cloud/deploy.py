"""The same template, deployed into moto: what moto knows through its CloudFormation, the rest resolved by us.

moto's CloudFormation has no API Gateway v2, no Scheduler and no alarms. Those resources are taken out of the deployed
copy, and every reference to them is replaced by what it means on this machine. What the deployed stack then says
(names, URLs, each function's environment) is read back from it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, JsonValue

from local_cloud import aws
from local_cloud.intrinsics import NO_VALUE, JsonObject, Scope, evaluate, holds
from local_cloud.topology import Resource, Topology, api_id, as_object, references, topology

# What is handed to moto. Event source mappings are not: moto would call the functions itself, and ours poll the queues.
_IN_MOTO = frozenset(
    {
        "AWS::DynamoDB::Table",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::KMS::Key",
        "AWS::Lambda::Function",
        "AWS::Lambda::LayerVersion",
        "AWS::Logs::LogGroup",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::SSM::Parameter",
    }
)
_PSEUDO: Mapping[str, JsonValue] = {
    "AWS::AccountId": aws.ACCOUNT,
    "AWS::NoValue": NO_VALUE,
    "AWS::Partition": "aws",
    "AWS::Region": aws.REGION,
    "AWS::StackId": f"arn:aws:cloudformation:{aws.REGION}:{aws.ACCOUNT}:stack/{aws.STACK}/local",
    "AWS::StackName": aws.STACK,
    "AWS::URLSuffix": "amazonaws.com",
}


@dataclass(frozen=True)
class Addresses:
    """Ports of the gateway on 127.0.0.1: the HTTP API, the WebSocket API, and `@connections` with the runtime API."""

    http: int
    sockets: int
    control: int


class FunctionSpec(BaseModel):
    """A function as the deployed stack has it."""

    logical_id: str
    name: str
    arn: str
    handler: str
    timeout_s: int
    memory_mb: int
    environment: dict[str, str]


class Deployment(BaseModel):
    """All that the gateway process needs to know."""

    endpoint: str
    functions: dict[str, FunctionSpec]
    queues: dict[str, str]  # logical id → URL
    topology: Topology
    outputs: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """What will be deployed, and who calls whom in it."""

    copy: JsonObject
    topology: Topology


def plan(template: JsonObject, parameters: Mapping[str, str], addresses: Addresses) -> Plan:
    """Pure: the transformed template → the copy for moto, and the topology for the gateway."""
    scope = _scope(template, parameters)
    hosts = _hosts(template, addresses)
    entries = as_object(_localised(_wanted(template["Resources"], scope), hosts))
    outputs = as_object(_localised(_wanted(template.get("Outputs"), scope), hosts))
    resources = {name: Resource.model_validate(each) for name, each in entries.items()}
    kept: JsonObject = {
        name: {"Type": each.type, "Properties": each.properties}
        for name, each in resources.items()
        if each.type in _IN_MOTO
    }
    answerable = {name: each for name, each in outputs.items() if set(references(each)) <= set(kept)}
    return Plan({"Resources": kept, "Outputs": answerable}, topology(resources))


def _scope(template: JsonObject, parameters: Mapping[str, str]) -> Scope:
    declared = as_object(template.get("Parameters"))
    # Whatever its type, `Ref` gives a parameter's value as a text.
    defaults = {name: str(as_object(each).get("Default", "")) for name, each in declared.items()}
    refs: dict[str, JsonValue] = {**_PSEUDO, **defaults, **parameters}
    mappings, conditions = as_object(template.get("Mappings")), as_object(template.get("Conditions"))
    early = Scope(refs, {}, mappings, conditions)
    attributes: dict[str, JsonValue] = {}
    for name, each in as_object(template["Resources"]).items():
        resource = Resource.model_validate(each)
        if resource.type not in _IN_MOTO:
            refs[name] = _stand_in(name, resource, early)
            attributes |= _attributes(name, resource)
    return Scope(refs, attributes, mappings, conditions)


def _stand_in(name: str, resource: Resource, scope: Scope) -> JsonValue:
    """What `Ref` gives for a resource that moto does not have."""
    if resource.type == "AWS::ApiGatewayV2::Api":
        return api_id(name)
    if resource.type == "AWS::ApiGatewayV2::Stage":
        return evaluate(resource.properties.get("StageName"), scope)
    if resource.type == "AWS::Lambda::Alias":
        (function, *_) = references(resource.properties["FunctionName"])
        return {"Fn::Sub": f"${{{function}.Arn}}:{resource.text('Name')}"}
    # An authorizer, an integration, a schedule …: only ever named by another such resource, which finds it by this id.
    return {"Ref": name}


def _attributes(name: str, resource: Resource) -> dict[str, JsonValue]:
    if resource.type != "AWS::ApiGatewayV2::Api":
        return {}
    return {f"{name}.ApiEndpoint": _address(name, resource), f"{name}.ApiId": api_id(name)}


def _address(name: str, api: Resource) -> str:
    scheme = "wss" if api.text("ProtocolType") == "WEBSOCKET" else "https"
    return f"{scheme}://{api_id(name)}.execute-api.{aws.REGION}.amazonaws.com"


def _hosts(template: JsonObject, addresses: Addresses) -> dict[str, str]:
    """Each API's public address and the one that stands for it on this machine."""
    hosts = {}
    for name, each in as_object(template["Resources"]).items():
        api = Resource.model_validate(each)
        if api.type == "AWS::ApiGatewayV2::Api":
            address = _address(name, api)
            is_socket = address.startswith("wss")
            hosts[address] = (
                f"ws://127.0.0.1:{addresses.sockets}" if is_socket else f"http://127.0.0.1:{addresses.http}"
            )
            if is_socket:  # where functions post to connections: the same host, over https
                hosts[address.replace("wss:", "https:")] = f"http://127.0.0.1:{addresses.control}"
    return hosts


def _localised(value: JsonValue, hosts: Mapping[str, str]) -> JsonValue:
    text = json.dumps(value)
    for public, local in hosts.items():
        text = text.replace(public, local)
    localised: JsonValue = json.loads(text)
    return localised


def _wanted(section: JsonValue, scope: Scope) -> JsonObject:
    """The entries of a section whose condition holds, evaluated."""
    return {
        name: evaluate(each, scope)
        for name, each in as_object(section).items()
        if (condition := as_object(each).get("Condition")) is None or holds(condition, scope)
    }


def deploy(wanted: Plan, endpoint: str) -> Deployment:
    """Creates the stack in the moto at `endpoint` and reads back what came of it."""
    stacks = aws.cloudformation(endpoint)
    body = json.dumps(wanted.copy)
    stacks.create_stack(StackName=aws.STACK, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
    physical = {
        each["LogicalResourceId"]: (each["ResourceType"], each["PhysicalResourceId"])
        for page in stacks.get_paginator("list_stack_resources").paginate(StackName=aws.STACK)
        for each in page["StackResourceSummaries"]
    }
    outputs = stacks.describe_stacks(StackName=aws.STACK)["Stacks"][0].get("Outputs", [])
    return Deployment(
        endpoint=endpoint,
        functions=_functions(endpoint, {name: logical for logical, (_, name) in physical.items()}),
        queues={logical: url for logical, (kind, url) in physical.items() if kind == "AWS::SQS::Queue"},
        topology=wanted.topology,
        outputs={each["OutputKey"]: each["OutputValue"] for each in outputs},
    )


def _functions(endpoint: str, logical_ids: Mapping[str, str]) -> dict[str, FunctionSpec]:
    pages = aws.lambda_(endpoint).get_paginator("list_functions").paginate()
    found = (
        FunctionSpec(
            logical_id=logical_ids[each["FunctionName"]],
            name=each["FunctionName"],
            arn=each["FunctionArn"],
            handler=each["Handler"],
            timeout_s=each["Timeout"],
            memory_mb=each["MemorySize"],
            environment=each.get("Environment", {}).get("Variables", {}),
        )
        for page in pages
        for each in page["Functions"]
    )
    return {each.logical_id: each for each in found}
