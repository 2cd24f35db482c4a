"""What kinds of modems differ in, one row a kind. Rule: a difference between vendors is a field here and never an `if`.

Identity strings, ICCID commands, +CNMI ranges and boot lines are as public AT manuals and logs show them.
"""

from dataclasses import dataclass

Ranges = tuple[tuple[int, ...], ...]

_CNMI_27005: Ranges = ((0, 1, 2, 3), (0, 1, 2, 3), (0, 2), (0, 1, 2), (0, 1))
_CNMI_QUALCOMM: Ranges = ((0, 1, 2), (0, 1, 2, 3), (0, 2), (0, 1, 2), (0, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """One kind of modem. Boot lines come in order after a reset, the last one once SMS works."""

    maker: str
    model: str
    revision: str
    iccid_command: str = "+CCID"
    iccid_form: str = ""  # "?" where the command is read-only
    iccid_line: str = "+CCID: {}"
    cnmi: Ranges = _CNMI_QUALCOMM
    unknown: str = "ERROR"
    boot: tuple[str, ...] = ("RDY", "+CPIN: READY")
    noise: tuple[str, ...] = ("+CREG: 1",)
    memory_full: str = ""
    stores: tuple[tuple[str, int], ...] = (("SM", 30), ("ME", 23), ("SR", 20))
    default_store: str = "SM"
    first_index: int = 0
    report_store_said: str = "SR"  # how +CDSI names the store of reports
    pin_counter: str = ""
    ussd_packed: bool = False  # +CUSD carries hexadecimal of packed septets


VENDORS: dict[str, Vendor] = {
    "plain": Vendor(maker="Test Equipment", model="27.005", revision="1.0", cnmi=_CNMI_27005, boot=("+CPIN: READY",)),
    "quectel": Vendor(
        maker="Quectel",
        model="EC25",
        revision="EC25EFAR06A01M4G",
        iccid_command="+QCCID",
        iccid_line="+QCCID: {}",
        boot=("RDY", "+CFUN: 1", "+CPIN: READY", "+QUSIM: 1", "+QIND: SMS DONE"),
        noise=('+QIND: "csq",24,99',),
        memory_full='+QIND: "smsfull","{}"',
        default_store="ME",
        report_store_said="SM",  # IchthysMaranatha/asterisk-chan-quectel#75
        pin_counter="+QPINC",
    ),
    "simcom": Vendor(
        maker="SIMCOM INCORPORATED",
        model="SIMCOM_SIM7600E-H",
        revision="LE20B04SIM7600M22",
        iccid_command="+CICCID",
        iccid_line="+ICCID: {}",
        boot=("RDY", "+CPIN: READY", "SMS DONE", "PB DONE"),
        noise=("+CSQ: 24,99",),
        memory_full="+SMS FULL",
        first_index=0,
        pin_counter="+SPIC",
    ),
}
