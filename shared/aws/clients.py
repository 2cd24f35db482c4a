"""Makes botocore clients, quickly and with bounded patience. Rule: no client is made elsewhere.

botocore without boto3: its clients are what boto3's are, and a cold start that skips the rest is shorter.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from shared.ports import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


def _config(*, connect_s: float, read_s: float, attempts: int) -> Config:
    return Config(
        connect_timeout=connect_s,
        read_timeout=read_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=10,
        parameter_validation=False,  # mypy and the tests do that; at run time it costs a third of a small call's CPU
    )


# A function has 29 s in all (the gateways' limit) and talks to services in its own region: one that has not answered
# within seconds is asked again on another connection rather than waited for.
_PATIENCE = _config(connect_s=2, read_s=5, attempts=4)
# For posts to agents, of which one call may have several to make: what is not posted is drained minutes later.
_BRIEF = _config(connect_s=1, read_s=3, attempts=3)
# For `OutboxStore.look`, which is repeated anyway and may take 3 s.
_HASTY = _config(connect_s=1, read_s=2, attempts=1)

# Names under which services say "later". Anything else is a fault of ours and is not hidden.
_LATER = frozenset(
    {
        "InternalServerError",
        "InternalFailure",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ServiceUnavailable",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class Clients:
    """All clients of one function, each made when first asked for."""

    def __init__(self, *, region: str | None = None) -> None:
        self._session = Session()
        self._region = region

    def dynamodb(self) -> "DynamoDBClient":
        return cast("DynamoDBClient", self._client("dynamodb"))

    def hasty_dynamodb(self) -> "DynamoDBClient":
        return cast("DynamoDBClient", self._client("dynamodb", patience=_HASTY))

    def sqs(self) -> "SQSClient":
        return cast("SQSClient", self._client("sqs"))

    def sns(self) -> "SNSClient":
        return cast("SNSClient", self._client("sns"))

    def connections(self, url: str) -> "ApiGatewayManagementApiClient":
        """`url` is the stage's https address: where the gateway keeps its @connections."""
        return cast("ApiGatewayManagementApiClient", self._client("apigatewaymanagementapi", url, patience=_BRIEF))

    def _client(self, service: str, url: str | None = None, *, patience: Config = _PATIENCE) -> BaseClient:
        return self._session.create_client(service, region_name=self._region, endpoint_url=url, config=patience)


@contextmanager
def unavailable() -> Iterator[None]:
    """Turns throttling, timeouts and faults of the service into `ports.Unavailable`."""
    try:
        yield
    except ClientError as error:
        if code_of(error) in _LATER or status_of(error) >= 500:
            raise Unavailable(f"{error.operation_name}: {code_of(error)}") from error
        raise
    except BotoCoreError as error:  # no answer: connection refused, reset, timed out
        raise Unavailable(type(error).__name__) from error


def code_of(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def status_of(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
