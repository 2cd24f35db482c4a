"""Posting to agents through the WebSocket gateway's @connections: implements `AgentLink`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.aws.clients import code_of, unavailable
from shared.ports import Gone
from shared.wire import FromCloud, encode

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient

# Only this says that a connection has ended. 403 is a right that is missing (ForbiddenException, AccessDeniedException)
# or an address that is none of ours, and would make every agent look absent: it is not hidden.
# https://docs.aws.amazon.com/goto/WebAPI/apigatewaymanagementapi-2018-11-29/PostToConnection
_GONE = frozenset({"GoneException", "410"})


class GatewayLink:
    def __init__(self, client: ApiGatewayManagementApiClient) -> None:
        self._client = client

    def post(self, connection: str, frame: FromCloud) -> None:
        try:
            with unavailable():
                self._client.post_to_connection(ConnectionId=connection, Data=encode(frame).encode())
        except ClientError as error:
            raise _gone(error) from error

    def close(self, connection: str) -> None:
        try:
            with unavailable():
                self._client.delete_connection(ConnectionId=connection)
        except ClientError as error:
            if not isinstance(_gone(error), Gone):
                raise


def _gone(error: ClientError) -> Exception:
    return Gone(error.operation_name) if code_of(error) in _GONE else error
