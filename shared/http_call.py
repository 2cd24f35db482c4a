"""From API Gateway's HTTP API event (payload format 2.0) to a call: path, body as named values, who asks.

Rule: lenient here, so that everything behind sees one shape. Whatever the bytes are, they become values, or BAD_BODY.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypedDict
from urllib.parse import parse_qsl

from shared.errors import BAD_BODY, BODY_TOO_LARGE, ApiError

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]
Body = dict[str, Value]

MAX_BODY_BYTES = 128 * 1024  # 100 destinations and 10 parts, escaped in the most wasteful way, take half of it
_MAX_FORM_FIELDS = 1000
_MAX_URI = 200


class _Http(TypedDict):
    method: str
    path: str
    sourceIp: str


class _Context(TypedDict):
    http: _Http
    requestId: str


class HttpEvent(TypedDict, total=False):
    """The fields of the event that are read here."""

    rawPath: str
    headers: dict[str, str]
    requestContext: _Context
    body: str
    isBase64Encoded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as it came. `uri` is the path without prefix and without trailing slash."""

    method: str
    uri: str
    source: str
    reference: str
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None  # None: what came is no base64, though it says so

    def body(self) -> Body:
        """The named values of a JSON object or of a form. Raises ApiError."""
        if self.raw is None:
            raise _unreadable("it is not base64, though it says so")
        if len(self.raw) > MAX_BODY_BYTES:
            raise ApiError(BODY_TOO_LARGE, limit=MAX_BODY_BYTES)
        text = _decoded(self.raw).strip()
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if text[:1] in {"{", "["} or not _is_form(kind, text):
            return _from_json(text)
        return _from_form(text)


def read(event: HttpEvent, prefix: str = "") -> Call:
    """[C] Paths answer at the root and under `prefix`. Never raises: an unreadable body is told by `Call.body`."""
    context = event["requestContext"]
    return Call(
        method=context["http"]["method"].upper(),
        uri=_uri(event["rawPath"], prefix),
        source=context["http"]["sourceIp"],
        reference=context["requestId"],
        headers={name.lower(): value for name, value in event.get("headers", {}).items()},
        raw=_bytes(event.get("body") or "", event.get("isBase64Encoded", False)),
    )


def _uri(path: str, prefix: str) -> str:
    prefix = "/" + prefix.strip("/")
    if path.startswith(prefix + "/"):
        path = path[len(prefix) :]
    path = path.rstrip("/") or "/"
    return path[:_MAX_URI].encode("utf-8", "replace").decode()


def _bytes(body: str, is_base64: bool) -> bytes | None:
    if not is_base64:
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return None


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")  # some callers on Windows put a byte order mark first
    except UnicodeDecodeError:
        raise _unreadable("it is not UTF-8") from None


# How bodies begin that hold a `=` too and are no forms.
_OTHERS = {"--": "multipart/form-data", "<": "XML"}


def _is_form(kind: str, text: str) -> bool:
    """[C] A form may come unlabelled. curl's `-d` labels JSON a form, so the first character was looked at first."""
    if kind == "application/x-www-form-urlencoded":
        return True
    for start, name in _OTHERS.items():
        if text.startswith(start):
            raise _unreadable(f"it is {name}")
    return kind != "application/json" and "=" in text


def _from_json(text: str) -> Body:
    try:
        value: Value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _unreadable("it is not valid JSON" if text else "it is empty") from None
    if not isinstance(value, dict):
        raise _unreadable("it is JSON, but no object")
    if "\\u" in text:
        _refuse_halves(value)
    return _named(value.items())


def _no_constant(name: str) -> float:
    raise ValueError(name)  # NaN and Infinity are no JSON (RFC 8259 §6)


def _refuse_halves(value: Value) -> None:
    """Half of a surrogate pair, which only an escape can bring in, is no character: nothing could store or send it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        raise _unreadable("it holds half of a surrogate pair") from None


def _from_form(text: str) -> Body:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FORM_FIELDS, errors="strict")
    except ValueError:
        raise _unreadable("it is a form with too many fields or with bytes that are not UTF-8") from None
    return _named(pairs)


def _named(pairs: Iterable[tuple[str, Value]]) -> Body:
    """A name that comes twice, or with brackets, is a list. Null is nothing to join."""
    body: Body = {}
    for name, value in pairs:
        bare = _bare(name)
        before = body.get(bare)
        if value is None:
            body.setdefault(bare, None)
        elif isinstance(before, list):
            before.extend(_as_list(value))
        elif before is not None:
            body[bare] = [before, *_as_list(value)]
        else:
            body[bare] = value if name == bare else _as_list(value)
    return body


def _as_list(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


_BRACKETS = re.compile(r"\[[0-9]*\]\Z")


def _bare(name: str) -> str:
    """[C] `spans[]` is `spans`, and so is the `spans[0]` that PHP's http_build_query writes."""
    return _BRACKETS.sub("", name)


def _unreadable(problem: str) -> ApiError:
    return ApiError(BAD_BODY, problem=problem)
