"""Error results and their words: 3GPP TS 27.007 §9.2 (+CME) and TS 27.005 §3.2.5 (+CMS)."""

CME_WORDS = {
    3: "operation not allowed",
    4: "operation not supported",
    10: "SIM not inserted",
    11: "SIM PIN required",
    12: "SIM PUK required",
    13: "SIM failure",
    14: "SIM busy",
    16: "incorrect password",
    20: "memory full",
    21: "invalid index",
    30: "no network service",
    50: "Incorrect parameters",
    100: "unknown",
    515: "Please wait, init or command processing in progress.",
}
CMS_WORDS = {
    21: "Short message transfer rejected",
    38: "Network out of order",
    41: "Temporary failure",
    42: "Congestion",
    47: "Resources unavailable, unspecified",
    300: "ME failure",
    301: "SMS service of ME reserved",
    302: "operation not allowed",
    303: "operation not supported",
    304: "invalid PDU mode parameter",
    305: "invalid text mode parameter",
    310: "SIM not inserted",
    311: "SIM PIN required",
    314: "SIM busy",
    316: "SIM PUK required",
    320: "memory failure",
    321: "invalid memory index",
    322: "memory full",
    330: "SMSC address unknown",
    331: "no network service",
    332: "network timeout",
    340: "no +CNMA acknowledgement expected",
    500: "unknown error",
}


class AtError(Exception):
    """A command ends with an error: `family` is "CME" or "CMS", or "" for the bare ERROR."""

    def __init__(self, family: str, code: int = 0) -> None:
        super().__init__(family, code)
        self.family, self.code = family, code

    def final(self, cmee: int) -> str:
        """As +CMEE asks (27.007 §9.1): 0 hides +CME, 1 gives numbers, 2 words. +CMS is never hidden (27.005 §3.2.5)."""
        if not self.family or (self.family == "CME" and not cmee):
            return "ERROR"
        words = CME_WORDS if self.family == "CME" else CMS_WORDS
        text = words.get(self.code, "unknown") if cmee == 2 else str(self.code)
        return f"+{self.family} ERROR: {text}"


def cme(code: int) -> AtError:
    return AtError("CME", code)


def cms(code: int) -> AtError:
    return AtError("CMS", code)
