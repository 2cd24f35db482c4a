import json
import logging

import pytest

from shared.aws.telemetry import ApiTelemetry, PushTelemetry, start_logging, swept
from shared.usecases.sweep import Swept


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "spanbridge")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Spanbridge")


def test_a_sweep_is_one_line_of_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    swept(Swept(waiting=3, oldest_s=12.5, expired=1, moved=0, offline=0, online=7))
    line = json.loads(capsys.readouterr().out)
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Spanbridge"
    assert (line["Waiting"], line["OldestWaitingAge"], line["AgentsOnline"]) == ([3.0], [12.5], [7.0])


def test_what_was_not_counted_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    swept(Swept(waiting=0, oldest_s=0, expired=0, moved=0, offline=0, online=None))
    assert "AgentsOnline" not in capsys.readouterr().out


def test_pushes_are_counted_for_their_account_and_for_all_together(capsys: pytest.CaptureFixture[str]) -> None:
    PushTelemetry().pushes("acme", attempts=5, failures=2, oldest_s=60)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    dimensions = [line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] for line in lines]
    assert [line["PushFailures"] for line in lines] == [[2.0], [2.0]]
    assert sorted(sorted(names) for [names] in dimensions) == [["account", "service"], ["service"]]


def test_the_line_of_a_call_names_the_messages_that_it_made(caplog: pytest.LogCaptureFixture) -> None:
    call = {"code": 0, "http": 200, "account": "acme", "reference": "r1", "seconds": 0.012}
    ApiTelemetry().answered(uri="/sms/send", messages=["m1", "m2"], **call)
    ApiTelemetry().answered(uri="/smsoutbox/get", messages=[], **call)
    sent, listed = (record.__dict__ for record in caplog.records)
    assert (sent["message_ids"], sent["reference"], sent["ms"]) == (["m1", "m2"], "r1", 12)
    assert "message_ids" not in listed


def test_a_fault_is_logged_without_its_own_words(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("secret text")
    except ValueError as fault:
        ApiTelemetry().broke(fault, uri="/sms/send", reference="r1")
    (record,) = caplog.records
    assert record.__dict__["fault"] == "ValueError" and record.__dict__["where"]
    assert "secret text" not in str(record.__dict__)


def test_a_fault_is_counted_for_the_alarm_that_takes_a_new_version_back(capsys: pytest.CaptureFixture[str]) -> None:
    ApiTelemetry().broke(ValueError("secret text"), uri="/sms/send", reference="r1")
    line = json.loads(capsys.readouterr().out)
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("Spanbridge", [["service"]])
    assert (line["BrokenCalls"], line["service"]) == ([1.0], "spanbridge")


def test_logs_are_json_lines_with_their_facts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    start_logging()
    logging.getLogger("shared.anything").info("connected", extra={"agent": "site-1"})
    line = json.loads(capsys.readouterr().out)
    assert (line["message"], line["agent"], line["level"]) == ("connected", "site-1", "INFO")
