"""Final results that say no, in words: 27.005 §3.2.5 (+CMS ERROR) and 27.007 §9.2 (+CME ERROR), and what they imply.

The tables are facts of the standards; what follows from a code (`elsewhere`, `outcome_unknown`) is decided here alone.
"""

from dataclasses import dataclass
from typing import Final

# 1-127: RP causes of the network (24.011 table 8.4), 128-255: TP failure causes (23.040 §9.2.3.22), 300-: the modem's.
CMS: Final[dict[int, str]] = {
    1: "unassigned number",
    8: "barred by the operator",
    10: "call barred",
    17: "network failure",
    21: "short message transfer rejected",
    22: "memory capacity exceeded",
    27: "destination out of order",
    28: "unidentified subscriber",
    29: "facility rejected",
    30: "unknown subscriber",
    38: "network out of order",
    41: "temporary failure",
    42: "congestion",
    47: "resources unavailable",
    50: "SMS is not part of this subscription",
    69: "facility not implemented by the network",
    81: "invalid short message reference",
    95: "invalid message",
    96: "mandatory information missing",
    97: "message type unknown to the network",
    98: "message not compatible with the protocol state",
    99: "information element unknown to the network",
    111: "protocol error",
    127: "interworking error",
    128: "telematic interworking not supported",
    129: "short message type 0 not supported",
    130: "short message cannot be replaced",
    143: "protocol identifier not accepted",
    144: "alphabet not supported",
    145: "message class not supported",
    159: "data coding scheme not accepted",
    160: "command not carried out",
    161: "command not supported",
    175: "TPDU command not accepted",
    176: "TPDU not supported",
    192: "the message centre is busy",
    193: "no subscription with the message centre",
    194: "message centre failure",
    195: "invalid recipient address",
    196: "recipient barred",
    197: "rejected as a duplicate",
    198: "validity period format not supported",
    199: "validity period not supported",
    208: "the SIM's SMS storage is full",
    209: "the SIM cannot store messages",
    210: "error in the modem",
    211: "memory capacity exceeded",
    212: "the SIM's application toolkit is busy",
    213: "error when storing on the SIM",
    255: "unspecified error cause",
    300: "modem failure",
    301: "the modem's SMS service is reserved",
    302: "operation not allowed",
    303: "operation not supported",
    304: "invalid PDU",
    305: "invalid text mode parameter",
    310: "no SIM inserted",
    311: "SIM PIN required",
    312: "phone-to-SIM PIN required",
    313: "SIM failure",
    314: "SIM busy",
    315: "wrong SIM",
    316: "SIM PUK required",
    317: "SIM PIN2 required",
    318: "SIM PUK2 required",
    320: "memory failure",
    321: "invalid memory index",
    322: "memory full",
    330: "the message centre's number is not known",
    331: "no network service",
    332: "network timeout",
    340: "no acknowledgement expected",
    500: "unknown error",
    512: "refused by the modem (maker's code 512)",
    513: "radio link failure (maker's code 513)",
    515: "modem still starting or busy (maker's code 515)",
}

CME: Final[dict[int, str]] = {
    0: "modem failure",
    1: "no connection to the modem",
    2: "link reserved",
    3: "operation not allowed",
    4: "operation not supported",
    5: "phone-to-SIM PIN required",
    6: "phone-to-first-SIM PIN required",
    7: "phone-to-first-SIM PUK required",
    10: "SIM not inserted",
    11: "SIM PIN required",
    12: "SIM PUK required",
    13: "SIM failure",
    14: "SIM busy",
    15: "SIM wrong",
    16: "incorrect password",
    17: "SIM PIN2 required",
    18: "SIM PUK2 required",
    20: "memory full",
    21: "invalid index",
    22: "not found",
    23: "memory failure",
    24: "text string too long",
    25: "invalid characters in text string",
    26: "dial string too long",
    27: "invalid characters in dial string",
    30: "no network service",
    31: "network timeout",
    32: "network not allowed, emergency calls only",
    40: "network personalisation PIN required",
    41: "network personalisation PUK required",
    42: "network subset personalisation PIN required",
    43: "network subset personalisation PUK required",
    44: "service provider personalisation PIN required",
    45: "service provider personalisation PUK required",
    46: "corporate personalisation PIN required",
    47: "corporate personalisation PUK required",
    48: "hidden key required",
    49: "this EAP method is not supported",
    50: "incorrect parameters",
    51: "command implemented but disabled",
    52: "command aborted by the user",
    100: "unknown error",
    103: "illegal subscriber (SIM not accepted by the network)",
    106: "illegal modem (IMEI not accepted by the network)",
    107: "GPRS services not allowed",
    111: "network not allowed here",
    112: "location area not allowed",
    113: "roaming not allowed here",
    132: "service option not supported",
    133: "service option not subscribed",
    134: "service option temporarily out of order",
    148: "unspecified GPRS error",
    149: "PDP authentication failure",
    150: "invalid mobile class",
    515: "modem still starting or busy (maker's code 515)",
}

