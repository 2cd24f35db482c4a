"""Which faults await one modem: so many times, or each time with a probability."""

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge_agent.simulator.fault_rows import CATALOGUE, Value


class UnknownFault(ValueError):
    """No such fault, or no such parameter of it; the text lists what there is."""


class Params(dict[str, Value]):
    """A fault's parameters, defaults filled in. True even where it has none: the fault has struck."""

    def __bool__(self) -> bool:
        return True

    def number(self, key: str) -> float:
        value = self[key]
        return math.inf if value is None else float(value)

    def text(self, key: str) -> str:
        return str(self[key])


@dataclass(frozen=True, slots=True)
class Chance:
    """A fault that may strike at any time."""

    name: str
    probability: float
    params: tuple[tuple[str, Value], ...] = ()


@dataclass(slots=True)
class Armed:
    params: Params
    left: float
    probability: float
    only: str


def checked(name: str, params: dict[str, Value]) -> Params:
    """The parameters with the defaults; UnknownFault names what there is."""
    fault = CATALOGUE.get(name)
    if fault is None:
        raise UnknownFault(f"no fault {name!r}; there are {_listed(CATALOGUE)}")
    if unknown := set(params) - set(fault.defaults):
        raise UnknownFault(f"{name} has no {_listed(unknown)}; it has {_listed([*fault.defaults, 'on'])}")
    return Params({**fault.defaults, **params})


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


class FaultBox:
    """The faults that await one modem."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._armed: dict[str, Armed] = {}
        self.on_strike: Callable[[str], None] = lambda name: None  # for who holds an outcome to its cause

    def __bool__(self) -> bool:
        return bool(self._armed)

    @property
    def names(self) -> list[str]:
        return sorted(self._armed)

    def arm(self, name: str, params: dict[str, Value], *, count: int | None = None, on: str = "") -> None:
        """`count` strikes, without it one or, for a lasting fault, any number; only on commands that contain `on`."""
        complete = checked(name, params)
        left = (math.inf if CATALOGUE[name].lasting else 1) if count is None else count
        self._armed[name] = Armed(complete, left, 1.0, on.upper())

    def risk(self, chance: Chance, on: str = "") -> None:
        """Each time with that probability, without end."""
        complete = checked(chance.name, dict(chance.params))
        self._armed[chance.name] = Armed(complete, math.inf, chance.probability, on.upper())

    def clear(self, name: str | None = None) -> None:
        if name is None:
            self._armed.clear()
        else:
            self._armed.pop(name, None)

    def armed(self, name: str) -> Params | None:
        """The parameters of a fault that awaits the modem, not used up."""
        armed = self._armed.get(name)
        return armed.params if armed is not None else None

    def strikes(self, name: str, command: str = "") -> Params | None:
        """The parameters if this fault happens now; one strike is used up."""
        armed = self._armed.get(name)
        if armed is None or armed.only not in command:
            return None
        if armed.probability < 1.0 and self._rng.random() >= armed.probability:
            return None
        armed.left -= 1
        if armed.left <= 0:
            del self._armed[name]
        self.on_strike(name)
        return armed.params
