"""The promise, held against histories that no person would think of: nothing lost, nothing doubled, nothing untrue.

`make model HISTORIES=20000` tries more of them than a run of all tests does.
"""

import os

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Bridge

HISTORIES = int(os.environ.get("HISTORIES", "400"))
SHARES = 8  # so that several processes can work on it


@pytest.mark.timeout(0)
@pytest.mark.parametrize("share", range(SHARES))
def test_whatever_happens_each_message_ends_once_and_truly_and_goes_on_the_air_at_most_once(share: int) -> None:
    look = settings(
        max_examples=HISTORIES // SHARES,
        stateful_step_count=20,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(share)(type("Share", (Bridge,), {})), settings=look)
