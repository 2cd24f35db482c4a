"""What SAM makes of template.yaml, as CloudFormation will get it."""

import json
import re
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from local_cloud.layout import CHECKOUT
from local_cloud.transform import transformed
from tests.template import load

Resources = dict[str, dict[str, Any]]
# What SAM itself looks at is gone from what it makes.
_UNUSED_PARAMETER = "W2001"


def made(**parameters: str) -> dict[str, Any]:
    return dict(transformed(CHECKOUT / "template.yaml", parameters, CHECKOUT / ".local" / "cache"))


def versions(template: dict[str, Any]) -> Resources:
    """The functions' versions, by their logical ids."""
    return {name: each for name, each in template["Resources"].items() if each["Type"] == "AWS::Lambda::Version"}


@pytest.mark.parametrize("gradual", ["true", "false"])
def test_what_is_deployed_is_clean_with_every_switch_on_and_off(gradual: str) -> None:
    """cfn-lint tries every condition both ways; only gradual deployment is SAM's to decide."""
    text = json.dumps(made(GradualDeployment=gradual))
    found = lint(text, config=ManualArgs(regions=["us-east-1"]))
    assert [str(each) for each in found if each.rule.id != _UNUSED_PARAMETER] == []


def test_a_gradual_deployment_is_taken_back_by_alarms_that_are_there() -> None:
    resources: Resources = made(GradualDeployment="true")["Resources"]
    groups = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::CodeDeploy::DeploymentGroup"]
    assert len(groups) == 5
    for group in groups:
        alarms = [each["Name"]["Ref"] for each in group["AlarmConfiguration"]["Alarms"]]
        assert group["AlarmConfiguration"]["Enabled"] is True
        assert alarms and {resources[name]["Type"] for name in alarms} == {"AWS::CloudWatch::Alarm"}


def test_an_upgrade_leaves_the_versions_before_it_to_go_back_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the layer is new, which is the usual upgrade. What leaves a stack is deleted unless it is to be retained."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    before, after = versions(_packaged("one")), versions(_packaged("two"))
    assert len(before) == len(after) == 5
    assert before.keys().isdisjoint(after)
    assert {each["DeletionPolicy"] for each in before.values()} == {"Retain"}


def _packaged(layer: str) -> dict[str, Any]:
    """The transform of what `sam deploy` hands over: code lies in S3, under a name that is a hash of it."""
    source = yaml_parse((CHECKOUT / "template.yaml").read_text())
    for name, each in source["Resources"].items():
        if each["Type"] == "AWS::Serverless::Function":
            each["Properties"]["CodeUri"] = f"s3://bucket/{name}"
    source["Resources"]["SharedLayer"]["Properties"]["ContentUri"] = f"s3://bucket/{layer}"
    return dict(Translator({}, Parser()).translate(source, {}))


def test_another_value_of_a_parameter_is_published_too() -> None:
    """A version's description can only be replaced; so whatever a function gets of the parameters stands in it."""
    given = json.dumps([load()["Globals"]["Function"][part] for part in ("Environment", "Architectures")])
    parameters = {name for name in load()["Parameters"] if f'{{"Ref": "{name}"}}' in given}
    assert parameters >= {"Architecture", "RetentionDays"}
    for version in versions(made()).values():
        assert set(re.findall(r"\$\{(\w+)\}", version["Properties"]["Description"]["Fn::Sub"])) == parameters


def test_a_versions_description_is_never_longer_than_lambda_takes() -> None:
    parameters = load()["Parameters"]
    longest = {
        name: max(len(str(value)) for value in each.get("AllowedValues", [each.get("MaxValue", "")]))
        for name, each in parameters.items()
    } | {"PathPrefix": parameters["PathPrefix"]["MaxLength"]}
    for version in versions(made()).values():
        text = version["Properties"]["Description"]["Fn::Sub"]
        names = re.findall(r"\$\{(\w+)\}", text)
        assert all(longest[name] for name in names)
        assert sum(longest[name] + 1 for name in names) <= 256
