"""GET /openapi.json: the API as an OpenAPI 3.1 document, made from the models, the table of calls and the catalogue."""

import json
from collections.abc import Sequence
from functools import lru_cache

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from shared.errors import CATALOGUE, Kind
from shared.usecases.operations import OPERATIONS, Operation

Json = None | bool | int | float | str | Sequence["Json"] | dict[str, "Json"]

_ABOUT = (
    "Send and receive short messages through modems at remote sites. Every call is a POST with credentials in its "
    "body; every answer is an envelope: `code` 0 is success, any other code is one of the catalogue."
)
_BODIES = ("application/json", "application/x-www-form-urlencoded")


@lru_cache(maxsize=1)
def as_json(prefix: str = "") -> str:
    """The document. `prefix`: under which the paths answer too."""
    return json.dumps(_document(prefix), indent=1, ensure_ascii=False) + "\n"


def _document(prefix: str) -> Json:
    servers: list[Json] = [{"url": url} for url in dict.fromkeys(("/", prefix or "/"))]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Spanbridge", "version": "1", "description": _ABOUT, "license": _LICENSE},
        "servers": servers,
        "paths": {path: {"post": _call(path, operation)} for path, operation in OPERATIONS.items()},
        "components": {"schemas": {**_models(), "Error": _envelope({"type": "array", "maxItems": 0})}},
    }


_LICENSE: Json = {"name": "MIT", "identifier": "MIT"}
_IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same as request_id, which goes first where both are given.",
    "schema": {"type": "string", "maxLength": 128},
}


def _call(path: str, operation: Operation) -> Json:
    call: dict[str, Json] = {"operationId": path.strip("/").replace("/", "_"), "summary": operation.summary}
    if "request_id" in operation.request.model_fields:
        call["parameters"] = [_IDEMPOTENCY_KEY]
    content: Json = {kind: {"schema": _ref(operation.request.__name__)} for kind in _BODIES}
    body: Json = {"required": True, "content": content}
    return {**call, "requestBody": body, "responses": {"200": _rows(operation), **_failures()}}


def _rows(operation: Operation) -> Json:
    kinds = [kind for kind in CATALOGUE if kind.http == 200]
    told = ", ".join(f"{kind.code} {kind.name}" for kind in kinds)
    schema = _envelope({"type": "array", "items": _ref(operation.row.__name__)}, total=True)
    return {"description": f"Carried out. Codes besides success: {told}.", "content": _json(schema)}


def _failures() -> dict[str, Json]:
    by_status: dict[str, list[Kind]] = {}
    for kind in CATALOGUE:
        if kind.http != 200:
            by_status.setdefault(str(kind.http), []).append(kind)
    return {status: _failure(kinds) for status, kinds in by_status.items()}


def _failure(kinds: list[Kind]) -> Json:
    told = "; ".join(f"{kind.code} {kind.name}" for kind in kinds)
    answer: dict[str, Json] = {"description": told, "content": _json(_ref("Error"))}
    if any(kind.retryable for kind in kinds):
        answer["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}}
    return answer


def _envelope(data: Json, *, total: bool = False) -> Json:
    properties: dict[str, Json] = {
        "uri": {"type": "string"},
        "code": {"type": "integer"},
        "msg": {"type": "string"},
        "data": data,
    }
    if total:
        properties["total"] = {"type": "integer", "minimum": 0, "description": "With with_total 1 only."}
    return {"type": "object", "properties": properties, "required": ["uri", "code", "msg", "data"]}


def _models() -> dict[str, Json]:
    requests = sorted({operation.request for operation in OPERATIONS.values()}, key=_name)
    rows = sorted({operation.row for operation in OPERATIONS.values()}, key=_name)
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in requests]
    _, schemas = models_json_schema(
        [*wanted, *((row, "serialization") for row in rows)], ref_template="#/components/schemas/{model}"
    )
    found: dict[str, Json] = schemas["$defs"]
    return found


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}
