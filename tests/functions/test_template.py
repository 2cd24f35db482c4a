"""template.yaml says what a careful engineer would want. What runs from it is tested by tests/local_cloud."""

import dataclasses
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from shared.aws import wiring
from shared.aws.settings import Settings
from tests.template import TEMPLATE, load, resources, statements

FUNCTIONS = resources("AWS::Serverless::Function")
STATEMENTS = [(name, statement) for name in FUNCTIONS for statement in statements(name)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_handler_imports_and_is_called_with_an_event_and_a_context(name: str) -> None:
    module, _, attribute = FUNCTIONS[name]["Handler"].rpartition(".")
    code = f"import {module} as m, inspect; print(len(inspect.signature(m.{attribute}).parameters))"
    root = TEMPLATE.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env={"PATH": ""}, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("2", "")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_packed_as_it_is_imported(name: str) -> None:
    module = FUNCTIONS[name]["Handler"].removesuffix(".app.handler")
    metadata = load()["Resources"][name]["Metadata"]["BuildProperties"]
    assert metadata == {"ParentPackageMode": "explicit", "ParentPackages": module}
    assert FUNCTIONS[name]["CodeUri"] == module.replace(".", "/") + "/"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_a_log_group_with_retention_of_its_own(name: str) -> None:
    group = FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]
    assert resources("AWS::Logs::LogGroup")[group]["RetentionInDays"] == {"Ref": "LogRetention"}


@pytest.mark.parametrize(("name", "statement"), STATEMENTS, ids=lambda value: str(value)[:40])
def test_every_right_is_written_out(name: str, statement: dict[str, Any]) -> None:
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    assert statement["Effect"] == "Allow"
    assert not [action for action in actions if "*" in action]
    assert statement["Resource"] != "*"
    assert not any(action.endswith(("DeleteTable", "PurgeQueue")) for action in actions)


def test_who_may_do_what_no_other_may() -> None:
    def holders(action: str) -> set[str]:
        return {name for name, s in STATEMENTS if action in json.dumps(s["Action"])}

    assert holders("sqs:ReceiveMessage") == {"Push"}
    assert holders("dynamodb:Scan") == {"Sweep"}
    assert holders("execute-api:ManageConnections") == {"SmsApi", "AgentSocket", "Sweep"}
    assert holders("dynamodb:DeleteItem") <= {"Push"}
    assert [s["Action"] for name, s in STATEMENTS if name == "AgentAuth" and s["Sid"] != "Log"] == ["dynamodb:GetItem"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_writes_into_no_log_but_its_own(name: str) -> None:
    group = FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]
    logs = [s for s in statements(name) if "logs:" in json.dumps(s["Action"])]
    [(actions, resource)] = [(s["Action"], s["Resource"]["Fn::Sub"]) for s in logs]
    assert actions == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert resource.endswith(f":log-group:${{{group}}}:*")


@pytest.mark.parametrize("name", ["Outbox", "Inbox", "Config", "Pushes"])
def test_a_table_can_be_restored_and_forgets_in_time(name: str) -> None:
    table = resources("AWS::DynamoDB::Table")[name]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}


@pytest.mark.parametrize("name", ["Outbox", "Inbox", "Config"])
def test_what_cannot_be_made_again_is_not_deleted_by_accident(name: str) -> None:
    table = load()["Resources"][name]
    assert table["Properties"]["DeletionProtectionEnabled"] == {"Fn::If": ["IsProduction", True, False]}
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_loopback_pushes_are_refused_outside_one_machine() -> None:
    rule = load()["Rules"]["LoopbackPushOnlyOnOneMachine"]
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "Environment"}, "local"]}]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Equals": [{"Ref": "AllowLoopbackPush"}, "false"]}
    assert load()["Parameters"]["AllowLoopbackPush"]["Default"] == "false"


def test_every_path_of_the_api_goes_to_our_function() -> None:
    (event,) = FUNCTIONS["SmsApi"]["Events"].values()
    assert event == {"Type": "HttpApi", "Properties": {"ApiId": {"Ref": "Http"}}}


