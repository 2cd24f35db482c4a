"""docs/contract.md names a test for every clause, and each of them exists."""

import ast
import re
from pathlib import Path

from shared.usecases.operations import OPERATIONS

TESTS = Path(__file__).parents[1]
CONTRACT = (TESTS.parent / "docs" / "contract.md").read_text()
ROWS = [line for line in CONTRACT.splitlines() if re.match(r"\| [DC+] \|", line)]


def names_in(path: Path) -> set[str]:
    found = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_clause_names_tests_that_exist() -> None:
    assert len(ROWS) > 60
    missing = []
    for row in ROWS:
        named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", row)
        assert named, f"no test in: {row}"
        missing += [f"{file}::{name}" for file, name in named if name not in names_in(TESTS / file)]
    assert missing == []


def test_every_call_has_its_clauses() -> None:
    assert [path for path in OPERATIONS if path not in CONTRACT] == []


def test_what_the_document_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([\w./]+)\)", CONTRACT):
        assert (TESTS.parent / "docs" / target).exists(), target
