"""What is shipped: the right machine's binaries, bytecode that is used, our code and nothing beside it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.built_functions import ARCHITECTURES, ROOT, RUNTIME, Build, environment

# e_machine of an ELF file's header.
_MACHINES = {183: "aarch64", 62: "x86_64"}


def run(code: str, *paths: Path) -> str:
    """What `code` prints under the runtime's Python with nothing but `paths` to import from."""
    env = environment("Test", {"PYTHONPATH": os.pathsep.join(map(str, paths))})
    return subprocess.run([RUNTIME, "-c", code], env=env, capture_output=True, text=True, check=True, cwd="/").stdout


@pytest.fixture(params=ARCHITECTURES)
def shipped(request: pytest.FixtureRequest) -> Build:
    build = Build(request.param)
    assert build.layer.is_dir(), "`make test-built` builds for both"
    return build


def test_binaries_are_those_of_the_machine(shipped: Build) -> None:
    libraries = list(shipped.layer.rglob("*.so"))
    assert any("pydantic_core" in each.name for each in libraries)
    machines = {_MACHINES[int.from_bytes(each.read_bytes()[18:20], "little")] for each in libraries}
    assert machines == {ARCHITECTURES[shipped.architecture]}


def test_all_of_the_layer_has_bytecode_that_no_date_can_make_stale(shipped: Build) -> None:
    """Flag 1 without 2: hash-based and not checked. SAM's zips bear the year 1980, at which others would be stale."""
    magic = bytes.fromhex(run("import importlib.util as u; print(u.MAGIC_NUMBER.hex())"))
    sources = list(shipped.layer.rglob("*.py"))
    assert len(sources) > 300
    for source in sources:
        head = (source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc").read_bytes()[:8]
        assert (head[:4], head[4:]) == (magic, b"\x01\0\0\0"), source


def test_the_shipped_bytecode_is_what_runs(build: Build) -> None:
    """Python tells with -v which file each module's code came from."""
    code = "from shared.aws import clients, account_table; import shared.wire"
    env = environment("Test", {"PYTHONPATH": str(build.layer)})
    told = subprocess.run([RUNTIME, "-v", "-c", code], env=env, capture_output=True, text=True, check=True).stderr
    files = re.findall(r"# code object from '?([^'\n]+)'?", told)
    ours = [Path(each) for each in files if each.startswith(str(build.layer))]
    assert len(ours) > 150
    assert {each.suffix for each in ours} == {".pyc"}


def test_the_layer_holds_our_shared_code_as_it_is_and_no_other_of_ours(shipped: Build) -> None:
    def sources(root: Path) -> dict[str, bytes]:
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.py")}

    assert sources(shipped.layer / "shared") == sources(ROOT / "shared")
    top = {path.name for path in shipped.layer.iterdir()}
    assert not top & {"edge_agent", "local_cloud", "functions", "admin", "tests", "boto3", "moto"}


def test_a_task_holds_one_function(shipped: Build) -> None:
    for folder, function in {"sms_api": "SmsApi", "push": "Push"}.items():
        files = {path.relative_to(shipped.task(function)).as_posix() for path in shipped.task(function).rglob("*.py")}
        assert files == {f"functions/{folder}/__init__.py", f"functions/{folder}/app.py"}


def test_the_runtime_brings_nothing_that_the_layer_should(build: Build) -> None:
    code = "import importlib.metadata as m; print(sorted(d.name.lower() for d in m.distributions()))"
    assert run(code) == "['awslambdaric', 'pip', 'simplejson', 'snapshot-restore-py']\n"


def test_the_layer_is_far_below_the_quota(shipped: Build) -> None:
    """250 MB unzipped for a function and its layers; what is large also starts slowly."""
    assert sum(path.stat().st_size for path in shipped.layer.rglob("*") if path.is_file()) < 40_000_000


_CLIENTS = """
import json
from botocore.session import Session
found = {}
for region in REGIONS:
    for service in ("dynamodb", "sqs", "sns", "apigatewaymanagementapi"):
        client = Session().create_client(service, region_name=region)
        meta = client.meta
        found[f"{region} {service}"] = [
            meta.endpoint_url, meta.partition, meta.service_model.api_version, client._request_signer.signing_name,
            client._request_signer.region_name, sorted(meta.method_to_api_mapping),
        ]
print(json.dumps(found))
"""
_REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-3", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "aws-global"]


_OPERATIONS = {
    "dynamodb": {
        *("batch_get_item", "batch_write_item", "get_item", "put_item"),
        *("query", "scan", "transact_write_items", "update_item"),
    },
    "sqs": {
        *("change_message_visibility", "delete_message", "receive_message"),
        *("send_message", "send_message_batch"),
    },
    "sns": {"publish"},
    "apigatewaymanagementapi": {"delete_connection", "post_to_connection"},
}


def test_clients_of_the_trimmed_sdk_are_those_of_the_whole_one(build: Build) -> None:
    """Same addresses and signatures in every partition, and the operations that our code calls."""
    code = f"REGIONS = {_REGIONS}\n{_CLIENTS}"
    trimmed: dict[str, Any] = json.loads(run(code, build.layer))
    whole = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert trimmed.keys() == whole.keys()
    for name, (*facts, operations) in trimmed.items():
        assert facts == whole[name][:-1]
        assert set(operations) == _OPERATIONS[name.split()[1]] <= set(whole[name][-1])


def test_every_operation_that_our_code_calls_is_in_the_layer() -> None:
    """Called on a client that is known by name in shared/aws."""
    code = "\n".join(path.read_text() for path in (ROOT / "shared" / "aws").glob("*.py"))
    called = set(re.findall(r"client\.([a-z_]+)\(", code))
    assert called - {"get_paginator"} == set().union(*_OPERATIONS.values())
