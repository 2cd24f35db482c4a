"""One AT command line taken apart: ITU-T V.250 §5.2 to §5.4 and 3GPP TS 27.007 §4."""

import re
from dataclasses import dataclass

# A basic command is a letter (or & and a letter) and a number; an extended one runs to the next unquoted semicolon.
_BASIC = re.compile(r"(S\d+=?|&?[A-Z])(\d*)(\?)?;?")
_EXTENDED = re.compile(r"([+^$#%*!@][A-Z0-9_/]+)(=\?|=|\?)?((?:\"[^\"]*\"|[^;\"])*);?")
_ARGUMENT = re.compile(r"(?:\"[^\"]*\"|[^,\"])*")


class NotACommand(ValueError):
    """The line doesn't follow the syntax."""


@dataclass(frozen=True, slots=True)
class Call:
    """One command of a line. `form` is "" (execute), "=" (set), "?" (read) or "=?" (test)."""

    name: str
    form: str
    args: tuple[str, ...] = ()

    def arg(self, position: int) -> str:
        return self.args[position] if position < len(self.args) else ""

    def number(self, position: int, default: int) -> int:
        """A numeric argument; an omitted one is its default. ValueError where it's no number."""
        return int(self.arg(position) or default)


def parse(body: str) -> list[Call]:
    """The commands after "AT"; an empty body is the bare attention command, an empty list."""
    calls, at = [], 0
    body = body.strip()
    while at < len(body):
        found = _EXTENDED.match(body.upper(), at) or _BASIC.match(body.upper(), at)
        if found is None:
            raise NotACommand(body)
        calls.append(_call(found, body))
        at = found.end()
    return calls


def _call(found: re.Match[str], body: str) -> Call:
    name, second = found[1], found[2] or ""
    if found.re is _BASIC:
        form = "=" if name.endswith("=") else found[3] or ""
        return Call(name.rstrip("="), form, (second,) if second else ())
    args = body[found.start(3) : found.end(3)].strip()  # from the line as typed: quoted text keeps its case
    return Call(name, second, tuple(split_arguments(args)) if second == "=" else ())


def split_arguments(text: str) -> list[str]:
    """Comma-separated, quotes taken off."""
    parts, at = [], 0
    while True:
        found = _ARGUMENT.match(text, at)
        end = found.end() if found else at
        parts.append(text[at:end].strip().strip('"'))
        if end >= len(text) or text[end] != ",":
            return parts
        at = end + 1
