"""The kinds of fields that requests are made of: lenient readers that name what is wrong, never the value itself.

Rule: a reader raises ValueError with words that follow the field's name ("must be …"), or an `ApiError` of its own.
"""

import re
from datetime import datetime
from functools import partial
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from shared import timestamps
from shared.errors import BAD_DESTINATION, TOO_MANY_DESTINATIONS, ApiError

MAX_DESTINATIONS = 100  # all or none of a request is stored, and a DynamoDB transaction takes 100 items
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,15}")
_NO_LARGER = 10**15


def described(value: object) -> str:
    """The class of a value, for a person: what came, without telling what it was."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return f"text of {len(value)} characters" if value else "empty text"
        case list() | tuple():
            return f"a list of {len(value)}"
    return "an object"


def _wrong(wanted: str, value: object) -> ValueError:
    return ValueError(f"must be {wanted}; {described(value)} came")


def _whole(value: object) -> int:
    """[C] Integers come as numbers or as numeric text."""
    if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value.strip()):
        return int(value)
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < _NO_LARGER
        and value == int(value)
    ):
        return int(value)
    raise _wrong("a whole number", value)


def _flag(value: object) -> int:
    """[C] true and false are taken for 1 and 0."""
    number = int(value) if isinstance(value, bool) else _whole(value)
    if number not in {0, 1}:
        raise ValueError("must be 0 or 1")
    return number


def _text(value: object) -> str:
    """[C] A number is taken for its digits: some callers' JSON writers turn "10086" into one."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _wrong("text", value)


def _ports(value: object) -> tuple[int, ...]:
    """[C] One number, a list of numbers or text with numbers between commas; each port counts once."""
    listed = value.split(",") if isinstance(value, str) else value
    if not isinstance(listed, list | tuple):
        listed = [listed]
    return tuple(dict.fromkeys(_whole(item) for item in listed if item != ""))


_BETWEEN_NUMBERS = re.compile(r"[,;|\s]+")  # [C] comma, semicolon, bar, space, newline
_NUMBER = re.compile(r"\+?[0-9]{2,20}")  # short codes are legal


def _destinations(value: object) -> tuple[str, ...]:
    """[C] Several numbers in one text; a number that is written twice gets one message."""
    numbers = tuple(dict.fromkeys(filter(None, _BETWEEN_NUMBERS.split(_text(value)))))
    for number in numbers:
        if not _NUMBER.fullmatch(number):
            raise ApiError(BAD_DESTINATION, number=repr(number[:24]))
    if not numbers:
        raise ValueError("must hold at least one phone number")
    if len(numbers) > MAX_DESTINATIONS:
        raise ApiError(TOO_MANY_DESTINATIONS, limit=MAX_DESTINATIONS)
    return numbers


def _moment(value: object, *, last: bool) -> datetime | None:
    text = _text(value).strip()
    return timestamps.parse(text, last=last) if text else None


_MANY_STARS = re.compile(r"\*+")


def _pattern(value: object) -> str:
    return _MANY_STARS.sub("*", _text(value).strip())


_Digits = Annotated[str, StringConstraints(pattern=r"^\s*[+-]?[0-9]{1,15}\s*$")]
_When = Annotated[str, Field(examples=["2026-01-31 23:59:59"], description="YYYY-MM-DD HH:MM:SS in the account's zone")]

Whole = Annotated[int, BeforeValidator(_whole, json_schema_input_type=int | _Digits)]
Flag = Annotated[int, BeforeValidator(_flag, json_schema_input_type=Literal[0, 1, "0", "1"] | bool)]
Text = Annotated[str, BeforeValidator(_text, json_schema_input_type=str | int)]
Ports = Annotated[
    tuple[int, ...],
    BeforeValidator(_ports, json_schema_input_type=list[int | _Digits] | int | str),
    Field(max_length=1000),
]
Destinations = Annotated[tuple[str, ...], BeforeValidator(_destinations, json_schema_input_type=str | int)]
First = Annotated[datetime | None, BeforeValidator(partial(_moment, last=False), json_schema_input_type=_When | None)]
Last = Annotated[datetime | None, BeforeValidator(partial(_moment, last=True), json_schema_input_type=_When | None)]
Pattern = Annotated[
    str,
    Field(max_length=64),
    BeforeValidator(_pattern, json_schema_input_type=Annotated[str, Field(max_length=64)] | int),
]
