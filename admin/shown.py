"""What a command has to say, for a person as a table, for a program as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Cell = str | int | float | None
Facts = Mapping[str, Cell]


@dataclass(frozen=True)
class Shown:
    """One thing with its facts, or rows of several. `next_step` is told to people only."""

    facts: Facts | None = None
    rows: Sequence[Facts] = ()
    next_step: str = ""

    def as_json(self) -> str:
        return json.dumps(dict(self.facts) if self.facts is not None else [dict(row) for row in self.rows])

    def as_text(self) -> str:
        body = _facts(self.facts) if self.facts is not None else _table(self.rows)
        return f"{body}\n\n{self.next_step}" if self.next_step else body


def _facts(facts: Facts) -> str:
    width = max(map(len, facts), default=0)
    return "\n".join(f"{_title(name):<{width}}  {_text(value)}".rstrip() for name, value in facts.items())


def _table(rows: Sequence[Facts]) -> str:
    if not rows:
        return "none"
    lines = [[_title(name) for name in rows[0]], *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _title(name: str) -> str:
    return name.replace("_", " ")


def _text(value: Cell) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
