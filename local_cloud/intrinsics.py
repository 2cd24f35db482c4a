"""CloudFormation's intrinsic functions, evaluated as far as they can be.

What is known before a stack exists (parameters, pseudo parameters, conditions, stand-ins for resources that moto does
not know) is replaced by its value. What only the deployed stack can tell (a queue's URL, a function's ARN) stays an
intrinsic, for CloudFormation in moto to resolve.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

JsonObject = dict[str, JsonValue]

# Stands for `AWS::NoValue` while a value is evaluated: a key or a list item that has it disappears.
NO_VALUE = "\0AWS::NoValue"

_VARIABLE = re.compile(r"\$\{([^!][^}]*)\}")


@dataclass(frozen=True)
class Scope:
    """What is known: `refs` by name, `attributes` as `Resource.Attribute`, and the template's own tables."""

    refs: Mapping[str, JsonValue]
    attributes: Mapping[str, JsonValue] = field(default_factory=dict)
    mappings: Mapping[str, JsonValue] = field(default_factory=dict)
    conditions: Mapping[str, JsonValue] = field(default_factory=dict)


def evaluate(value: JsonValue, scope: Scope) -> JsonValue:
    """`value` with every intrinsic that `scope` can answer replaced by its answer."""
    if isinstance(value, list):
        return [item for item in (evaluate(each, scope) for each in value) if item != NO_VALUE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (name, argument), *_ = value.items()
        if name in _FUNCTIONS:
            return _FUNCTIONS[name](argument, scope)
    evaluated = ((key, evaluate(each, scope)) for key, each in value.items())
    return {key: each for key, each in evaluated if each != NO_VALUE}


def holds(condition: JsonValue, scope: Scope) -> bool:
    """Whether a condition is true: its name, or an expression of the `Conditions` section."""
    if isinstance(condition, str):
        return holds(scope.conditions[condition], scope)
    if not isinstance(condition, dict):
        raise ValueError(f"not a condition: {condition!r}")
    (name, argument), *_ = condition.items()
    if name == "Condition":
        return holds(argument, scope)
    arguments = argument if isinstance(argument, list) else [argument]
    if name == "Fn::Equals":
        left, right = (evaluate(each, scope) for each in arguments)
        return left == right
    parts = [holds(each, scope) for each in arguments]
    return {"Fn::And": all(parts), "Fn::Or": any(parts), "Fn::Not": not parts[0]}[name]


def _ref(argument: JsonValue, scope: Scope) -> JsonValue:
    return scope.refs.get(str(argument), {"Ref": argument})


def _get_att(argument: JsonValue, scope: Scope) -> JsonValue:
    path = argument if isinstance(argument, str) else ".".join(str(part) for part in _list(argument))
    return scope.attributes.get(path, {"Fn::GetAtt": list(path.split(".", 1))})


def _sub(argument: JsonValue, scope: Scope) -> JsonValue:
    text, extra = (argument, {}) if isinstance(argument, str) else (_list(argument)[0], _list(argument)[1])
    own = evaluate(extra, scope)
    if not isinstance(text, str) or not isinstance(own, dict):
        raise ValueError(f"Fn::Sub takes a text and a map: {argument!r}")
    variables: JsonObject = {}

    def known(match: re.Match[str]) -> str:
        name = match.group(1).strip()
        found = own.get(name, scope.attributes.get(name, scope.refs.get(name)))
        if isinstance(found, str | int | float):
            return str(found)
        if found is not None:
            variables[name] = found
        return match.group(0)

    result = _VARIABLE.sub(known, text)
    if not _VARIABLE.search(result):
        return result.replace("${!", "${")
    return {"Fn::Sub": [result, variables] if variables else result}


def _if(argument: JsonValue, scope: Scope) -> JsonValue:
    condition, then, otherwise = _list(argument)
    return evaluate(then if holds(condition, scope) else otherwise, scope)


def _join(argument: JsonValue, scope: Scope) -> JsonValue:
    separator, parts = _list(argument)
    items = evaluate(parts, scope)
    if isinstance(items, list) and all(isinstance(item, str | int) for item in items):
        return str(separator).join(str(item) for item in items)
    return {"Fn::Join": [separator, items]}


def _select(argument: JsonValue, scope: Scope) -> JsonValue:
    index, choices = (evaluate(each, scope) for each in _list(argument))
    if isinstance(choices, list) and isinstance(index, str | int):
        return choices[int(index)]
    return {"Fn::Select": [index, choices]}


def _split(argument: JsonValue, scope: Scope) -> JsonValue:
    separator, text = (evaluate(each, scope) for each in _list(argument))
    if isinstance(text, str):
        return list(text.split(str(separator)))
    return {"Fn::Split": [separator, text]}


def _find_in_map(argument: JsonValue, scope: Scope) -> JsonValue:
    found: JsonValue = dict(scope.mappings)
    for key in _list(argument):
        name = evaluate(key, scope)
        if not isinstance(found, dict) or not isinstance(name, str):
            raise ValueError(f"Fn::FindInMap cannot be evaluated: {argument!r}")
        found = found[name]
    return evaluate(found, scope)


def _list(argument: JsonValue) -> list[JsonValue]:
    if not isinstance(argument, list):
        raise ValueError(f"expected a list, found {argument!r}")
    return argument


_FUNCTIONS: dict[str, Callable[[JsonValue, Scope], JsonValue]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::If": _if,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::FindInMap": _find_in_map,
}
