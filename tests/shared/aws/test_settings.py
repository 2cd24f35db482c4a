from dataclasses import FrozenInstanceError, fields

import pytest

from shared.aws.settings import BadEnvironment, Settings, from_environment
from shared.errors import CATALOGUE, Kind
from tests.template import load

GOOD = {
    "OUTBOX_TABLE": "o",
    "INBOX_TABLE": "i",
    "CONFIG_TABLE": "c",
    "PUSHES_TABLE": "p",
    "PUSH_QUEUE_URL": "https://q",
    "PUSH_DEAD_QUEUE_URL": "https://d",
    "ALERTS_TOPIC_ARN": "arn",
    "CONNECTIONS_URL": "https://c",
}


def test_numbers_and_switches_are_read() -> None:
    settings = from_environment(
        GOOD | {"SUCCESS_CODE": "200", "RETENTION_DAYS": "7", "ALLOW_LOOPBACK_PUSH": "true", "HEARTBEAT_S": "30"}
    )
    assert (settings.success_code, settings.retention_days) == (200, 7)
    assert (settings.allow_loopback_push, settings.heartbeat_s) == (True, 30)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OUTBOX_TABLE", ""), ("RETENTION_DAYS", "often"), ("HEARTBEAT_S", "999"), ("ALLOW_LOOPBACK_PUSH", "perhaps")],
)
def test_a_malformed_variable_is_named_and_its_value_is_not(variable: str, value: str) -> None:
    with pytest.raises(BadEnvironment) as caught:
        from_environment(GOOD | {variable: value})
    assert variable in str(caught.value)
    assert not value or value not in str(caught.value)


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.name)
def test_no_error_has_the_code_of_success(kind: Kind) -> None:
    with pytest.raises(BadEnvironment, match="SUCCESS_CODE: is the code of an error"):
        from_environment(GOOD | {"SUCCESS_CODE": str(kind.code)})


def test_every_missing_variable_is_named() -> None:
    with pytest.raises(BadEnvironment) as caught:
        from_environment({})
    assert all(variable in str(caught.value) for variable in GOOD)


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        from_environment(GOOD).outbox_table = "another"  # type: ignore[misc]


def test_the_template_sets_what_is_read_and_nothing_else() -> None:
    variables = load()["Globals"]["Function"]["Environment"]["Variables"]
    ours = {name for name in variables if not name.startswith(("POWERTOOLS_", "AWS_"))}
    assert ours == {field.name.upper() for field in fields(Settings)}
