"""The environment of the cloud functions as one typed, frozen model; template.yaml (Globals) sets it.

Rule: nothing else reads the environment. A missing or malformed variable stops the cold start with its name.
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class BadEnvironment(Exception):
    """A variable is missing or malformed; the text names each one, never its value."""


class Settings(BaseModel):
    """Names follow the variables, in lower case."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    outbox_table: str = Field(min_length=1)
    inbox_table: str = Field(min_length=1)
    config_table: str = Field(min_length=1)
    pushes_table: str = Field(min_length=1)
    push_queue_url: str = Field(min_length=1)
    push_dead_queue_url: str = Field(min_length=1)
    alerts_topic_arn: str = Field(min_length=1)
    connections_url: str = Field(min_length=1)
    success_code: int = 0
    path_prefix: str = ""
    retention_days: int = Field(default=90, ge=1)
    # The gateway cuts a connection after 10 min of silence; two heartbeats must fit, so that one may be lost.
    heartbeat_s: float = Field(default=240, gt=0, lt=300)
    allow_loopback_push: bool = False


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Raises BadEnvironment."""
    try:
        return Settings.model_validate({name.lower(): value for name, value in environment.items()})
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise BadEnvironment("; ".join(f"{_variable(p['loc'])}: {p['msg']}" for p in problems)) from None


def _variable(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in location).upper()
