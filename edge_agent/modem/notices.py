"""Notices (URCs) that take more than one line: direct messages and reports, and USSD answers. Pure.

A notice may stand anywhere, so what follows its first line may as well be a command's answer; each line is judged anew.
"""

from edge_agent.modem.commands import BOOT_LINES, Command
from edge_agent.modem.reply import Urc

MARKS = "+^*%$#!"  # what lines of modems begin with when they are neither values nor words
WORDS = ("RING", "NO CARRIER", "SMS Ready", "SMS DONE", "PB DONE", "Call Ready", "NORMAL POWER", "POWERED DOWN")
_TWO_LINES = ("+CMT:", "+CDS:", "+CBM:")  # in PDU mode the PDU is on the next line (27.005 §3.4.1)
_NEVER_A_PDU = ("OK", "ERROR", "AT", *WORDS, *BOOT_LINES)
MAX_TEXT_LINES = 40  # of one USSD answer; 182 characters of one letter a line are no menu


class Notices:
    """Remembers the beginning of a notice whose end is still to come. Holds one of each kind at most."""

    def __init__(self) -> None:
        self._header = ""  # of a direct message or report
        self._text: list[str] = []  # of a USSD answer, its closing quote still to come

    @property
    def open(self) -> bool:
        return bool(self._header or self._text)

    @property
    def in_text(self) -> bool:
        """In the middle of a USSD answer."""
        return bool(self._text)

    def forget(self) -> None:
        self._header, self._text = "", []

    def begin(self, line: str) -> Urc | None:
        """A line with a mark that answers nothing: the notice itself, or None when there is more of it to come."""
        if line.startswith(_TWO_LINES):
            self._header = line
            return None
        if line.startswith("+CUSD:") and line.count('"') % 2:
            self._text = [line]
            return None
        return Urc(line)

    def go_on(self, line: str, command: Command | None) -> tuple[Urc | None, bool]:
        """What the line completes, and whether it was part of a notice. `command` is what is in flight."""
        if self._text:
            return self._more_text(line, command)
        if line[0] in MARKS or not self._is_pdu(line, command):
            return None, False
        urc, self._header = Urc(self._header, line), ""
        return urc, True

    def _is_pdu(self, line: str, command: Command | None) -> bool:
        """The next line, whatever is wrong with it, unless it may as well belong to what is being read."""
        if line.startswith(_NEVER_A_PDU):
            return False
        return command is None or not command.bare or fits(self._header, line)

    def _more_text(self, line: str, command: Command | None) -> tuple[Urc | None, bool]:
        part_of_it = len(self._text) < MAX_TEXT_LINES and not (command is not None and line in {"OK", "ERROR"})
        if part_of_it:
            self._text.append(line)
            if line.count('"') % 2 == 0:
                return None, True
        urc, self._text = Urc("\n".join(self._text)), []
        return urc, part_of_it


def fits(header: str, pdu: str) -> bool:
    """Whether a hex line is as long as its header tells: in TPDU octets, without the message centre's (27.005 §3.1)."""
    length = header.rpartition(",")[2].rpartition(":")[2].strip()
    try:
        return int(length) + int(pdu[:2], 16) + 1 == len(pdu) // 2
    except ValueError:
        return False
