"""Reading one TOML table with types, bounds and a good word for every mistake."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

_MISSING = object()


class ConfigError(Exception):
    """A mistake in the configuration: which key, and what would be right."""

    def __init__(self, key: str, advice: str) -> None:
        super().__init__(f"{key}: {advice}")
        self.key, self.advice = key, advice


class Table:
    """Gives out values by key; `end` complains about keys that nobody asked for."""

    def __init__(self, name: str, content: object) -> None:
        if not isinstance(content, Mapping):
            raise ConfigError(name, f"must be a table, written as [{name}]")
        self.name = name
        self._content: Mapping[str, object] = content
        self._known: set[str] = set()

    def end(self) -> None:
        """Refuses unknown keys: a mistyped limit must not silently be no limit."""
        for key in self._content:
            if key not in self._known:
                near = difflib.get_close_matches(key, self._known, 1)
                advice = f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(self._known))}"
                raise ConfigError(self._at(key), f"is not known; {advice}")

    def table(self, key: str) -> "Table":
        return Table(self._at(key), self._take(key, {}))

    def tables(self, key: str) -> Iterator["Table"]:
        value = self._take(key, [])
        if not isinstance(value, list):
            raise ConfigError(self._at(key), f"must be written as [[{key}]], once a modem")
        for number, item in enumerate(value, 1):
            yield Table(f"{self._at(key)} {number}", item)

    def text(self, key: str, default: str | None = None) -> str:
        value = self._take(key, _MISSING if default is None else default)
        if not isinstance(value, str):
            raise ConfigError(self._at(key), 'must be text in quotes, e.g. "…"')
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ConfigError(self._at(key), 'must be a list of texts, e.g. ["/dev/ttyUSB0"]')
        return tuple(value)

    def choice(self, key: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(key, default)
        if value not in choices:
            raise ConfigError(self._at(key), f"must be one of {', '.join(choices)}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise ConfigError(self._at(key), "must be true or false")
        return value

    def number(self, key: str, default: float, *, least: float, most: float) -> float:
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise ConfigError(self._at(key), f"must be a number from {least:g} to {most:g}")
        return value

    def path(self, key: str, folder: Path, default: str = "") -> Path | None:
        """Absolute; None when neither given nor defaulted."""
        value = self.text(key, default)
        return (folder / Path(value).expanduser()) if value else None

    def _take(self, key: str, default: object) -> object:
        self._known.add(key)
        value = self._content.get(key, default)
        if value is _MISSING:
            raise ConfigError(self._at(key), "is missing")
        return value

    def _at(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key