def test_only_opening_a_connection_needs_the_credential_and_it_is_looked_for_in_a_header() -> None:
    routes = resources("AWS::ApiGatewayV2::Route").values()
    assert {r["RouteKey"]: r["AuthorizationType"] for r in routes} == {
        "$connect": "CUSTOM",
        "$disconnect": "NONE",
        "$default": "NONE",
    }
    (authorizer,) = resources("AWS::ApiGatewayV2::Authorizer").values()
    assert authorizer["IdentitySource"] == ["route.request.header.Authorization"]


@pytest.mark.parametrize(
    ("errors", "refused", "faults"),
    [(3, 3, False), (3, 2, True), (1, 0, True), (3000, 3000, False), (3003, 3000, False), (3100, 3000, True)],
)
def test_an_agent_that_is_refused_is_no_fault_of_its_function(errors: int, refused: int, faults: bool) -> None:
    alarm = resources("AWS::CloudWatch::Alarm")["AuthorizerFaults"]
    [expression] = [each["Expression"] for each in alarm["Metrics"] if each["ReturnData"]]
    names = {"errors": errors, "refused": refused, "FILL": lambda series, _: series}
    assert (eval(expression, names) > alarm["Threshold"]) is faults  # written as Python would have it


def test_a_push_under_way_is_not_given_to_another() -> None:
    """AWS advises six times the function's timeout."""
    queue = resources("AWS::SQS::Queue")["PushQueue"]
    assert queue["VisibilityTimeout"] >= 6 * FUNCTIONS["Push"]["Timeout"]


def test_defaults_of_the_template_pass_the_settings_own_checks() -> None:
    parameters = load()["Parameters"]
    fields = {"HEARTBEAT_S": "HeartbeatSeconds", "RETENTION_DAYS": "RetentionDays", "SUCCESS_CODE": "SuccessCode"}
    texts = {field.name.upper(): "x" for field in dataclasses.fields(Settings) if field.type is str}
    environment = texts | {name: str(parameters[parameter]["Default"]) for name, parameter in fields.items()}
    from_defaults = wiring.from_environment(environment)
    assert (from_defaults.heartbeat_s, from_defaults.retention_days, from_defaults.success_code) == (240, 90, 0)


def test_by_default_pushes_leave_others_half_of_what_a_new_account_may_run_at_once() -> None:
    """Ten functions: of these a flood of pushes to slow endpoints holds as many as it may, for as long as it lasts."""
    assert FUNCTIONS["Push"]["Events"]["Waiting"]["Properties"]["ScalingConfig"] == {
        "MaximumConcurrency": {"Ref": "PushConcurrency"}
    }
    assert load()["Parameters"]["PushConcurrency"]["Default"] <= 10 / 2
    assert load()["Parameters"]["ReservedConcurrency"]["Default"] == 0  # an account of ten can reserve none


@pytest.mark.parametrize(("config_env", "architecture"), [("local", "x86_64"), ("local-arm64", "arm64")])
def test_sam_local_runs_functions_on_what_they_were_built_for(config_env: str, architecture: str) -> None:
    """The template's default is one of the two: what is built for the other has to say so here too."""
    config = tomllib.loads((TEMPLATE.parent / "samconfig.toml").read_text())[config_env]
    for command in ("local_invoke", "local_start_api"):
        assert f"Architecture={architecture}" in config[command]["parameters"]["parameter_overrides"].split()
    guide = (TEMPLATE.parent / "docs" / "deploy.md").read_text()
    assert f"ARCH={architecture}" in guide and f"--config-env {config_env}" in guide


def test_the_layer_carries_what_is_tested() -> None:
    """The layer's pins are the local stack's pins."""
    pin = re.compile(r"^([a-z0-9-]+)==([^ ]+)", re.MULTILINE)
    root = Path(TEMPLATE.parent)
    shipped = dict(pin.findall((root / "shared/requirements.txt").read_text()))
    tested = dict(pin.findall((root / "requirements/local.txt").read_text()))
    assert shipped and all(tested[name] == version for name, version in shipped.items())
