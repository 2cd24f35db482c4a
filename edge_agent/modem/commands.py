"""AT commands as values: what is written, what answers it, and how long that may take (seconds, with the reason).

Deadlines are fixed when a command starts; nothing that a modem says prolongs them (an endless ^RSSI must not).
"""

from dataclasses import dataclass, field

QUICK = 5.0  # answered from the module's own memory; slow ones take 300 ms, some 2 s while they register
SIM_ACCESS = 10.0  # reads or writes the SIM; makers name 5 s, and a busy one says so (+CME ERROR 14)
LISTING = 25.0  # reads all stored messages; a full SIM of 50 takes some modems over 10 s
NETWORK_STATE = 15.0  # +COPS? is answered from memory, but not by all while they search
NETWORK = 60.0  # +CUSD asks the network; makers name 15 to 75 s
RADIO = 45.0  # +CFUN detaches from the network first; makers name 15 s, 3GPP detach retries add to it
SUBMIT = 120.0  # +CMGS; Quectel and Sierra name 120 s, u-blox 150 s (quirks.py), ModemManager waits 300 s
PROMPT = 10.0  # `>` after AT+CMGS; makers name 5 s at most, then ESC (never Ctrl-Z: it would send)
HELD = 20.0  # prompt given, journal not yet done; modems leave the prompt by themselves after about 60 s
SETTLE = 1.0  # Wavecom answers +CPIN? without OK; this long after the answer line it counts as complete
AFTER_CMGS = 5.0  # between `+CMGS: <mr>` and its OK
REFERENCE = 2.0  # after an OK without `+CMGS: <mr>`; Sierra MC74xx say OK right after the prompt, too

ESC = b"\x1b"  # 27.005 §3.5.1: leaves the prompt without sending
CTRL_Z = b"\x1a"  # 27.005 §3.5.1: ends the PDU and sends it


@dataclass(frozen=True, slots=True)
class Command:
    """One command line. `prefix` starts its answer lines; `bare` answers come without (IMEI, maker, stored PDUs)."""

    text: str
    prefix: str = ""
    deadline_s: float = QUICK
    bare: bool = False
    settle_s: float | None = None  # the final result may be missing, see SETTLE
    payload: bytes = field(default=b"", repr=False)  # written after the prompt
    secret: bool = False  # never traced

    @property
    def name(self) -> str:
        """For logs: without its values."""
        return self.text.partition("=")[0]


AT = Command("AT")
ECHO_OFF = Command("ATE0")
DEFAULT_PROFILE = Command("ATZ", deadline_s=SIM_ACCESS)
VERBOSE = Command("ATV1")  # final results in words
ERROR_NUMBERS = Command("AT+CMEE=1")
MAKER = Command("AT+CGMI", "+CGMI:", bare=True)
MODEL = Command("AT+CGMM", "+CGMM:", bare=True)
FIRMWARE = Command("AT+CGMR", "+CGMR:", bare=True)
IMEI = Command("AT+CGSN", "+CGSN:", bare=True)
IMSI = Command("AT+CIMI", "+CIMI:", SIM_ACCESS, bare=True)
PIN_STATE = Command("AT+CPIN?", "+CPIN:", SIM_ACCESS, settle_s=SETTLE)
FUNCTION = Command("AT+CFUN?", "+CFUN:")
RADIO_ON = Command("AT+CFUN=1", deadline_s=RADIO)
PDU_MODE = Command("AT+CMGF=0")
PHASE_2 = Command("AT+CSMS=0", "+CSMS:")
PHASE_2_PLUS = Command("AT+CSMS=1", "+CSMS:")
INDICATIONS = Command("AT+CNMI=?", "+CNMI:")
INDICATIONS_NOW = Command("AT+CNMI?", "+CNMI:")
STORES = Command("AT+CPMS=?", "+CPMS:", SIM_ACCESS)
ACKNOWLEDGE = Command("AT+CNMA")
ACKNOWLEDGE_0 = Command("AT+CNMA=0")  # some want <n> written, which 27.005 §4.7 leaves optional
LIST_ALL = Command("AT+CMGL=4", "+CMGL:", LISTING, bare=True)
SIGNAL = Command("AT+CSQ", "+CSQ:")
REGISTERED_CS = Command("AT+CREG?", "+CREG:")
REGISTERED_EPS = Command("AT+CEREG?", "+CEREG:")
REGISTERED_PS = Command("AT+CGREG?", "+CGREG:")
REGISTER_QUIETLY = Command("AT+CREG=0")  # no +CREG URCs, which read like the answer to +CREG?
OPERATOR_FORMAT = Command("AT+COPS=3,0", deadline_s=NETWORK_STATE)
OPERATOR = Command("AT+COPS?", "+COPS:", NETWORK_STATE)
KEEP_LINK = Command("AT+CMMS=1")
USSD_CANCEL = Command("AT+CUSD=2", deadline_s=NETWORK)
GSM_CHARSET = Command('AT+CSCS="GSM"')


def submit(pdu_hex: str, tpdu_length: int, deadline_s: float) -> Command:
    """AT+CMGS and its PDU, one critical section (27.005 §4.3)."""
    return Command(f"AT+CMGS={tpdu_length}", "+CMGS:", deadline_s, payload=pdu_hex.encode("ascii") + CTRL_Z)


def read_message(index: int) -> Command:
    return Command(f"AT+CMGR={index}", "+CMGR:", SIM_ACCESS, bare=True)


def delete_message(index: int) -> Command:
    return Command(f"AT+CMGD={index}", deadline_s=SIM_ACCESS)


def use_store(store: str) -> Command:
    """Only mem1, from which is read and deleted; mem2 and mem3 keep their values (27.005 §3.2.2)."""
    return Command(f'AT+CPMS="{store}"', "+CPMS:", SIM_ACCESS)


def indicate(mode: int, mt: int, bm: int, ds: int, bfr: int) -> Command:
    return Command(f"AT+CNMI={mode},{mt},{bm},{ds},{bfr}")


def enter_pin(pin: str) -> Command:
    return Command(f'AT+CPIN="{pin}"', "+CPIN:", SIM_ACCESS, secret=True)


def ussd(code: str, dcs: int) -> Command:
    """`code` as the modem wants it written (ussd.py); dcs 15 is the default alphabet (23.038 §5)."""
    return Command(f'AT+CUSD=1,"{code}",{dcs}', deadline_s=NETWORK)


# Lines that a module says once it has booted: everything set before is gone (echo, CMGF, CNMI).
BOOT_LINES = (
    "RDY",  # Quectel, SIMCom
    "^SYSSTART",  # Cinterion, Telit since
    "*ATREADY:",  # SIMCom A76xx
    "+SYSSTART",
    "+WIND: 3",  # Wavecom/Sierra: ready for AT commands
    "#QSS: 1",  # Telit: a SIM was put in; what was set up with another is void
)
