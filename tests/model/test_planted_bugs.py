"""The model notices what it is there for: each bug planted in the product makes some history come out wrong, and the
verdict says of it what the bug does.
"""

import contextlib
import io
import re

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

import tests.model.mutants_agent
import tests.model.mutants_cloud  # noqa: F401 - they enter what they plant
from tests.model.machine import Bridge
from tests.model.mutants import MUTANTS

_AT_MOST = 1500  # histories; without a bug none goes wrong, as test_bridge shows


def looking_for(told: str) -> type[Bridge]:
    """A bridge with a bug in it, of which only this is to be heard."""

    @seed(2)  # the same histories each time
    class Looking(Bridge):
        def nothing_is_broken_on_the_way(self) -> None:
            """No invariant here: each history goes on to its verdict."""

        def teardown(self) -> None:
            try:
                super().teardown()
            except AssertionError as found:
                if re.search(told, str(found)):
                    raise

    return Looking


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
    bug = MUTANTS[name]
    with bug.plant(), pytest.raises(AssertionError, match=bug.told), contextlib.redirect_stdout(io.StringIO()):
        run_state_machine_as_test(looking_for(bug.told), settings=look)
