"""Planted bugs, each of one line or two in the product, which the model has to notice, and for the right reason.

They stand in mutants_cloud.py and mutants_agent.py: lists to be added to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

Plant = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """`told` matches what the verdict says of it. That something else comes out wrong too is no proof."""

    plant: Plant
    told: str


MUTANTS: dict[str, Mutant] = {}


def mutant(told: str) -> Callable[[Plant], Plant]:
    def listed(plant: Plant) -> Plant:
        MUTANTS[plant.__name__] = Mutant(plant, told)
        return plant

    return listed


AGAIN = r"part \d went on the air again"
EXPIRED_AND_SENT = r"\(expired, (\d) of \1 on the air\): is on the air"
NOT_SENT = r"\(expired, .* was not sent although all was well"
NO_REASON = "nothing happened that would make it uncertain"


@contextmanager
def both(*patches: AbstractContextManager[Any]) -> Iterator[None]:
    with ExitStack() as stack:
        for one in patches:
            stack.enter_context(one)
        yield
