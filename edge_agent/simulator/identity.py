"""Who a simulated modem and its SIM are: made from the index, so that the same index is the same modem in every run."""

from dataclasses import dataclass

# Reporting body 00 marks a test device (GSMA TS.06), 001-01 the test network (E.212), 89 telecoms (E.118).
_TAC = "00101700"
_TEST_NETWORK = "00101"
_ISSUER = "894901"


@dataclass(frozen=True, slots=True)
class Sim:
    imsi: str
    iccid: str
    number: str


@dataclass(frozen=True, slots=True)
class Identity:
    imei: str
    sim: Sim


def luhn(digits: str) -> str:
    """The check digit of ISO/IEC 7812-1 annex B, which IMEI and ICCID use."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def sim_of(index: int) -> Sim:
    iccid = f"{_ISSUER}{index:012}"
    return Sim(f"{_TEST_NETWORK}{index:010}", iccid + luhn(iccid), f"+49155500{index:05}")


def identity_of(index: int) -> Identity:
    imei = f"{_TAC}{index:06}"
    return Identity(imei + luhn(imei), sim_of(index))
