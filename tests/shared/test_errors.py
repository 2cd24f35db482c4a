"""The catalogue of errors and its table in docs/."""

import re
from pathlib import Path

from shared.errors import BAD_FIELD, CATALOGUE, ApiError, as_markdown

STATUSES = {200, 400, 401, 404, 409, 413, 429, 500, 503}


def test_codes_and_names_are_unique_and_none_is_zero() -> None:
    assert len({kind.code for kind in CATALOGUE}) == len(CATALOGUE) == len({kind.name for kind in CATALOGUE})
    assert all(kind.code > 0 for kind in CATALOGUE)


def test_every_error_has_one_of_the_statuses_of_the_contract() -> None:
    assert {kind.http for kind in CATALOGUE} <= STATUSES


def test_what_is_worth_a_retry_says_so_by_its_status_too() -> None:
    assert {kind.http for kind in CATALOGUE if kind.retryable} == {429, 500, 503}
    assert not any(kind.retryable for kind in CATALOGUE if kind.http < 429)


def test_every_sentence_tells_what_to_do() -> None:
    """A fact and an advice: two sentences at least."""
    assert all(len(re.findall(r"[.;?](?: |$)", kind.says)) >= 2 for kind in CATALOGUE)


def test_facts_stand_in_the_sentence() -> None:
    assert ApiError(BAD_FIELD, field="mode", problem="must be 0 or 1").sentence.startswith(
        "The field mode must be 0 or 1."
    )


def test_the_table_in_docs_is_the_catalogue() -> None:
    assert (Path(__file__).parents[2] / "docs/errors.md").read_text() == as_markdown(), "run: python docs/generate.py"
