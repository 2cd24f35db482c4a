"""What DynamoDB refuses and moto lets pass, so that tests on moto's tables are no kinder than the service is."""

from typing import Any

import pytest
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.table import Table


def be_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """A query BETWEEN two keys of which the second sorts before the first is a ValidationException."""
    ask = Table.query

    def query(table: Table, partition: Any, comparison: str | None, bounds: list[Any], *rest: Any, **more: Any) -> Any:
        if comparison == "BETWEEN" and bounds[1].value < bounds[0].value:
            raise MockValidationException(
                "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal "
                "to lower bound"
            )
        return ask(table, partition, comparison, bounds, *rest, **more)

    monkeypatch.setattr(Table, "query", query)
