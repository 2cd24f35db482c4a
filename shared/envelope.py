"""The shape of every answer: `{"uri", "code", "msg", "data"}` [D], errors included.

Rule: nothing is answered but through `Answer`, and `data` is always an array.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from pydantic import BaseModel

from shared.errors import ApiError, Kind


class HttpAnswer(TypedDict):
    """What API Gateway's HTTP API takes from a function (payload format 2.0)."""

    statusCode: int
    headers: dict[str, str]
    body: str
    isBase64Encoded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a use case hands back: rows, a sentence and, where it is no plain success, its kind."""

    rows: Sequence[BaseModel]
    msg: str
    kind: Kind | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """One answer before it becomes bytes."""

    uri: str
    code: int
    msg: str
    http: int = 200
    rows: Sequence[BaseModel] = ()
    total: int | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def http_answer(self) -> HttpAnswer:
        """The answer as API Gateway wants it."""
        headers = {"content-type": "application/json; charset=utf-8", "cache-control": "no-store", **self.headers}
        return {"statusCode": self.http, "headers": headers, "body": self._body(), "isBase64Encoded": False}

    def _body(self) -> str:
        named = {"uri": self.uri, "code": self.code, "msg": self.msg}
        head = json.dumps(named, ensure_ascii=False, separators=(",", ":"))
        rows = ",".join(row.model_dump_json() for row in self.rows)
        tail = "" if self.total is None else f',"total":{self.total}'
        return f'{head[:-1]},"data":[{rows}]{tail}}}'


def success(uri: str, outcome: Outcome, success_code: int) -> Envelope:
    """[C] `success_code` is a deployment parameter, 0 by default: the page gives no value."""
    if outcome.kind is not None:
        return Envelope(uri, outcome.kind.code, outcome.msg, outcome.kind.http, outcome.rows, outcome.total)
    return Envelope(uri, success_code, outcome.msg, 200, outcome.rows, outcome.total)


def failure(uri: str, error: ApiError) -> Envelope:
    """The envelope of an error, with `Retry-After` where it is known (whole seconds, RFC 9110 §10.2.3)."""
    headers = {} if error.retry_after is None else {"retry-after": str(max(1, math.ceil(error.retry_after)))}
    return Envelope(uri, error.kind.code, error.sentence, error.kind.http, headers=headers)
