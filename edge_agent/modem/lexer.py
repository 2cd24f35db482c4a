"""Bytes from a modem to lines and prompts. Knows no command and no modem; never fails, never grows without bound.

Line ends are any run of CR and LF (V.250 has CR LF, modems add and lose some); blank lines vanish. A prompt has no line
end, may lack its space or stand on a line of its own, and is only looked for when asked, and not within a USSD answer,
whose lines may begin with `>`.
"""

MAX_LINE = 4096  # characters; the longest legal line, a stored PDU in hex, has 352
_MARGINS = " \t\0\x1a\x1b\x7f\xff"  # echoed Ctrl-Z and ESC, line noise of a booting UART

_QUOTE = '"'  # ends a USSD answer that another one began
_USSD = "+CUSD:"

PROMPT = ">"  # a token that no line can be: lines that begin so are cut at it while a prompt is awaited


class Lexer:
    """Feed it any chunks; it gives the same tokens however they were cut."""

    def __init__(self) -> None:
        self._tail = ""
        self._overlong = False  # in the middle of a line that was too long and is being dropped
        self.awaiting_prompt = False
        self.in_text = False  # of a USSD answer; kept up while a prompt is awaited only

    def feed(self, data: bytes) -> list[str]:
        """The tokens that `data` completes: stripped lines without their end, and PROMPT."""
        text = self._tail + data.decode("latin-1").replace("\r", "\n")
        *lines, tail = text.split("\n")
        if self._overlong and lines:
            lines[0] = ""
            self._overlong = False
        if len(tail) > MAX_LINE:
            tail, self._overlong = "", True
        self._tail = tail
        tokens = [line for raw in lines if raw and len(raw) <= MAX_LINE and (line := raw.strip(_MARGINS))]
        return self._with_prompt(tokens) if self.awaiting_prompt else tokens

    def _with_prompt(self, lines: list[str]) -> list[str]:
        for position, line in enumerate(lines):
            if line.startswith(PROMPT) and not self.in_text:
                self.awaiting_prompt = False
                rest = line[1:].strip(_MARGINS)
                return [*lines[:position], PROMPT, *([rest] if rest else ()), *lines[position + 1 :]]
            self._follow(line)
        tail = self._tail.lstrip(_MARGINS)
        if tail.startswith(PROMPT) and not self.in_text:
            self.awaiting_prompt = False
            self._tail = tail[1:]
            return [*lines, PROMPT]
        return lines

    def _follow(self, line: str) -> None:
        """Whether the next line belongs to a USSD answer (see notices.py)."""
        if self.in_text or line.startswith(_USSD):
            ends_or_begins = line.count(_QUOTE) % 2 == 1
            self.in_text = line not in {"OK", "ERROR"} and self.in_text != ends_or_begins
