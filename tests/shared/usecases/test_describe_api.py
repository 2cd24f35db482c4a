"""The OpenAPI document: held to the code, and the code held to it by calls made from it."""

import json
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import CHECKS, load_all_checks

from shared.errors import CATALOGUE
from shared.usecases.describe_api import as_json
from shared.usecases.operations import OPERATIONS
from tests.api_rig import PASSWORD, Rig, event, wsgi

load_all_checks()
PROMISES = CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)


def test_the_document_in_docs_is_made_from_the_code() -> None:
    written = (Path(__file__).parents[3] / "docs/openapi.json").read_text()
    assert written == as_json(), "run: python docs/generate.py"


def test_it_is_valid_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(json.loads(as_json())).validate()


def test_it_has_every_call_and_every_status_of_the_catalogue() -> None:
    paths = json.loads(as_json())["paths"]
    assert set(paths) == set(OPERATIONS)
    for path in paths.values():
        assert set(path["post"]["responses"]) == {str(kind.http) for kind in CATALOGUE}


def test_it_is_served_to_anyone() -> None:
    answer = Rig(path_prefix="/v1").handle(event("/v1/openapi.json", "", method="GET"))
    assert (answer.http, answer.headers["content-type"]) == (200, "application/json")
    assert answer.text == as_json("/v1")
    assert [server["url"] for server in answer.json["servers"]] == ["/", "/v1"]


schema = schemathesis.openapi.from_wsgi("/openapi.json", wsgi(Rig))  # each call meets a world of its own


@schema.parametrize()
@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
def test_calls_made_from_the_document_find_no_500_no_unknown_status_and_no_broken_schema(case: Any) -> None:
    if isinstance(case.body, dict):
        case.body = {**case.body, "username": "acme", "password": PASSWORD}
    response = case.call()
    honest = response.status_code == 503  # no span fits what was asked for
    case.validate_response(response, checks=PROMISES[honest:])
