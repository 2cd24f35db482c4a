"""The environment of the cloud functions as one typed, frozen value; template.yaml (Globals) sets it.

Rule: nothing else reads the environment. A missing or malformed variable stops the cold start with its name. Plain
Python, because every start reads it, and a pydantic model of it costs as much as a fourth of a client.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields


class BadEnvironment(Exception):
    """A variable is missing or malformed; the text names each one, never its value."""


class _Unfit(Exception):
    """Readable, but nothing to work with; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Names follow the variables, in lower case."""

    outbox_table: str
    inbox_table: str
    config_table: str
    pushes_table: str
    push_queue_url: str
    push_dead_queue_url: str
    alerts_topic_arn: str
    connections_url: str
    success_code: int = 0
    path_prefix: str = ""
    retention_days: int = 90
    heartbeat_s: float = 240.0
    allow_loopback_push: bool = False


def _name(text: str) -> str:
    if not text:
        raise _Unfit("is empty")
    return text


def _success(text: str) -> int:
    """A caller could not tell success from the error whose code it is."""
    code = int(text)
    if code:  # only who sets another one pays for looking at the catalogue; none of its codes is 0
        from shared.errors import CATALOGUE

        if code in {kind.code for kind in CATALOGUE}:
            raise _Unfit("is the code of an error")
    return code


def _days(text: str) -> int:
    if int(text) < 1:
        raise _Unfit("is less than one day")
    return int(text)


def _heartbeat(text: str) -> float:
    """The gateway cuts a connection after 10 min of silence; two heartbeats must fit, so that one may be lost."""
    if not 0 < float(text) < 300:
        raise _Unfit("is not between 0 and 300 s")
    return float(text)


def _switch(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


_READ: Mapping[str, Callable[[str], object]] = {
    "success_code": _success,
    "path_prefix": str,
    "retention_days": _days,
    "heartbeat_s": _heartbeat,
    "allow_loopback_push": _switch,
}


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Raises BadEnvironment."""
    values: dict[str, object] = {}
    problems = []
    for field in fields(Settings):
        variable = field.name.upper()
        text = environment.get(variable)
        if text is not None:
            try:
                values[field.name] = _READ.get(field.name, _name)(text)
            except _Unfit as why:
                problems.append(f"{variable}: {why}")
            except (ValueError, KeyError):
                problems.append(f"{variable}: malformed")
        elif field.default is MISSING:
            problems.append(f"{variable}: missing")
    if problems:
        raise BadEnvironment("; ".join(problems))
    return Settings(**values)  # type: ignore[arg-type] # each was read as what its field says
