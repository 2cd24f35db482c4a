"""What is asked of DynamoDB for real: every call of a client, with the read units that AWS would count for it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from benchmarks.fleet import size

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_INDEX_ENTRY = 110  # bytes of a thin one, for counts, of which no row travels


class Meter:
    """Counts from when it is put on a client; `reset` begins anew."""

    def __init__(self, client: "DynamoDBClient") -> None:
        client.meta.events.register("before-call.dynamodb.*", self._asked)
        client.meta.events.register("after-call.dynamodb.*", self._answered)
        self.reset()

    def reset(self) -> None:
        self.calls: Counter[str] = Counter()
        self.reads = 0.0  # units

    def _asked(self, params: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
        context["asked"] = json.loads(params["body"])

    def _answered(self, parsed: Mapping[str, Any], model: Any, context: Mapping[str, Any], **_: object) -> None:
        self.calls[model.name] += 1
        self.reads += _units(model.name, context["asked"], parsed)


def _units(call: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    if call == "GetItem":
        return _read(size(answer.get("Item", {})), asked)
    if call in {"Query", "Scan"}:
        return _read(sum(map(size, answer["Items"])) if "Items" in answer else answer["Count"] * _INDEX_ENTRY, asked)
    if call == "BatchGetItem":
        found = [size(row) for rows in answer["Responses"].values() for row in rows]
        asked_for = [one for one in asked["RequestItems"].values() for _ in one["Keys"]]
        found += [0] * (len(asked_for) - len(found))  # what is not there is paid for too
        return sum(_read(each, one) for each, one in zip(found, asked_for, strict=True))
    return 0.0


def _read(size_: int, asked: Mapping[str, Any]) -> float:
    return max(1, math.ceil(size_ / 4096)) / (1 if asked.get("ConsistentRead") else 2)
