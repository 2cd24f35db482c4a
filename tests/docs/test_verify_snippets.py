"""The verification snippets of docs/push.md, run against requests that the product makes."""

import importlib.util
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.push_request import PushRequest, build
from shared.push_settings import PushSettings
from tests.push_world import event

SNIPPETS = Path(__file__).parents[2] / "docs" / "verify"
NOW = 1_750_000_000
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TEXT = "a-secret-of-sixteen-and-more"

Verify = Callable[[str, dict[str, str], str, int], bool]


def python(secret: str, headers: dict[str, str], payload: str, now: int) -> bool:
    spec = importlib.util.spec_from_file_location("verify", SNIPPETS / "verify.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return bool(module.verify(secret, headers, payload.encode(), now))


def _run(command: list[str], secret: str, headers: dict[str, str], payload: str, now: int) -> bool:
    call = json.dumps({"secret": secret, "headers": headers, "payload": payload, "now": now})
    done = subprocess.run(command, input=call, capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr == "" and done.stdout in {"true", "false"}, done
    return done.stdout == "true"


def node(secret: str, headers: dict[str, str], payload: str, now: int) -> bool:
    script = (
        f"import {{ verify }} from {json.dumps((SNIPPETS / 'verify.mjs').as_uri())};"
        "import { readFileSync } from 'node:fs';"
        "const c = JSON.parse(readFileSync(0));"
        "process.stdout.write(String(verify(c.secret, c.headers, Buffer.from(c.payload), c.now)));"
    )
    return _run(["node", "--input-type=module", "-e", script], secret, headers, payload, now)


def php(secret: str, headers: dict[str, str], payload: str, now: int) -> bool:
    script = (
        f"require {json.dumps(str(SNIPPETS / 'verify.php'))}; $c = json_decode(file_get_contents('php://stdin'), true);"
        "echo json_encode(verify($c['secret'], $c['headers'], $c['payload'], $c['now']));"
    )
    return _run(["php", "-n", "-d", "error_reporting=-1", "-r", script], secret, headers, payload, now)


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


@pytest.fixture(params=["python", pytest.param("node", marks=needs("node")), pytest.param("php", marks=needs("php"))])
def verify(request: pytest.FixtureRequest) -> Verify:
    return {"python": python, "node": node, "php": php}[request.param]


def signed(method: str, secret: str, before: str = "") -> tuple[dict[str, str], str]:
    """Headers and payload of a request as a receiver sees them."""
    settings = PushSettings(
        enable=1, url_host="a.example", url_path="/in", url_user_defined="k=a+b", url_method=method,
        signing_secret=secret, signing_secret_before=before, signing_secret_before_until=NOW + 1,
    )  # fmt: skip
    request = build(settings, replace(event(), text="Grüße & 👋 +1"), "UTC", NOW)
    return {name.lower(): value for name, value in request.headers.items()}, _payload(request)


def _payload(request: PushRequest) -> str:
    url = urlsplit(request.url)
    return request.body.decode() if request.method == "POST" else f"{url.path}?{url.query}"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("secret", [WHSEC, TEXT])
def test_a_genuine_push_is_verified(verify: Verify, method: str, secret: str) -> None:
    headers, payload = signed(method, secret)
    assert verify(secret, headers, payload, NOW + 10)


@pytest.mark.parametrize("secret", [WHSEC, TEXT])
def test_during_rotation_either_secret_verifies_it(verify: Verify, secret: str) -> None:
    headers, payload = signed("GET", WHSEC, TEXT)
    assert verify(secret, headers, payload, NOW)


@pytest.mark.parametrize(
    "change", ["secret", "payload", "id", "time", "signature", "no signature", "old", "early", "no time"]
)
def test_anything_else_is_not(verify: Verify, change: str) -> None:
    headers, payload = signed("GET", WHSEC)
    now = {"old": NOW + 301, "early": NOW - 301}.get(change, NOW)
    name = {"id": "webhook-id", "time": "webhook-timestamp", "signature": "webhook-signature"}.get(change)
    if name:
        headers[name] = headers[name][:-1] + ("0" if headers[name][-1] != "0" else "1")
    if change.startswith("no "):
        del headers["webhook-signature" if change == "no signature" else "webhook-timestamp"]
    payload += "x" if change == "payload" else ""
    assert not verify(TEXT if change == "secret" else WHSEC, headers, payload, now)
