"""Posting to agents through the WebSocket gateway's @connections: implements `AgentLink`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.aws.clients import code_of, unavailable
from shared.ports import Gone
from shared.wire import FromCloud, encode

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient

# The gateway answers 410 for a connection that has ended, and 403 for an id that is not of this API.
_GONE = frozenset({"GoneException", "ForbiddenException", "410", "403"})


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
