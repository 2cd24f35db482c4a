"""The command line as a person and a program use it. What the commands do is held by the tests beside this one."""

import io
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.session import Session
from moto import mock_aws

from admin.__main__ import _parser, main
from admin.moments import moment
from shared import credentials
from shared.aws.account_table import AccountTable
from shared.aws.clients import Clients
from shared.aws.clock import SystemClock
from shared.aws.push_log import DynamoPushLog
from shared.push_record import PushAttempt, PushRecord, PushState
from tests.push_world import event
from tests.samples import span
from tests.template import TEMPLATE, table_request

TABLES = ("Outbox", "Inbox", "Config", "Pushes")
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def accounts(monkeypatch: pytest.MonkeyPatch) -> Iterator[AccountTable]:
    """A deployed stack, as CloudFormation knows it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.setenv(name, "eu-central-1")
    with mock_aws():
        resources = {
            name: {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {k: v for k, v in table_request(name).items() if k != "TableName"},
            }
            for name in TABLES
        }
        queues = {name: {"Type": "AWS::SQS::Queue"} for name in ("PushQueue", "PushDeadQueue")}
        outputs = {
            **{f"{name}Table": {"Value": {"Ref": name}} for name in TABLES},
            **{f"{name}Url": {"Value": {"Ref": name}} for name in queues},
            "AgentUrl": {"Value": "wss://abc.execute-api.eu-central-1.amazonaws.com/live"},
            "ConnectionsUrl": {"Value": "https://abc.execute-api.eu-central-1.amazonaws.com/live"},
        }
        template = {
            "Parameters": {"RetentionDays": {"Type": "Number", "Default": "30"}},
            "Resources": resources | queues,
            "Outputs": outputs,
        }
        stacks = Session().create_client("cloudformation")
        stacks.create_stack(StackName="spanbridge", TemplateBody=json.dumps(template))
        (stack,) = stacks.describe_stacks(StackName="spanbridge")["Stacks"]
        told = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        yield AccountTable(Clients().dynamodb(), told["ConfigTable"], SystemClock())


def run(capsys: Capture, *words: str) -> str:
    assert main(words) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def as_json(capsys: Capture, *words: str):  # type: ignore[no-untyped-def]
    return json.loads(run(capsys, "--json", *words))


def refused(capsys: Capture, *words: str) -> str:
    """The one line that says why."""
    assert main(words) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("admin: ")
    (line,) = captured.err.splitlines()
    return line


def test_an_account_from_its_beginning_to_its_end(accounts: AccountTable, capsys: Capture) -> None:
    created = as_json(capsys, "accounts", "create", "acme", "--timezone", "Europe/Berlin", "--parts-per-day", "500")
    stored = accounts.account("acme")
    assert stored and credentials.verify(created["password"], stored.credential)
    assert "password" in run(capsys, "accounts", "rotate-password", "acme")
    assert "requests_per_second" in refused(capsys, "accounts", "limits", "acme", "--requests-per-second", "0.4")
    run(capsys, "accounts", "limits", "acme", "--requests-per-second", "3")
    run(capsys, "accounts", "timezone", "acme", "UTC")
    assert as_json(capsys, "accounts", "show", "acme") == {
        "account": "acme",
        "state": "in use",
        "timezone": "UTC",
        "requests_per_second": 3.0,
        "parts_per_day": 500,
        "parts_per_month": 0,
    }
    run(capsys, "accounts", "suspend", "acme")
    run(capsys, "accounts", "resume", "acme")
    run(capsys, "accounts", "suspend", "acme")
    assert "--confirm acme" in refused(capsys, "accounts", "delete", "acme")
    run(capsys, "accounts", "delete", "acme", "--confirm", "acme")
    assert as_json(capsys, "accounts", "list")[0]["state"].startswith("deleted ")
    assert [row["did"] for row in as_json(capsys, "audit", "list")][-1] == "accounts create"
    assert as_json(capsys, "audit", "list")[0]["who"].startswith("arn:aws:sts::")


def test_a_password_of_ones_own_is_read_from_standard_input_and_not_shown(
    accounts: AccountTable, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    assert "horse" not in run(capsys, "accounts", "create", "acme", "--password-stdin")
    stored = accounts.account("acme")
    assert stored and credentials.verify("correct horse", stored.credential)


def test_a_site_is_invited_by_a_line_to_paste(capsys: Capture) -> None:
    run(capsys, "accounts", "create", "acme")
    told = run(capsys, "agents", "add", "acme", "site-1", "--site", "Berlin")
    assert (
        "python -m edge_agent enroll --url wss://abc.execute-api.eu-central-1.amazonaws.com/live --code acme.site-1."
        in told
    )
    assert as_json(capsys, "agents", "list")[0]["state"] == "invited"
    assert "--force" not in told
    assert as_json(capsys, "agents", "rotate", "acme", "site-1")["code"].startswith("acme.site-1.")
    assert re.search(r"enroll --url \S+ --code \S+ --force$", run(capsys, "agents", "rotate", "acme", "site-1"), re.M)
    assert as_json(capsys, "agents", "revoke", "acme", "site-1")["connection"] == "there was none"
    assert as_json(capsys, "agents", "list", "acme")[0]["state"] == "revoked"
    until = as_json(capsys, "agents", "rotate", "acme", "site-1")["valid_until"]
    assert as_json(capsys, "agents", "list", "acme")[0]["state"] == f"revoked, code open until {until}"


def test_two_machines_with_one_identity_stand_out_in_the_list(accounts: AccountTable, capsys: Capture) -> None:
    run(capsys, "accounts", "create", "acme")
    run(capsys, "agents", "add", "acme", "site-1")
    accounts.note_double("acme", "site-1", at=1_750_000_000.0)
    told = run(capsys, "agents", "list")
    assert "2025-06-15 15:06:40Z" in told and "Two machines bear one identity: acme/site-1." in told
    assert as_json(capsys, "health")["two_machines_in_one"] == 1


def test_spans_are_listed_with_their_sims_and_changed(accounts: AccountTable, capsys: Capture) -> None:
    run(capsys, "accounts", "create", "acme")
    run(capsys, "agents", "add", "acme", "site-1", "--site", "Berlin")
    port = accounts.allot_ports("acme", "site-1", [span()])["imei:1"]
    accounts.note_sim(port, "8949010000001", at=1.0)
    accounts.note_sim(accounts.ports_of("acme", "site-1")["imei:1"], "8949010000777", at=1_750_000_000.0)
    run(capsys, "spans", "name", "acme", "1", "left one")
    run(capsys, "spans", "cap", "acme", "1", "--month", "1000")
    run(capsys, "spans", "disable", "acme", "1")
    (row,) = as_json(capsys, "spans", "list")
    assert (row["name"], row["status"], row["parts_per_month"]) == ("left one", "disabled by the operator", 1000)
    assert (row["sim"], row["sim_changed"]) == ("…000777", "2025-06-15 15:06:40Z, was …000001")
    run(capsys, "spans", "enable", "acme", "1")


def test_a_sim_whose_memory_is_full_is_seen_in_the_list_and_so_is_that_it_has_room_again(
    accounts: AccountTable, capsys: Capture
) -> None:
    run(capsys, "accounts", "create", "acme")
    run(capsys, "agents", "add", "acme", "site-1")
    infos = [span(), span("imei:2")]
    accounts.allot_ports("acme", "site-1", infos)
    accounts.save_spans("acme", "site-1", infos, at=1.0, whole=True)
    (news,) = accounts.save_spans("acme", "site-1", [span(sim_full=True)], at=2.0, whole=False)
    assert news[1].sim_full
    assert [row["sim_memory"] for row in as_json(capsys, "spans", "list")] == ["full", ""]
    accounts.save_spans("acme", "site-1", infos, at=3.0, whole=True)
    assert [row["sim_memory"] for row in as_json(capsys, "spans", "list")] == ["", ""]


def test_messages_and_pushes_of_an_account_that_has_none(capsys: Capture) -> None:
    run(capsys, "accounts", "create", "acme")
    assert run(capsys, "messages", "find", "acme", "--number", "+49*", "--since", "2h") == "none\n"
    assert "no message" in refused(capsys, "messages", "show", "acme", "x")
    assert as_json(capsys, "pushes", "list", "acme") == []
    assert "set_config" in refused(capsys, "pushes", "test", "acme")
    assert "no push" in refused(capsys, "pushes", "replay", "acme", "--id", "x")
    assert "no push" in refused(capsys, "pushes", "show", "acme", "x")
    told = sorted(row["what"] for row in as_json(capsys, "audit", "list") if row["did"].startswith("pushes"))
    assert told[0] == "" and told[1].startswith("nothing was sent: ") and len(told) == 2  # of the test alone
    assert as_json(capsys, "pushes", "replay", "acme", "--since", "1d") == {"replayed": 0}
    assert as_json(capsys, "pushes", "drain") == {"replayed": 0, "told_meanwhile": 0, "unreadable": 0}
    assert as_json(capsys, "health")["pushes_given_up"] == 0


def test_the_attempts_of_a_push_that_was_given_up_are_shown_with_time_duration_and_words(capsys: Capture) -> None:
    run(capsys, "accounts", "create", "acme")
    (stack,) = Session().create_client("cloudformation").describe_stacks(StackName="spanbridge")["Stacks"]
    table = next(each["OutputValue"] for each in stack["Outputs"] if each["OutputKey"] == "PushesTable")
    begun = time.time() - 36 * 3600  # as long as it takes to give up
    attempts = tuple(
        PushAttempt(status=status, error=error, seconds=1.25, at=1_750_000_000.0 + n)
        for n, (status, error) in enumerate([(None, "no answer within 15 s"), (503, "answered 503")])
    )
    dead = PushRecord(
        event=event("m1"), state=PushState.DEAD, first_at=begun, next_at=begun, tries=2, attempts=attempts
    )
    DynamoPushLog(Clients().dynamodb(), table, SystemClock()).save(dead)
    (listed,) = as_json(capsys, "pushes", "list", "acme", "--state", "dead")
    rows = as_json(capsys, "pushes", "show", "acme", listed["id"])
    assert rows == [
        {"time": "2025-06-15 15:06:40Z", "status": None, "seconds": 1.25, "error": "no answer within 15 s"},
        {"time": "2025-06-15 15:06:41Z", "status": 503, "seconds": 1.25, "error": "answered 503"},
    ]
    assert "It is dead." in run(capsys, "pushes", "show", "acme", listed["id"])
    assert as_json(capsys, "pushes", "replay", "acme") == {"replayed": 1}


def test_what_is_refused_is_one_line_that_says_what_to_do_and_a_failure(capsys: Capture, tmp_path: Path) -> None:
    assert (
        refused(capsys, "agents", "add", "nobody", "site-1")
        == "admin: there is no account nobody; accounts list shows all"
    )
    assert "--stack, --region, --profile" in refused(capsys, "--stack", "other", "accounts", "list")
    assert "make run" in refused(capsys, "--local", "--state-dir", str(tmp_path), "health")
    run(capsys, "accounts", "create", "acme")
    assert "write 90m" in refused(capsys, "messages", "find", "acme", "--since", "yesterday")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("messages", "find", "acme", "--most", "-1"), "'-1' is no number from 1 up"),
        (("messages", "find", "acme", "--state", "bogus"), "'uncertain'"),
        (("audit", "list", "--most", "-1"), "'-1' is no number from 1 up"),
        (("pushes", "drain", "--most", "0"), "'0' is no number from 1 up"),
        (("spans", "cap", "acme", "1", "--day", "-1"), "'-1' is no number from 0 up"),
    ],
)
def test_what_cannot_be_meant_is_told_with_what_can(capsys: Capture, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2 and says in capsys.readouterr().err


@pytest.mark.parametrize("topic", ["agents", "spans", "pushes"])
def test_lists_of_an_account_that_is_not_there_are_refused_and_not_empty(capsys: Capture, topic: str) -> None:
    assert "there is no account nobody; accounts list" in refused(capsys, topic, "list", "nobody")


def test_json_may_be_asked_for_behind_the_action_as_well(capsys: Capture) -> None:
    run(capsys, "accounts", "create", "acme")
    for words in (("accounts", "list"), ("health",), ("audit", "list"), ("messages", "find", "acme")):
        assert json.loads(run(capsys, *words, "--json")) == json.loads(run(capsys, "--json", *words))
        assert run(capsys, *words)[0] not in "[{"


def test_a_cell_of_json_is_a_number_or_null(accounts: AccountTable, capsys: Capture) -> None:
    run(capsys, "accounts", "create", "acme")
    run(capsys, "agents", "add", "acme", "site-1")
    accounts.allot_ports("acme", "site-1", [span()])
    run(capsys, "spans", "cap", "acme", "1", "--month", "1000")
    (row,) = as_json(capsys, "spans", "list", "acme")
    assert (row["parts_per_day"], row["parts_per_month"], row["signal_dbm"]) == (None, 1000, None)


def test_a_stack_that_is_another_programs_is_named_as_such(capsys: Capture) -> None:
    stacks = Session().create_client("cloudformation")
    stacks.create_stack(StackName="other", TemplateBody='{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}')
    assert "is it a Spanbridge stack?" in refused(capsys, "--stack", "other", "health")


@pytest.mark.parametrize("text", ["yesterday", "2x", "", "-3h"])
def test_what_is_no_time_is_told_so(text: str) -> None:
    with pytest.raises(Exception, match="is no time"):
        moment(text, 0.0)


def test_times_are_told_as_ages_or_in_utc() -> None:
    assert [moment(text, 1e6) for text in ("90m", "2h", "3d", "0m")] == [1e6 - 5400, 1e6 - 7200, 1e6 - 259200, 1e6]
    assert moment("2025-06-15T15:06:40", 0.0) == moment("2025-06-15 17:06:40+02:00", 0.0) == 1_750_000_000.0


def test_there_is_help_for_every_topic_and_action(capsys: Capture) -> None:
    topics = next(action for action in _parser()._actions if action.choices and action.metavar == "TOPIC")
    for topic, parser in topics.choices.items():  # type: ignore[union-attr]
        for words in ([topic], *([topic, action] for nested in parser._actions for action in nested.choices or ())):
            with pytest.raises(SystemExit) as ended:
                main([*words, "--help"])
            assert ended.value.code == 0
            assert len(capsys.readouterr().out.splitlines()) > 3


def test_a_python_without_what_it_needs_is_one_line_with_the_next_step() -> None:
    """-S: nothing that was installed can be imported."""
    command = [sys.executable, "-S", "-m", "admin", "accounts", "list"]
    done = subprocess.run(command, cwd=TEMPLATE.parent, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert "make admin" in line and ".venv/bin/python -m admin" in line


def test_a_deployment_installs_what_the_operator_needs_next(tmp_path: Path) -> None:
    """Make says what it would do in a clean clone."""
    command = ["make", "-n", "deploy", f"VENV={tmp_path}/venv", f"PYTHON={sys.executable}"]
    done = subprocess.run(command, cwd=TEMPLATE.parent, capture_output=True, text=True, check=True)
    steps = [line for line in done.stdout.splitlines() if "requirements/local.txt" in line or " deploy " in line]
    assert f"{tmp_path}/venv" in steps[0] and " deploy " in steps[-1]
