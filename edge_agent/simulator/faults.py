"""Which faults there are, a row each, and which of them await a modem. What they do stands where it happens."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

Value = float | int | str | bool | None


class Params(dict[str, Value]):
    """A fault's parameters, defaults filled in. A time of None is "for ever"."""

    def number(self, key: str) -> float:
        value = self[key]
        if value is None:
            return math.inf
        return float(value)

    def text(self, key: str) -> str:
        return str(self[key])


@dataclass(frozen=True, slots=True)
class Fault:
    """`lasting` faults are conditions: armed without a count they stay until cleared, others strike once."""

    says: str
    defaults: Mapping[str, Value] = field(default_factory=dict)
    lasting: bool = False


CATALOGUE: dict[str, Fault] = {}


class UnknownFault(ValueError):
    """No such fault, or no such parameter of it; the text lists what there is."""


@dataclass(slots=True)
class Armed:
    params: Params
    left: float
    probability: float
    only: str


class FaultBox:
    """The faults that await one modem."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._armed: dict[str, Armed] = {}

    def __bool__(self) -> bool:
        return bool(self._armed)

    @property
    def names(self) -> list[str]:
        return sorted(self._armed)

    def arm(self, name: str, *, count: int | None = None, probability: float | None = None, **params: Value) -> None:
        """`count` strikes, or each time with `probability`; `on` limits it to commands that contain that text."""
        fault = CATALOGUE.get(name)
        only = str(params.pop("on", "") or "")
        if fault is None or set(params) - set(fault.defaults):
            known = ", ".join(sorted(CATALOGUE if fault is None else [*fault.defaults, "on"]))
            raise UnknownFault(f"no fault {name!r} with {sorted(params)}; known: {known}")
        endless = fault.lasting or probability is not None
        left = math.inf if count is None and endless else (count or 1)
        self._armed[name] = Armed(
            Params({**fault.defaults, **params}), left, 1.0 if probability is None else probability, only.upper()
        )

    def clear(self, name: str | None = None) -> None:
        if name is None:
            self._armed.clear()
        else:
            self._armed.pop(name, None)

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
        return armed.params
