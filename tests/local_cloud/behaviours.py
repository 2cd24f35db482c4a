"""What the local cloud does as AWS does it: a table made from the tests that bear `@pytest.mark.aws(source)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_DOCS = "https://docs.aws.amazon.com/"
_HEAD = """# The local cloud, held to AWS

`make run` plays API Gateway, Lambda and their event sources on one machine; moto plays DynamoDB, SQS and SNS. Each row
is a behaviour that a test holds, with the page that says AWS does it. Made by `python docs/generate.py` from
`tests/local_cloud`.

| Behaviour | Source | Test |
|---|---|---|
"""
_TAIL = """
## What differs, and is known to

- Pings do not count as activity: a connection that only pings is cut after ten minutes. AWS does not say which it is.
- Permissions are not enforced while it runs.
- A call that finds every environment busy waits for one, up to four a function; Lambda would start more, or answer 429.
- Only `rate(…)` schedules and SQS event sources are played; anything else in the template is refused by name.
- The quota of 500 new connections a second, stage variables and route responses are not played.
- Lambda takes 6 MB at most in a call, base64 and the event around a body included. Here that is kept of answers alone:
  a larger body, up to the gateway's 10 MB, reaches its function.
- Access logs, alarms and dashboards are not played: the deployed copy leaves them out.
- Functions run under the interpreter of the stack, from the checkout and without the layer.
"""


def as_markdown() -> str:
    return _HEAD + "".join(_rows()) + _TAIL


def _rows() -> Iterator[str]:
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef) and (source := _source(node)):
                sentence = node.name.removeprefix("test_").replace("_s_", "'s ").replace("_", " ")
                title = source.removeprefix(_DOCS).removesuffix(".html").rpartition("/")[2]
                yield f"| {sentence[0].upper()}{sentence[1:]} | [{title}]({source}) | {file.name} |\n"


def _source(node: ast.FunctionDef) -> str:
    for mark in node.decorator_list:
        match mark:
            case ast.Call(func=ast.Attribute(attr="aws"), args=[ast.Constant(value=str(source))]):
                return source if source.startswith("https:") else _DOCS + source
    return ""
