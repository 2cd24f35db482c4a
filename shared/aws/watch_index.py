"""The index `watch` of the Config table: rows of which something is due, by when.

Rows AGENT# stand in it by the time until which they are expected to be heard of, rows SPANS# by the time when something
is to be told of them, in partitions of their own. One Query a shard finds what is due, however many sites there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from shared.aws.items import Row, number, text
from shared.aws.reading import query_rows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def due(client: DynamoDBClient, table: str, shards: Sequence[str], before: float) -> Iterator[Row]:
    """Keys of the rows that are due; only those are read."""
    for shard in shards:
        yield from query_rows(
            client,
            {
                "TableName": table,
                "IndexName": "watch",
                "KeyConditionExpression": "watch = :shard AND expected_by < :before",
                "ExpressionAttributeValues": {":shard": text(shard), ":before": number(before)},
            },
        )
