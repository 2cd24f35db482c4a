"""Metrics of pushes, as CloudWatch reads them."""

import json

from shared.aws.push_metrics import EmfPushMetrics
from tests.fakes import FakeClock


def test_attempts_failures_and_age_are_told_per_account_in_embedded_metric_format() -> None:
    lines: list[str] = []
    EmfPushMetrics(lines.append, FakeClock(1_750_000_000.5)).pushes("acme", attempts=3, failures=1, oldest_s=12.5)
    told = json.loads(lines[0])
    assert (told["account"], told["PushAttempts"], told["PushFailures"], told["OldestPushAge"]) == ("acme", 3, 1, 12.5)
    assert told["_aws"]["Timestamp"] == 1_750_000_000_500
    directive = told["_aws"]["CloudWatchMetrics"][0]
    assert directive["Dimensions"] == [["account"]]
    assert all(metric["Name"] in told for metric in directive["Metrics"])
    assert lines[0].count("\n") == 1
