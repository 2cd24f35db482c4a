"""The house keeps its shape: arrows point one way, each dirty thing has its file, files and handlers stay short."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("shared", "functions", "edge_agent", "local_cloud", "admin", "benchmarks")
MOST_LINES = 400
MOST_HANDLER_LINES = 15


def files(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def layer_of(name: str) -> str:
    """Of a file or a module: which part of the house it is."""
    dotted = name.removesuffix(".py").replace("/", ".")
    for layer in ("shared.aws", "shared.usecases"):
        if dotted == layer or dotted.startswith(f"{layer}."):
            return layer
    return dotted.partition(".")[0]


# What each part may import of the house. Nothing points back.
ARROWS: dict[str, frozenset[str]] = {
    "shared": frozenset({"shared"}),
    "shared.usecases": frozenset({"shared", "shared.usecases"}),
    "shared.aws": frozenset({"shared", "shared.aws", "shared.usecases"}),  # wiring builds the use cases
    "functions": frozenset({"shared", "shared.usecases", "shared.aws", "functions"}),
    "edge_agent": frozenset({"shared", "edge_agent"}),
    "local_cloud": frozenset(PACKAGES) | {"shared.aws", "shared.usecases"},
    "admin": frozenset(PACKAGES) | {"shared.aws", "shared.usecases"},
    "benchmarks": frozenset(PACKAGES) | {"shared.aws", "shared.usecases"},
}

# Who may import what is dirty: patterns of files.
OWNERS: dict[str, tuple[str, ...]] = {
    "boto3": ("local_cloud/*", "admin/*", "benchmarks/*"),
    "botocore": ("shared/aws/*", "local_cloud/*", "admin/*", "benchmarks/*"),
    "mypy_boto3_dynamodb": ("shared/aws/*", "local_cloud/*", "admin/*"),
    "aws_lambda_powertools": ("shared/aws/telemetry.py",),
    "websockets": ("edge_agent/uplink.py", "local_cloud/socket_gateway.py"),
    "sqlite3": ("edge_agent/journal*.py", "benchmarks/floor.py"),
    "serial": ("edge_agent/modem/serial_port.py", "edge_agent/modem/discovery.py"),
    "moto": ("local_cloud/*", "benchmarks/*"),
    "samtranslator": ("local_cloud/*",),
    "aiohttp": ("local_cloud/*",),
}

# Of shared's top level: what does I/O, or asks for the time. egress is the one outbound HTTP.
DIRTY = frozenset({"socket", "ssl", "http", "urllib.request", "os", "subprocess", "threading", "asyncio", "time"})
MAY_BE_DIRTY = frozenset({"shared/egress.py"})


@cache
def imports(path: Path) -> frozenset[str]:
    """Modules that a file imports anywhere, as full names; `from a import b` counts as a and a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


@pytest.mark.parametrize("package", PACKAGES)
def test_arrows_point_one_way(package: str) -> None:
    wrong = [
        f"{name_of(path)} imports {module}"
        for path in files(package)
        for module in imports(path)
        if module.partition(".")[0] in PACKAGES and layer_of(module) not in ARROWS[layer_of(name_of(path))]
    ]
    assert wrong == []


def test_the_cloud_entry_points_know_no_store_only_the_wiring() -> None:
    wrong = [
        f"{name_of(path)} imports {module}"
        for path in files("functions")
        for module in imports(path)
        if module.startswith("shared.aws.") and module.split(".")[2] not in {"wiring", "telemetry", "cold_start"}
    ]
    assert wrong == []


@pytest.mark.parametrize("library", OWNERS)
def test_only_the_named_files_import(library: str) -> None:
    wrong = [
        name_of(path)
        for path in files(*PACKAGES)
        if any(module.partition(".")[0] == library for module in imports(path))
        and not any(fnmatch(name_of(path), pattern) for pattern in OWNERS[library])
    ]
    assert wrong == []


def test_the_top_of_shared_is_pure() -> None:
    wrong = [
        f"{name_of(path)} imports {module}"
        for path in sorted((ROOT / "shared").glob("*.py"))
        for module in imports(path)
        if (module in DIRTY or module.partition(".")[0] in DIRTY) and name_of(path) not in MAY_BE_DIRTY
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ["edge_agent", "shared"])
def test_what_runs_on_site_starts_without_any_aws_package(package: str) -> None:
    """For real, in a fresh interpreter: an import hook refuses every AWS package."""
    modules = [
        name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in files(package)
        if layer_of(name_of(path)) != "shared.aws" and path.name != "__main__.py"
    ]
    code = f"""
import importlib, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {{"boto3", "botocore", "aws_lambda_powertools", "moto", "samtranslator"}}:
            raise ImportError("an AWS package: " + name)
sys.meta_path.insert(0, Refuse())
for module in {modules!r}:
    importlib.import_module(module)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_file_is_longer_than_a_person_reads() -> None:
    wrong = {
        name_of(path): lines for path in files(*PACKAGES) if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert wrong == {}


def test_every_file_says_what_it_is() -> None:
    wrong = [name_of(p) for p in files(*PACKAGES) if p.read_text().strip() and not ast.get_docstring(_tree(p))]
    assert wrong == []


def test_handlers_are_entry_points_and_no_more() -> None:
    wrong = {
        name_of(path): length
        for path in (ROOT / "functions").glob("*/app.py")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef)
        and node.name == "handler"
        and (length := (node.end_lineno or 0) - node.lineno + 1) > MOST_HANDLER_LINES
    }
    assert wrong == {}


def test_functions_are_short() -> None:
    lengths = sorted(
        (node.end_lineno or 0) - node.lineno + 1
        for path in files(*PACKAGES)
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert lengths[len(lengths) // 2] <= 10


def test_nothing_is_made_or_read_from_the_environment_at_import() -> None:
    """Module level: no client, no session, no environment."""
    wrong = []
    for path in files("shared", "functions", "edge_agent"):
        if name_of(path) == "shared/aws/cold_start.py":
            continue  # it is about what comes before everything else, and asks only whether this is Lambda
        for statement in _tree(path).body:
            if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr):
                text = ast.unparse(statement)
                wrong += [f"{name_of(path)}: {text[:60]}" for sign in _SIGNS if sign in text and '"""' not in text]
    assert wrong == []


_SIGNS = ("os.environ", "os.getenv", "create_client(", "boto3.", "Clients(")


def test_no_file_has_a_name_that_says_nothing() -> None:
    vague = {"utils.py", "util.py", "helpers.py", "helper.py", "common.py", "misc.py"}
    assert [name_of(path) for path in files(*PACKAGES, "tests") if path.name in vague] == []


def test_no_module_bears_the_name_of_a_dependency() -> None:
    """In Lambda the function's own folder stands first on the path."""
    tops = {path.stem for path in ROOT.glob("*.py")} | {path.name for path in ROOT.iterdir() if path.is_dir()}
    assert tops.isdisjoint(OWNERS) and tops.isdisjoint(sys.stdlib_module_names)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())
