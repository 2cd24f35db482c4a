"""Vendor differences as rows. Rule: nowhere else does code ask for a maker or a model."""

from dataclasses import dataclass

from edge_agent.modem.commands import RADIO, SIM_ACCESS, SUBMIT, Command

_CCID = Command("AT+CCID", "+CCID:", SIM_ACCESS, bare=True)
_AIRPLANE = Command("AT+CFUN=4", deadline_s=RADIO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """How one family of modems differs from plain 27.005/27.007, which the defaults describe."""

    name: str
    makers: tuple[str, ...] = ()  # beginnings of the answer to AT+CGMI, casefolded
    models: tuple[str, ...] = ()  # beginnings of the answer to AT+CGMM; none: all of the maker's
    iccid: Command = _CCID
    setup: tuple[Command, ...] = ()  # sent before the rest; refusals do not matter
    radio_off: Command = _AIRPLANE
    submit_s: float = SUBMIT
    pin_tries: Command | None = None  # tells how many attempts the SIM still allows
    ussd_packed: bool = False  # wants and gives USSD as packed septets in hex
    at_interface: str = ""  # USB interface of the port that has the URCs, e.g. "if02"


PLAIN = Quirks(name="plain 27.005")
ROWS: tuple[Quirks, ...] = ()


def find(maker: str, model: str) -> Quirks:
    """The first row that fits, else plain 27.005."""
    maker, model = maker.casefold(), model.casefold()
    for row in ROWS:
        if maker.startswith(row.makers) and (not row.models or model.startswith(row.models)):
            return row
    return PLAIN
