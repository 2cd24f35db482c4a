"""docs/aws.md, made from template.yaml and events/: what is deployed, who may do what in it, and what proves it."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from tests import sample_events
from tests.template import load, resources, statements

_HEAD = """# On AWS

What template.yaml makes, and how it was tried without an AWS account. Made by `python docs/generate.py` from the
template; [deploy.md](deploy.md) tells how to deploy it, [local-cloud.md](local-cloud.md) what the local cloud plays.
"""
_PROOFS = (
    ("Under AWS's own runtime client, with nothing but task and layer, the functions answer a sample of every event",
     "make test-built", "tests/built/test_answers.py"),
    ("Builds for arm64 and x86_64 carry their machine's binaries, bytecode that is used, an SDK that is only trimmed",
     "make test-built", "tests/built/test_artifact.py"),
    ("A start takes at most 1.25 times what a handler takes that makes one botocore client",
     "make test-built", "benchmarks/cold_start.py"),
    ("`sam deploy` takes the unmodified build, and the real agent sends through an emulator that others wrote",
     "make test-deploy", "tests/deploy/test_ministack.py"),
    ("Each function does its work under its own role, and may do nothing of another's",
     "make test", "tests/functions/test_least_privilege.py"),
    ("What SAM makes of the template lints clean with gradual deployment on and off, and keeps versions to go back to",
     "make test", "tests/functions/test_transform.py"),
    ("The sample events are what AWS's models of them take, and what the local gateway makes",
     "make test", "tests/test_sample_events.py"),
    ("The template is clean for cfn-lint and checkov, with reasons for what is passed over (.checkov.yaml)",
     "make check-template", ".checkov.yaml"),
    ("The agent's wheel and Debian package install and start in clean roots",
     "make test-dist", "tests/packages/test_packages.py"),
)  # fmt: skip
_DIFFERENCES = (
    ("Routes of an HTTP API from SAM's OpenAPI body", "played", "not read; the test adds them"),
    ("Alarms over several metrics", "no alarms at all", "refused; the test leaves the first metric"),
    ("A Number parameter in ScalingConfig", "a number", "stays a text and stops the poller; the test converts it"),
    ("Addresses of APIs", "own ports on 127.0.0.1", "paths of its one port; the test rewrites CONNECTIONS_URL"),
    ("Functions", "one process an environment, with AWS's variables only", "a worker of its own, with more"),
    ("Routes, payload 2.0, sockets, authorizer, @connections, queues, schedules", "played", "played alike"),
    ("413 and 429 of @connections, idle and two-hour cuts, lost $disconnect", "played, on its clock", "not played"),
    ("Versions and aliases", "the function itself", "played: `live` follows each deployment"),
    ("IAM", "not enforced; tests/functions/test_least_privilege.py is", "not enforced here"),
)  # fmt: skip


def as_markdown() -> str:
    parts = [_HEAD, *_proofs(), *_parameters(), *_outputs(), *_rights(), *_alarms(), *_events(), *_second_opinion()]
    return "\n".join(parts)


def _table(title: str, text: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = list(head)
    yield f"\n## {title}\n"
    yield f"{text}\n"
    yield "| " + " | ".join(head) + " |"
    yield "|---" * len(head) + "|"
    yield from ("| " + " | ".join(row) + " |" for row in rows)


def _proofs() -> Iterator[str]:
    rows = ((claim, f"`{command}`", f"[{path}](../{path})") for claim, command, path in _PROOFS)
    return _table("What is proven here", "All of it on one machine.", ("Claim", "Command", "Where"), rows)


def _parameters() -> Iterator[str]:
    rows = (
        (f"`{name}`", f"`{each['Default']}`" if each["Default"] != "" else "", str(each.get("Description", "")).strip())
        for name, each in load()["Parameters"].items()
    )
    text = 'Given with `--parameter-overrides`, or kept in samconfig.toml by `make deploy ARGS="--guided"`.'
    return _table("Parameters", text, ("Parameter", "Default", "What it does"), rows)


def _outputs() -> Iterator[str]:
    rows = ((f"`{name}`", each.get("Description", "its name")) for name, each in load()["Outputs"].items())
    return _table(
        "Outputs", "Printed by the deployment, and read by `python -m admin`.", ("Output", "What it is"), rows
    )


def _rights() -> Iterator[str]:
    rows = (
        (
            name,
            statement["Sid"],
            ", ".join(_each(statement["Action"])),
            ", ".join(map(_resource, _each(statement["Resource"]))),
        )
        for name in resources("AWS::Serverless::Function")
        for statement in statements(name)
    )
    text = "What is not here is denied."
    return _table("Who may do what", text, ("Function", "For", "Actions", "Resources"), rows)


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _resource(value: Any) -> str:
    """`{"Fn::GetAtt": ["Outbox", "Arn"]}` → Outbox; of a Sub what comes after the account."""
    match value:
        case {"Fn::GetAtt": [name, *_]} | {"Ref": name}:
            return str(name)
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{(\w+)(\.Arn)?\}", r"\1", text.removesuffix(":*").rpartition(":")[2])
        case _:
            raise ValueError(f"a resource that this page cannot tell: {value}")


def _alarms() -> Iterator[str]:
    rows = (
        (f"`{name}`", each["AlarmDescription"], _when(each))
        for name, each in resources("AWS::CloudWatch::Alarm").items()
    )
    return _table("Alarms", "All go to the topic `AlertsTopic`.", ("Alarm", "What it says", "When"), rows)


def _when(alarm: dict[str, Any]) -> str:
    metric = alarm.get("MetricName") or next(each["Label"] for each in alarm["Metrics"] if "Label" in each)
    sign = {"GreaterThanThreshold": ">", "LessThanThreshold": "<"}[alarm["ComparisonOperator"]]
    limit = alarm["Threshold"]
    shown = limit["Ref"] if isinstance(limit, dict) else limit
    period = alarm.get("Period") or next(
        each["MetricStat"]["Period"] for each in alarm["Metrics"] if "MetricStat" in each
    )
    times = alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])
    return f"{metric} {sign} {shown}, {times} of {alarm['EvaluationPeriods']} times {period} s"


def _events() -> Iterator[str]:
    rows = (
        (
            function,
            ", ".join(f"[{name.partition('/')[2]}](../events/{name}.json)" for name in sample_events.names(folder)),
        )
        for folder, function in sample_events.FUNCTIONS.items()
    )
    return _table("Sample events", "For `sam local invoke`: see [deploy.md](deploy.md).", ("Function", "Events"), rows)


def _second_opinion() -> Iterator[str]:
    text = (
        "`make test-deploy` deploys the same build to MiniStack. Where it and the local gateway differ, and what\n"
        "tests/deploy/run_ministack.py does about it:"
    )
    return _table("Two emulators", text, ("What", "The local cloud", "MiniStack"), _DIFFERENCES)
