"""What each function is made of, built once a process and only as far as that function needs.

Rule: the one place where services, settings and use cases meet. Imports stand in the functions, so that a cold start
pays for no other function's parts.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from shared.aws.clients import Clients
from shared.aws.clock import SystemClock
from shared.aws.settings import Settings, from_environment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from shared.aws.account_table import AccountTable
    from shared.aws.agent_link import GatewayLink
    from shared.aws.alerts import TopicAlerts
    from shared.aws.inbox_table import InboxTable
    from shared.aws.outbox_table import OutboxTable
    from shared.aws.push_queue import SqsPushQueue
    from shared.aws.tally_table import TallyTable
    from shared.ports import Egress
    from shared.usecases.agent_line import SessionPorts
    from shared.usecases.operations import ApiPorts
    from shared.usecases.push_attempt import Pushing
    from shared.usecases.sweep import Sweeper

CLOCK = SystemClock()


@cache
def api() -> ApiPorts:
    """For functions/sms_api."""
    from shared.aws.telemetry import ApiTelemetry
    from shared.usecases.authenticate import Door
    from shared.usecases.operations import ApiPorts

    settings = _settings()
    return ApiPorts(
        accounts=accounts(),
        outbox=_outbox(),
        inbox=_inbox(),
        link=_link(),
        egress=_egress,
        clock=CLOCK,
        door=Door(accounts(), _tallies(), CLOCK),
        tallies=_tallies(),
        log=ApiTelemetry(),
        success_code=settings.success_code,
        path_prefix=settings.path_prefix,
        allow_loopback_push=settings.allow_loopback_push,
    )


@cache
def sessions() -> SessionPorts:
    """For functions/agent_socket."""
    from shared.aws.telemetry import SiteTelemetry
    from shared.usecases.agent_line import SessionPorts

    return SessionPorts(
        accounts=accounts(),
        outbox=_outbox(),
        inbox=_inbox(),
        link=_link(),
        pushes=_push_queue(),
        alerts=_alerts(),
        metrics=SiteTelemetry(),
        tallies=_tallies(),
        clock=CLOCK,
        heartbeat_s=_settings().heartbeat_s,
    )


@cache
def pushing() -> Pushing:
    """For functions/push."""
    from shared.aws.push_log import DynamoPushLog
    from shared.aws.telemetry import PushTelemetry
    from shared.usecases.push_attempt import Pushing

    settings = _settings()
    return Pushing(
        accounts=accounts(),
        log=DynamoPushLog(_dynamodb(), settings.pushes_table, CLOCK),
        queue=_push_queue(),
        egress=_egress(),
        alerts=_alerts(),
        metrics=PushTelemetry(),
        clock=CLOCK,
    )


@cache
def sweeper() -> Sweeper:
    """For functions/sweep."""
    from shared.aws.telemetry import SiteTelemetry
    from shared.usecases.capping import Capping
    from shared.usecases.reroute import Rerouter
    from shared.usecases.sweep import Sweeper

    capping = Capping(_tallies(), CLOCK)
    return Sweeper(
        accounts=accounts(),
        outbox=_outbox(),
        pushes=_push_queue(),
        alerts=_alerts(),
        metrics=SiteTelemetry(),
        rerouter=Rerouter(accounts=accounts(), outbox=_outbox(), link=_link(), capping=capping, clock=CLOCK),
        clock=CLOCK,
    )


@cache
def accounts() -> AccountTable:
    """All that functions/agent_auth needs."""
    from shared.aws.account_table import AccountTable

    return AccountTable(_dynamodb(), _settings().config_table, CLOCK)


@cache
def _settings() -> Settings:
    return from_environment(os.environ)


def _egress() -> Egress:
    from shared.egress import SafeEgress

    return SafeEgress(allow_loopback=_settings().allow_loopback_push)


@cache
def _clients() -> Clients:
    return Clients()


@cache
def _dynamodb() -> DynamoDBClient:
    return _clients().dynamodb()


@cache
def _hasty_dynamodb() -> DynamoDBClient:
    return _clients().hasty_dynamodb()


def _outbox() -> OutboxTable:
    from shared.aws.outbox_table import OutboxTable

    settings = _settings()
    return OutboxTable(
        _dynamodb(), settings.outbox_table, retention_days=settings.retention_days, hasty=_hasty_dynamodb
    )


def _inbox() -> InboxTable:
    from shared.aws.inbox_table import InboxTable

    return InboxTable(_dynamodb(), _settings().inbox_table, CLOCK, retention_days=_settings().retention_days)


def _tallies() -> TallyTable:
    from shared.aws.tally_table import TallyTable

    return TallyTable(_dynamodb(), _settings().config_table)


def _link() -> GatewayLink:
    from shared.aws.agent_link import GatewayLink

    return GatewayLink(_clients().connections(_settings().connections_url))


def _push_queue() -> SqsPushQueue:
    from shared.aws.push_queue import SqsPushQueue

    return SqsPushQueue(_clients().sqs(), _settings().push_queue_url, _settings().push_dead_queue_url)


def _alerts() -> TopicAlerts:
    from shared.aws.alerts import TopicAlerts

    return TopicAlerts(_clients().sns(), _settings().alerts_topic_arn)
