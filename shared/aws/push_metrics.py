"""Metrics of pushes per account: implements `PushMetrics` as CloudWatch's embedded metric format, a JSON line each.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Callable

from shared.ports import Clock

_NAMESPACE = "Spanbridge"
_UNITS = {"PushAttempts": "Count", "PushFailures": "Count", "OldestPushAge": "Seconds"}


class EmfPushMetrics:
    """`write` takes one line; in a function that is standard output."""

    def __init__(self, write: Callable[[str], object], clock: Clock) -> None:
        self._write, self._clock = write, clock

    def pushes(self, account: str, *, attempts: int, failures: int, oldest_s: float) -> None:
        values = {"PushAttempts": attempts, "PushFailures": failures, "OldestPushAge": round(oldest_s, 3)}
        metrics = [{"Name": name, "Unit": _UNITS[name]} for name in values]
        about = {
            "Timestamp": int(self._clock.now() * 1000),
            "CloudWatchMetrics": [{"Namespace": _NAMESPACE, "Dimensions": [["account"]], "Metrics": metrics}],
        }
        self._write(json.dumps({"_aws": about, "account": account, **values}) + "\n")
