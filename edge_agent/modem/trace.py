"""The AT dialogue for people, on request. Rule: no message, phone number, PIN or whole identity is ever in it.

What is personal can be told in a whole line only: of a number cut in two neither half looks like one. So a line is
shown once its end has come, and what never comes to an end by its length alone.
"""

import logging
import re

_LOG = logging.getLogger("edge_agent.modem.trace")
_LONGEST = 4096  # characters kept of a line without end; the lexer drops it there, too
_PIECE = re.compile(r"[^\r\n]+[\r\n]*|[\r\n]+")  # a line with its ends, as far as they have come
# A PDU, or a piece of one that noise has cut; numbers of subscribers, cards and modems.
_RUN = re.compile(r"[0-9A-Fa-f]{12,}|\d{7,}")
_QUOTED = re.compile(r'"([^"]{3,})"')
_USSD = re.compile(r'"(.*)"')  # its text may have quotes in it
_NAME = re.compile(r"[A-Z]{3,4}")  # of a store or character set
_PDU = re.compile(r"[0-9A-Fa-f]+")
_BEFORE_MESSAGE = ("+CMT:", "+CDS:", "+CBM:", "+CMGR:", "+CMGL:")  # the line after them is one, or its PDU
_FINAL = re.compile(r"OK|ERROR|\+CM[SE] ERROR.*|>")


class Trace:
    """Logs what goes over one port, at INFO since somebody asked for it."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._tail = ""  # of the line whose end is still to come
        self._lost = 0  # characters of it that were too many to be kept
        self._redactor = Redactor()

    def sent(self, data: bytes, *, secret: bool) -> None:
        if self._tail.strip() == ">":
            self._flush(self._redactor.line(self._tail))  # a prompt has no end
        self._log(">", "(secret)" if secret else shown(_redact(data.decode("latin-1"))))

    def received(self, data: bytes) -> None:
        pieces = _PIECE.findall(self._tail + data.decode("latin-1"))
        tail = "" if pieces and pieces[-1][-1] in "\r\n" else "".join(pieces[-1:])
        for line in pieces[: len(pieces) - bool(tail)]:
            self._told(line)
        self._lost += max(0, len(tail) - _LONGEST)
        self._tail = tail[:_LONGEST]

    def end(self) -> None:
        """The port is closed: nothing more of the last line will come."""
        if self._tail:
            self._flush(_length(len(self._tail) + self._lost))

    def _told(self, line: str) -> None:
        text = line.rstrip("\r\n")
        if self._lost:
            self._flush(_length(len(text) + self._lost))
        elif text:
            self._flush(self._redactor.line(text) + line[len(text) :])

    def _flush(self, text: str) -> None:
        self._tail, self._lost = "", 0
        self._log("<", shown(text))

    def _log(self, direction: str, text: str) -> None:
        _LOG.info("%s %s %s", self._device, direction, text)


class Redactor:
    """Whole lines of one modem, in order: those of a text message or a USSD answer are known by what came before."""

    def __init__(self) -> None:
        self._in_message = False
        self._in_quotes = False

    def line(self, line: str) -> str:
        """What may be shown of it, not escaped yet."""
        text = line.strip()
        if _FINAL.fullmatch(text):
            self._in_message = self._in_quotes = False
            return line
        if self._in_quotes:
            self._in_quotes = '"' not in text
            return _length(len(line))
        if text.startswith(_BEFORE_MESSAGE):
            self._in_message = True
        elif self._in_message:
            self._in_message = _PDU.fullmatch(text) is None
            return f"<{len(text) // 2} octets>" if _PDU.fullmatch(text) else _length(len(line))
        return self._open(line)

    def _open(self, line: str) -> str:
        """A quoted text may go on in the next line."""
        if line.count('"') % 2 == 0:
            return _redact(line)
        self._in_quotes = True
        before, _, text = line.partition('"')
        return _redact(before) + '"' + _length(len(text))


def shown(text: str) -> str:
    """In one printable line."""
    return repr(text)[1:-1]


def _redact(text: str) -> str:
    """What is personal is replaced by its length."""
    return _RUN.sub(_run, (_USSD if "+CUSD" in text else _QUOTED).sub(_quoted, text))


def _run(found: re.Match[str]) -> str:
    run = found[0]
    return f"<{len(run)} digits>" if run.isdecimal() else f"<{len(run) // 2} octets>"


def _quoted(found: re.Match[str]) -> str:
    return found[0] if _NAME.fullmatch(found[1]) else f'"{_length(len(found[1]))}"'


def _length(characters: int) -> str:
    return f"<{characters} characters>"
