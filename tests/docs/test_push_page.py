"""docs/push.md, held to the code."""

from pathlib import Path

import pytest

from shared.push_settings import FIXED_NAMES, KEYS, NAME_KEYS, ROTATION_S, PushSettings

PAGE = (Path(__file__).parents[2] / "docs" / "push.md").read_text()


@pytest.mark.parametrize("key", [*KEYS, "signing_secret", "signing_secret_set"])
def test_every_setting_is_told(key: str) -> None:
    assert f"`{key}`" in PAGE


@pytest.mark.parametrize("key", NAME_KEYS)
def test_the_default_names_are_told_and_shown(key: str) -> None:
    name = getattr(PushSettings(), key)
    assert f"`{name}`" in PAGE and f"{name}=" in PAGE


def test_the_fixed_names_and_the_time_of_rotation_are_told() -> None:
    assert all(f"`{name}`" in PAGE for name in FIXED_NAMES)
    assert ROTATION_S == 3 * 86400 and "for three days" in PAGE
