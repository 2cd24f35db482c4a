"""template.yaml as plain data for tests: short forms of intrinsic functions become their long forms."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parent.parent / "template.yaml"


class _Loader(yaml.SafeLoader):
    pass


def _intrinsic(loader: yaml.Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".")
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


@cache
def load() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(), _Loader)
    return loaded


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Logical name → properties of all resources of a type."""
    return {name: r["Properties"] for name, r in load()["Resources"].items() if r["Type"] == kind}


def statements(function: str) -> list[dict[str, Any]]:
    """All that a function's own role allows."""
    role = resources("AWS::Serverless::Function")[function]["Role"]["Fn::GetAtt"][0]
    return [
        each
        for policy in resources("AWS::IAM::Role")[role]["Policies"]
        for each in policy["PolicyDocument"]["Statement"]
    ]


def table_request(name: str) -> dict[str, Any]:
    """What CreateTable takes, from the template's resource of that name."""
    wanted = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    properties = resources("AWS::DynamoDB::Table")[name]
    return {"TableName": name, **{key: properties[key] for key in wanted if key in properties}}
