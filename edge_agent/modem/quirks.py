"""Vendor differences as rows. Rule: nowhere else does code ask for a maker or a model.

From the makers' AT manuals and the sources of programs that drive these modems; dialogues in tests/transcripts.
"""

from dataclasses import dataclass

from edge_agent.modem.commands import RADIO, SIM_ACCESS, SUBMIT, Command


@dataclass(frozen=True, slots=True)
class PinTries:
    """How to learn how often a wrong PIN may still be entered: which value of which answer."""

    command: Command
    position: int


_CCID = Command("AT+CCID", "+CCID:", SIM_ACCESS, bare=True)
_CPINR = PinTries(Command("AT+CPINR", "+CPINR:"), 1)  # 27.007 §8.65: `+CPINR: SIM PIN,3,3`
_AIRPLANE = Command("AT+CFUN=4", deadline_s=RADIO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """How one family of modems differs from plain 27.005/27.007, which the defaults describe."""

    name: str
    makers: tuple[str, ...] = ()  # beginnings of the answer to AT+CGMI, casefolded
    models: tuple[str, ...] = ()  # parts of the answer to AT+CGMM, casefolded; none: all of the maker's
    iccid: Command = _CCID
    setup: tuple[Command, ...] = ()  # sent before the rest; refusals do not matter
    usb_setup: tuple[Command, ...] = ()  # likewise, but only over USB
    radio_off: Command = _AIRPLANE
    submit_s: float = SUBMIT
    pin_tries: PinTries = _CPINR
    ussd_packed: bool = False  # wants and gives USSD as packed septets in hex
    at_interface: str = ""  # USB interface of the port that has the URCs, as in /dev/serial/by-id


PLAIN = Quirks(name="plain 27.005")

ROWS: tuple[Quirks, ...] = (
    Quirks(
        name="Quectel",
        makers=("quectel",),
        iccid=Command("AT+QCCID", "+QCCID:", SIM_ACCESS, bare=True),
        # URCs come out of one port only, by default not always the AT port.
        usb_setup=(Command('AT+QURCCFG="urcport","usbat"'),),
        pin_tries=PinTries(Command("AT+QPINC?", "+QPINC:"), 1),  # `+QPINC: "SC",3,10`
        at_interface="if02",
    ),
    Quirks(
        name="SIMCom 2G",
        makers=("simcom",),
        models=("sim800", "sim900", "sim808", "sim868"),
        pin_tries=PinTries(Command("AT+SPIC", "+SPIC:"), 0),
        submit_s=60.0,  # named by the SIM800 manual
    ),
    Quirks(
        name="SIMCom",
        makers=("simcom",),
        iccid=Command("AT+CICCID", "+ICCID:", SIM_ACCESS, bare=True),
        pin_tries=PinTries(Command("AT+SPIC", "+SPIC:"), 0),  # `+SPIC: 3,10,0,10`
        at_interface="if02",
    ),
    Quirks(
        name="Huawei",
        makers=("huawei",),
        iccid=Command("AT^ICCID?", "^ICCID:", SIM_ACCESS, bare=True),
        setup=(Command("AT^CURC=0"),),  # no ^RSSI, ^HCSQ, ^BOOT every few seconds; +CMTI and +CDS still come
        pin_tries=PinTries(Command("AT^CPIN?", "^CPIN:"), 3),  # `^CPIN: SIM PIN,,10,3,10,3`
        ussd_packed=True,
    ),
    Quirks(
        name="Sierra Wireless",
        makers=("sierra",),
        iccid=Command("AT!ICCID?", "!ICCID:", SIM_ACCESS, bare=True),
        pin_tries=PinTries(Command("AT+CPINC?", "+CPINC:"), 0),  # `+CPINC: 3,3,10,10`
        at_interface="if03",
    ),
    Quirks(
        name="Telit",
        makers=("telit",),
        iccid=Command("AT#CCID", "#CCID:", SIM_ACCESS, bare=True),
        pin_tries=PinTries(Command("AT#PCT", "#PCT:"), 0),  # `#PCT: 3`
    ),
    Quirks(
        name="u-blox",
        makers=("u-blox",),
        pin_tries=PinTries(Command("AT+UPINCNT", "+UPINCNT:"), 0),  # `+UPINCNT: 3,3,10,10`
        submit_s=180.0,  # "up to 3 min" in the SARA manuals
    ),
    Quirks(
        name="Cinterion",
        makers=("cinterion", "gemalto", "thales", "siemens"),
        iccid=Command("AT+CCID?", "+CCID:", SIM_ACCESS, bare=True),
        pin_tries=PinTries(Command("AT^SPIC", "^SPIC:"), 0),
    ),
)


def find(maker: str, model: str) -> Quirks:
    """The first row that fits, else plain 27.005."""
    maker, model = maker.casefold(), model.casefold()
    for row in ROWS:
        if maker.startswith(row.makers) and (not row.models or any(part in model for part in row.models)):
            return row
    return PLAIN
