from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.aws.tally_table import TallyTable
from shared.ports import Tally, TallyStore
from tests.fakes import FakeTallies
from tests.samples import NOW

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NUMBERS = count()  # keys of its own for every example: moto's tables outlive them
_STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "take"]), st.sampled_from("ab"), st.integers(-3, 6), st.integers(0, 9)),
    max_size=12,
)


@pytest.fixture
def tallies(dynamodb: "DynamoDBClient") -> TallyTable:
    return TallyTable(dynamodb, "Config")


def test_taking_never_passes_the_most_and_tells_what_is_there(tallies: TallyTable) -> None:
    assert tallies.take("k", 4, most=3, at=NOW, until=NOW + 9) == Tally()
    assert tallies.take("k", 2, most=3, at=NOW, until=NOW + 9) is None
    assert tallies.take("k", 2, most=3, at=NOW, until=NOW + 9) == Tally(2, NOW)
    assert tallies.take("k", 1, most=3, at=NOW, until=NOW + 9) is None
    assert tallies.read("k") == Tally(3, NOW)


def test_several_are_read_as_one(tallies: TallyTable) -> None:
    tallies.add("a", 2, at=NOW, until=NOW + 9)
    tallies.add("b", 3, at=NOW - 5, until=NOW + 9)
    assert tallies.read("a", "b", "never") == Tally(5, NOW)
    assert tallies.read("never") == Tally()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_the_table_and_its_stand_in_count_alike(tallies: TallyTable, steps: list) -> None:
    stores: tuple[TallyStore, ...] = (tallies, FakeTallies())
    prefix = str(next(_NUMBERS))
    for what, name, amount, most in steps:
        key, at = f"{prefix}{name}", NOW + 1
        if what == "add":
            done = [store.add(key, amount, at=at, until=NOW + 9) for store in stores]
        else:
            done = [store.take(key, max(1, amount), most=most, at=at, until=NOW + 9) for store in stores]
        assert done[0] == done[1]
    wanted = [f"{prefix}a", f"{prefix}b", f"{prefix}c"]
    assert stores[0].read_all(wanted) == stores[1].read_all(wanted)
    assert stores[0].read(*wanted) == stores[1].read(*wanted)
