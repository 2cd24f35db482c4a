"""What kinds of modems differ in, one row a kind. Rule: a difference between vendors is a field here and never an `if`.

Identity strings, ICCID commands, +CNMI ranges, boot lines and counters are as public AT manuals, logs and the tests of
other programs show them. Not confirmed by a log: the +CNMI ranges of huawei, telit and ublox, and sierra's !ICCID.
"""

from dataclasses import dataclass

_EVERYTHING = "(0-3),(0-3),(0-3),(0-2),(0,1)"
_QUALCOMM = "(0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)"


@dataclass(frozen=True, slots=True)
class Query:
    """A command of the vendor's own, how it is asked ("" or "?"), and its answer with {iccid}, {pin} or {puk} in it."""

    command: str
    form: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """One kind of modem. `boot` comes after a reset; `sim_open` once the SIM is, its last line when SMS works."""

    maker: str
    model: str
    revision: str
    revision_line: str = "{}"
    queries: tuple[Query, ...] = (Query("+CCID", "", "+CCID: {iccid}"),)
    cnmi: str = _QUALCOMM  # as +CNMI=? says it
    cnmi_at_start: tuple[int, ...] = (2, 1, 0, 0, 0)
    unknown: str = "ERROR"  # the result of a command it doesn't know
    boot: tuple[str, ...] = ()
    sim_open: tuple[str, ...] = ("+CPIN: READY",)
    noise: tuple[str, ...] = ("+CREG: 1",)
    memory_full: str = ""  # said when a message finds no room
    stores: tuple[tuple[str, int], ...] = (("SM", 30), ("ME", 23), ("SR", 20))
    default_store: str = "SM"
    first_index: int = 0
    empty_slot_is_error: bool = False  # +CMGR of an empty slot; otherwise a bare OK
    report_store_said: str = "SR"  # how +CDSI names the store of reports
    ussd_packed: bool = False  # +CUSD carries hexadecimal of packed septets


VENDORS: dict[str, Vendor] = {
    "plain": Vendor(maker="Test Equipment", model="27.005", revision="1.0", cnmi=_EVERYTHING),
    "quectel": Vendor(
        maker="Quectel",
        model="EC25",
        revision="EC25EFAR06A01M4G",
        queries=(
            Query("+QCCID", "", "+QCCID: {iccid}"),
            Query("+CCID", "", "+CCID: {iccid}"),
            Query("+QPINC", "?", '+QPINC: "SC",{pin},{puk}'),
        ),
        boot=("RDY", "+CFUN: 1"),
        sim_open=("+CPIN: READY", "+QUSIM: 1", "+QIND: SMS DONE"),
        noise=('+QIND: "csq",24,99',),
        memory_full='+QIND: "smsfull","{}"',
        default_store="ME",
        report_store_said="SM",  # IchthysMaranatha/asterisk-chan-quectel#75
    ),
    "simcom": Vendor(
        maker="SIMCOM INCORPORATED",
        model="SIMCOM_SIM7600E-H",
        revision="LE20B04SIM7600M22",
        revision_line="+CGMR: {}",
        queries=(Query("+CICCID", "", "+ICCID: {iccid}"), Query("+SPIC", "", "+SPIC: {pin},{puk},0,10")),
        boot=("RDY",),
        sim_open=("+CPIN: READY", "SMS DONE", "PB DONE"),
        noise=("+CSQ: 24,99",),  # +AUTOCSQ: a notice with the prefix of an answer
        memory_full="+SMS FULL",
    ),
    "huawei": Vendor(
        maker="huawei",
        model="E3372",
        revision="21.180.01.00.00",
        queries=(Query("^ICCID", "?", "^ICCID: {iccid}"), Query("^CPIN", "?", "^CPIN: {state},,{puk},{pin},10,3")),
        cnmi="(0,1,2),(0,1,2,3),(0,2,3),(0,1,2),(0,1)",
        unknown="COMMAND NOT SUPPORT",
        boot=("^BOOT:20952548,0,0,0,72",),
        sim_open=("^SIMST:1", "^SRVST:2", "^MODE:5,4"),
        noise=("^RSSI: 18", '^HCSQ:"LTE",41,38,60,0', "^BOOT:20952548,0,0,0,72"),
        memory_full='^SMMEMFULL: "{}"',
        ussd_packed=True,
    ),
    "sierra": Vendor(
        maker="Sierra Wireless, Incorporated",
        model="MC7455",
        revision="SWI9X30C_02.24.03.00 r6978 CARMD-EV-FRMWR2 2017/03/02 13:36:45",
        queries=(Query("!ICCID", "?", "!ICCID: {iccid}"), Query("+CPINC", "?", "+CPINC: {pin},3,{puk},10")),
        sim_open=(),
        noise=("+CREG: 1", "+CGREG: 1"),
    ),
    "telit": Vendor(
        maker="Telit",
        model="LE910-EU1",
        revision="20.00.403",
        queries=(Query("#CCID", "", "#CCID: {iccid}"), Query("#PCT", "", "#PCT: {pin}")),
        cnmi="(0-3),(0-3),(0,2,3),(0-2),(0,1)",
        boot=("#QSS: 1",),
        sim_open=("#QSS: 2", "#QSS: 3"),
        noise=("#QSS: 3",),
        first_index=1,
        empty_slot_is_error=True,
    ),
    "ublox": Vendor(
        maker="u-blox",
        model="SARA-U201",
        revision="23.60",
        queries=(Query("+CCID", "", "+CCID: {iccid}"), Query("+UPINCNT", "", "+UPINCNT: {pin},3,{puk},10")),
        cnmi="(0-2),(0-3),(0-3),(0-2),(0,1)",
        sim_open=(),
        first_index=1,
        empty_slot_is_error=True,
    ),
    # No reports at all, and <bfr> has to be 1: the +CNMI=? answer in ModemManager's tests for the PHS8.
    "cinterion": Vendor(
        maker="Cinterion",
        model="PHS8-P",
        revision="REVISION 03.320",
        queries=(Query("+CCID", "?", "+CCID: {iccid}"), Query("^SPIC", "", "^SPIC: {pin}")),
        cnmi="(0,1,2),(0,1),(0,2),(0),(1)",
        cnmi_at_start=(0, 0, 0, 0, 1),
        boot=("^SYSSTART",),
        sim_open=(),
        first_index=1,
    ),
}
