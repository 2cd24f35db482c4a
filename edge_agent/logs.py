"""Log lines, as text or JSON. Rule: no message text, no full number and no secret is ever logged.

The callers do not put them in; `Masking` is the second line of defence, for what slips in with an error's words.
"""

import json
import logging
import re
import sys
import time
from typing import TextIO

_NUMBER = re.compile(r"\+?\d{9,}(?!\w*[a-z-])")
_CREDENTIAL = re.compile(r"(?i)(bearer\s+)\S+")
_SPAN = re.compile(r"(?<=imei:)\d{15}|(?<=imei:)\d{15}\b")


def mask(text: str) -> str:
    """Leaves the last three digits of a long number, and nothing of a bearer token. Span identities stay whole."""
    spans = _SPAN.findall(text)
    masked = _NUMBER.sub(lambda match: match.group() if match.group() in spans else f"…{match.group()[-3:]}", text)
    return _CREDENTIAL.sub(r"\1…", masked)


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
