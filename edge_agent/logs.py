"""Log lines, as text or JSON. Rule: no message text, no full number and no secret is ever logged.

The callers do not put them in; `Masking` is the second line of defence, for what slips in with an error's words.
"""

import json
import logging
import re
import sys
import time
from typing import TextIO

# A number on its own; not the digits of a span's identity, nor those within a message's id.
_NUMBER = re.compile(r"(?<!imei:)(?<![\w+-])\+?\d{9,}(?![\w-])")
_CREDENTIAL = re.compile(r"(?i)(bearer\s+)\S+")


def mask(text: str) -> str:
    """Leaves the last three digits of a long number, and nothing of a bearer token. Span identities stay whole."""
    return _CREDENTIAL.sub(r"\1…", _NUMBER.sub(lambda match: f"…{match[0][-3:]}", text))


class TextLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        return f"{when} {record.levelname.lower():7} {mask(_message(self, record))}"


class JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "from": record.name.removeprefix("edge_agent."),
            "text": mask(_message(self, record)),
        }
        return json.dumps(line, ensure_ascii=False)


def set_up(format_name: str, level: str, stream: TextIO | None = None) -> None:
    """One handler, to standard error: a service manager keeps and turns it over."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLine() if format_name == "json" else TextLine())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.getLogger("asyncio").setLevel("WARNING")
    logging.getLogger("websockets").setLevel("ERROR")  # what matters is told as a Disconnect


def _message(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    text = record.getMessage()
    if record.exc_info:
        text += "\n" + formatter.formatException(record.exc_info)
    return text
