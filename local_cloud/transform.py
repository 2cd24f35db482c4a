"""template.yaml → the CloudFormation template that SAM's own translator makes of it.

Importing the translator costs more than translating, so its answer is kept, keyed by the template's text, the
parameters and the translator's version: a second start reads one JSON file.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from pydantic import JsonValue

from local_cloud.intrinsics import JsonObject

# The translator wants code that lies in S3. Nothing reads it: locally the functions run from the checkout.
_CODE_URI = "s3://local-cloud/code"


def transformed(template: Path, parameters: Mapping[str, str], cache: Path) -> JsonObject:
    """The CloudFormation template made of the SAM template `template`, from `cache` where it was made before."""
    text = template.read_text(encoding="utf-8")
    kept = cache / f"{_key(text, parameters)}.json"
    if kept.exists():
        loaded: JsonObject = json.loads(kept.read_text(encoding="utf-8"))
        return loaded
    result = _translate(text, parameters)
    _keep(kept, result)
    return result


def _key(text: str, parameters: Mapping[str, str]) -> str:
    facts = json.dumps([text, dict(parameters), version("aws-sam-translator")], sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()[:32]


def _keep(path: Path, result: JsonObject) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}.tmp")
    fresh.write_text(json.dumps(result), encoding="utf-8")
    fresh.replace(path)  # atomic: another copy may be reading


def _translate(text: str, parameters: Mapping[str, str]) -> JsonObject:
    # Imported here because a start with a warm cache must not pay for it.
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator
    from samtranslator.yaml_helper import yaml_parse

    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of feature flags of its own
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the translator asks a boto3 session for its region
    source: JsonObject = yaml_parse(text)
    _stand_in_for_code(source)
    result: JsonObject = Translator({}, Parser()).translate(source, dict(parameters))
    return result


def _stand_in_for_code(template: JsonObject) -> None:
    resources = template.get("Resources")
    for resource in resources.values() if isinstance(resources, dict) else ():
        if isinstance(resource, dict):
            _replace_code(resource.get("Type"), resource.get("Properties"))
    match template.get("Globals"):
        case {"Function": dict(defaults)}:
            defaults.pop("CodeUri", None)


def _replace_code(kind: JsonValue, properties: JsonValue) -> None:
    if not isinstance(properties, dict):
        return
    if kind == "AWS::Serverless::Function" and "InlineCode" not in properties:
        properties["CodeUri"] = _CODE_URI
    elif kind == "AWS::Serverless::LayerVersion":
        properties["ContentUri"] = _CODE_URI
