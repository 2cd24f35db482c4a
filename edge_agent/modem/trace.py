"""The AT dialogue for people, on request. Rule: no message, phone number, PIN or whole identity is ever in it."""

import logging
import re

_LOG = logging.getLogger("edge_agent.modem.trace")
_HEX = re.compile(r"\b[0-9A-Fa-f]{24,}\b")
_QUOTED = re.compile(r'"[^"]{3,}"')
_DIGITS = re.compile(r"\d{7,}")


class Trace:
    """Logs what goes over one port, at INFO since somebody asked for it."""

    def __init__(self, device: str) -> None:
        self._device = device

    def sent(self, data: bytes, *, secret: bool) -> None:
        _LOG.info("%s > %s", self._device, "(secret)" if secret else redact(data))

    def received(self, data: bytes) -> None:
        _LOG.info("%s < %s", self._device, redact(data))


def redact(data: bytes) -> str:
    """One printable line; what is personal is replaced by its length."""
    text = repr(data.decode("latin-1"))[1:-1]
    text = _HEX.sub(lambda found: f"<{len(found[0]) // 2} octets>", text)
    text = _QUOTED.sub(_quoted, text)
    return _DIGITS.sub(lambda found: f"<{len(found[0])} digits>", text)


def _quoted(found: re.Match[str]) -> str:
    inside = found[0][1:-1]
    return found[0] if inside.isupper() and inside.isalpha() else f'"<{len(inside)} characters>"'
