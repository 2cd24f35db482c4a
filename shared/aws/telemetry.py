"""Logs as JSON lines and metrics in CloudWatch's embedded format. Rule: no message text, no phone number, no secret.

The use cases log through the standard library with facts in `extra`; Lambda's runtime makes a JSON object of each, with
the request's id (LogFormat: JSON in template.yaml). Powertools makes the metrics, and is imported by those who have
some: it costs a start 13 ms. No tracer: its SDK costs more of a cold start than all else together.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.usecases.sweep import Swept

_log = logging.getLogger(__name__)


def start_logging() -> None:
    """Where no runtime has put a handler, as on one machine, there is one that writes what Lambda's would."""
    root = logging.getLogger()
    if not root.handlers:
        from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(LambdaPowertoolsFormatter(utc=True))
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("botocore").setLevel(logging.WARNING)


class ApiTelemetry:
    """Implements `ApiLog`."""

    def answered(
        self, *, uri: str, code: int, http: int, account: str, reference: str, seconds: float, messages: Sequence[str]
    ) -> None:
        facts: dict[str, object] = {"uri": uri, "code": code, "http": http, "account": account, "reference": reference}
        sent = {"message_ids": list(messages)} if messages else {}
        _log.info("call answered", extra=facts | sent | {"ms": round(seconds * 1000)})

    def broke(self, fault: BaseException, *, uri: str, reference: str) -> None:
        """Type and places only: the fault's own words may quote what was sent."""
        facts = {"uri": uri, "reference": reference, "fault": type(fault).__name__, "where": _where(fault)}
        _log.error("a call broke", extra=facts)
        _count("BrokenCalls")


class PushTelemetry:
    """Implements `PushMetrics`: for each account, and for all together, which is what alarms watch."""

    def pushes(self, account: str, *, attempts: int, failures: int, oldest_s: float) -> None:
        from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

        for who in ({"account": account}, {}):
            metrics = EphemeralMetrics()
            for name, value in who.items():
                metrics.add_dimension(name, value)
            metrics.add_metric("PushAttempts", MetricUnit.Count, attempts)
            metrics.add_metric("PushFailures", MetricUnit.Count, failures)
            metrics.add_metric("OldestPushAge", MetricUnit.Seconds, oldest_s)
            metrics.flush_metrics()


class SiteTelemetry:
    """Implements `SiteMetrics`: a metric a site, told when it changes: CloudWatch bills each hour that has a value."""

    def spans(self, account: str, agent_id: str, *, available: int) -> None:
        from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

        metrics = EphemeralMetrics()
        metrics.add_dimension("account", account)
        metrics.add_dimension("site", agent_id)
        metrics.add_metric("SpansAvailable", MetricUnit.Count, available)
        metrics.flush_metrics()


def refused() -> None:
    """An agent was not let in, which Lambda counts as an error of the function: the alarm takes these off."""
    _count("AgentsRefused")


def swept(result: Swept) -> None:
    """The metrics of one run of the sweeper."""
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

    metrics = EphemeralMetrics()  # namespace and service are in the environment (template.yaml)
    metrics.add_metric("Waiting", MetricUnit.Count, result.waiting)
    metrics.add_metric("OldestWaitingAge", MetricUnit.Seconds, result.oldest_s)
    metrics.add_metric("Expired", MetricUnit.Count, result.expired)
    metrics.add_metric("Moved", MetricUnit.Count, result.moved)
    metrics.add_metric("SitesGoneOffline", MetricUnit.Count, result.offline)
    if result.online is not None:
        metrics.add_metric("AgentsOnline", MetricUnit.Count, result.online)
    metrics.flush_metrics()


def _count(name: str) -> None:
    """One more of what an alarm counts."""
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

    metrics = EphemeralMetrics()
    metrics.add_metric(name, MetricUnit.Count, 1)
    metrics.flush_metrics()


def _where(fault: BaseException) -> list[str]:
    """The innermost places of a traceback."""
    places = []
    step = fault.__traceback__
    while step is not None:
        places.append(f"{step.tb_frame.f_code.co_filename}:{step.tb_lineno}")
        step = step.tb_next
    return places[-5:]
