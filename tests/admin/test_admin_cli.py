import json

import pytest
from botocore.session import Session
from moto import mock_aws

from admin.__main__ import main
from shared import credentials
from shared.aws.account_table import AccountTable
from shared.aws.clients import Clients
from tests.fakes import FakeClock
from tests.template import table_request


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        properties = {k: v for k, v in table_request("Config").items() if k != "TableName"}
        body = {
            "Resources": {"Config": {"Type": "AWS::DynamoDB::Table", "Properties": properties}},
            "Outputs": {"ConfigTable": {"Value": {"Ref": "Config"}}},
        }
        stacks = Session().create_client("cloudformation")
        stacks.create_stack(StackName="spanbridge", TemplateBody=json.dumps(body))
        (stack,) = stacks.describe_stacks(StackName="spanbridge")["Stacks"]
        yield AccountTable(Clients().dynamodb(), stack["Outputs"][0]["OutputValue"], FakeClock())


def test_an_account_and_its_first_agent(accounts: AccountTable, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "accounts", "create", "acme", "--timezone", "Europe/Berlin"]) == 0
    created = json.loads(capsys.readouterr().out)
    stored = accounts.account("acme")
    assert stored is not None and credentials.verify(created["password"], stored.credential)
    assert main(["agents", "add", "acme", "site-1", "--site", "Berlin"]) == 0
    assert "acme.site-1." in capsys.readouterr().out


def test_what_is_refused_is_one_line_and_a_failure(accounts: AccountTable, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agents", "add", "nobody", "site-1"]) == 1
    assert capsys.readouterr().err == "admin: there is no account nobody\n"
    assert main(["--stack", "other", "accounts", "create", "acme"]) == 1
    assert capsys.readouterr().err.startswith("admin: cannot look at stack other")
