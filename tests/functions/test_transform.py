"""What SAM makes of template.yaml, as CloudFormation will get it."""

import json
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint

from local_cloud.layout import CHECKOUT
from local_cloud.transform import transformed

Resources = dict[str, dict[str, Any]]
# What SAM itself looks at is gone from what it makes.
_UNUSED_PARAMETER = "W2001"


def made(**parameters: str) -> dict[str, Any]:
    return dict(transformed(CHECKOUT / "template.yaml", parameters, CHECKOUT / ".local" / "cache"))


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