# English of +CMEE=2, where makers keep to 27.007 §9.2; our wording above is for people and differs here and there.
_SPELLED: Final = {
    "phone failure": 0,
    "me failure": 0,
    "no connection to phone": 1,
    "operation not allowed": 3,
    "operation not supported": 4,
    "sim not inserted": 10,
    "sim pin required": 11,
    "sim puk required": 12,
    "sim failure": 13,
    "sim busy": 14,
    "sim wrong": 15,
    "incorrect password": 16,
    "memory full": 20,
    "invalid index": 21,
    "not found": 22,
    "no network service": 30,
    "network timeout": 31,
    "unknown": 100,
    "unknown error": 100,
    "illegal ms": 103,
    "illegal me": 106,
}
_SPELLED_CMS: Final = {
    "me failure": 300,
    "sms service of me reserved": 301,
    "operation not allowed": 302,
    "operation not supported": 303,
    "invalid pdu mode parameter": 304,
    "invalid text mode parameter": 305,
    "(u)sim not inserted": 310,
    "sim not inserted": 310,
    "sim pin required": 311,
    "sim pin necessary": 311,
    "sim failure": 313,
    "sim busy": 314,
    "sim wrong": 315,
    "sim puk required": 316,
    "memory failure": 320,
    "invalid memory index": 321,
    "memory full": 322,
    "smsc address unknown": 330,
    "no network": 331,
    "no network service": 331,
    "network timeout": 332,
    "unknown": 500,
    "unknown error": 500,
}

# The modem or the network lost sight of the message; it may have gone out. Never told as a failure (modem-notes 4).
_UNKNOWN_CMS: Final = frozenset({38, 332, 500})
_UNKNOWN_CME: Final = frozenset({31, 100})
# The recipient or the message is at fault: another SIM would fare no better.
_EVERYWHERE_CMS: Final = frozenset({1, 27, 30, *range(128, 192), 195, 196, 197, 198, 199, 304, 305})
_BUSY_CMS: Final = frozenset({14, 314, 515})
_BUSY_CME: Final = frozenset({14, 515})


@dataclass(frozen=True, slots=True)
class AtError:
    """A final result that is not OK. `kind` is "CMS", "CME", or the line itself where it has no code."""

    kind: str
    number: int | None = None
    said: str = ""  # the modem's own words, when it used words

    @property
    def code(self) -> str:
        """Stable, for people and tables: "CMS 38", "CME 14", "ERROR"."""
        return self.kind if self.number is None else f"{self.kind} {self.number}"

    @property
    def text(self) -> str:
        """One clause in words."""
        table = {"CMS": CMS, "CME": CME}.get(self.kind)
        if table is None:
            return "the modem answered " + self.kind
        if self.number is None:
            return self.said or "the modem gave no cause"
        return table.get(self.number) or f"code {self.number}, which is the maker's own"

    @property
    def busy(self) -> bool:
        """The modem or SIM is still starting: the same again in a moment may well succeed."""
        return self._in(_BUSY_CMS, _BUSY_CME)

    @property
    def elsewhere(self) -> bool:
        """Whether another span may succeed with the same message."""
        return not self._in(_EVERYWHERE_CMS, frozenset())

    @property
    def outcome_unknown(self) -> bool:
        """In answer to a PDU: it may be on the air nevertheless."""
        return self._in(_UNKNOWN_CMS, _UNKNOWN_CME)

    def _in(self, cms: frozenset[int], cme: frozenset[int]) -> bool:
        return self.number is not None and self.number in {"CMS": cms, "CME": cme}.get(self.kind, frozenset())


def parse_error(line: str) -> AtError | None:
    """The error that this line is, or None when it is something else."""
    if line == "ERROR" or line.startswith(("COMMAND NOT SUPPORT", "TOO MANY PARAMETERS")):
        return AtError(line)
    if not line.startswith(("+CMS ERROR", "+CME ERROR")):
        return None
    kind, said = line[1:4], line[10:].lstrip(": ").strip()
    if said.isdecimal():
        return AtError(kind, int(said[:9]))
    return AtError(kind, (_SPELLED_CMS if kind == "CMS" else _SPELLED).get(said.casefold()), said)
