"""The promise, held against histories that no person would think of: nothing lost, nothing doubled, nothing untrue.

`make model HISTORIES=20000` tries more of them than a run of all tests does.
"""

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Bridge

HISTORIES = int(os.environ.get("HISTORIES", "400"))
STEPS = 20


def test_whatever_happens_each_message_ends_once_and_truly_and_goes_on_the_air_at_most_once() -> None:
    run_state_machine_as_test(
        Bridge,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
