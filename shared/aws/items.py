"""Values to and from DynamoDB's attribute format, by hand: a generic serializer costs several times the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value

Row = Mapping[str, "Value"]


def text(value: str) -> Value:
    return {"S": value}


def number(value: float) -> Value:
    """repr: the shortest text that reads back as the same number; DynamoDB keeps 38 digits."""
    return {"N": repr(value)}


def flag(value: bool) -> Value:
    return {"BOOL": value}


def text_of(row: Row, name: str) -> str:
    """Empty when absent: empty texts are not stored."""
    return row[name]["S"] if name in row else ""


def float_of(row: Row, name: str) -> float:
    """0 when absent."""
    return float(row[name]["N"]) if name in row else 0.0


def optional_of(row: Row, name: str) -> float | None:
    return float(row[name]["N"]) if name in row else None


def int_of(row: Row, name: str) -> int:
    """0 when absent."""
    return int(row[name]["N"]) if name in row else 0


def flag_of(row: Row, name: str) -> bool:
    """False when absent."""
    return name in row and row[name]["BOOL"]


def thin(row: dict[str, Value]) -> dict[str, Value]:
    """Without empty texts, which say the same as none and are paid for."""
    return {name: value for name, value in row.items() if value != {"S": ""}}
