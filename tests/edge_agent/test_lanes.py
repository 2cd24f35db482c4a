"""How long a span is left alone after submissions that failed before their first byte."""

import pytest

from edge_agent.lanes import LONGEST_PAUSE_S, Lane
from edge_agent.pacing import Limits, Pace


@pytest.mark.parametrize(
    ("failures", "pause_s"),
    [(0, 0.0), (1, 0.0), (2, 1.0), (3, 2.0), (7, 32.0), (8, LONGEST_PAUSE_S), (1027, LONGEST_PAUSE_S)],
)
def test_the_pause_doubles_up_to_the_longest_however_often_it_fails(failures: int, pause_s: float) -> None:
    assert Lane(Pace(Limits()), failures=failures).pause_s == pause_s
