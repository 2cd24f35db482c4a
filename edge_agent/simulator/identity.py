"""Who a simulated modem and its SIM are: made from the index, so that the same index is the same modem in every run."""

import json
from dataclasses import dataclass
from pathlib import Path

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


def read_identities(path: Path) -> list[Identity]:
    """A JSON list of objects with imei, imsi, iccid and number; ValueError says which one is wrong."""
    rows = json.loads(path.read_text())
    if not isinstance(rows, list):
        raise ValueError(f"{path}: a list is wanted")
    return [_identity(path, place, row) for place, row in enumerate(rows)]


def _identity(path: Path, place: int, row: object) -> Identity:
    fields = ("imei", "imsi", "iccid", "number")
    if not isinstance(row, dict) or not all(isinstance(row.get(field), str) for field in fields):
        raise ValueError(f"{path}: entry {place} wants {', '.join(fields)} as texts")
    imei = row["imei"]
    if len(imei) != 15 or not imei.isdecimal() or luhn(imei[:14]) != imei[14]:
        raise ValueError(f"{path}: entry {place} has an IMEI whose check digit is wrong")
    return Identity(imei, Sim(row["imsi"], row["iccid"], row["number"]))
