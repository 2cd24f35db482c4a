"""The model notices what it is there for: each bug planted in the product makes some history come out wrong."""

import contextlib
import io

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Bridge
from tests.model.mutants import MUTANTS

_AT_MOST = 1500  # histories; without a bug none goes wrong, as test_bridge shows


@seed(2)  # the same histories each time
class Looking(Bridge):
    """A bridge with a bug in it."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_is_noticed(name: str) -> None:
    look = settings(
        max_examples=_AT_MOST,
        stateful_step_count=20,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with MUTANTS[name](), pytest.raises(AssertionError), contextlib.redirect_stdout(io.StringIO()):
        run_state_machine_as_test(Looking, settings=look)
