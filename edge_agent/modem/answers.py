"""Reading the answer lines of AT commands. Pure; unreadable answers give None or nothing, never an exception."""

import re
from dataclasses import dataclass

_FIELD = re.compile(r'\s*(?:"([^"]*)"?|([^,"]*))\s*(?:,|$)')


def fields(line: str) -> list[str]:
    """The values after the prefix, unquoted: `+CPMS: "SM",3,50` gives ["SM", "3", "50"]."""
    rest = line.partition(":")[2].strip()
    if not rest:
        return []
    return [quoted or plain.strip() for quoted, plain in _FIELD.findall(rest + ",")][:-1]


def number(text: str) -> int | None:
    """A decimal of sensible length, else None."""
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) <= 9 else None


def values(line: str) -> list[frozenset[int]]:
    """What a test command allows: `+CNMI: (0-2),(0,1),(0,2),(0-2),(1)` gives a set a parameter."""
    groups = re.findall(r"\(([^()]*)\)|(\d+)", line.partition(":")[2])
    return [_numbers(inside or single) for inside, single in groups]


def _numbers(text: str) -> frozenset[int]:
    found: set[int] = set()
    for piece in text.split(","):
        first, _, last = piece.partition("-")
        low, high = number(first), number(last or first)
        if low is not None and high is not None and high - low < 256:
            found.update(range(low, high + 1))
    return frozenset(found)


def stores(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The stores that can be read and deleted from: mem1 of `+CPMS: ("ME","SM"),(…),(…)`."""
    for line in lines:
        first = re.search(r"\(([^()]*)\)", line)
        if first:
            return tuple(re.findall(r'"(\w+)"', first[1]))
    return ()


def number_at(lines: tuple[str, ...], position: int) -> int | None:
    """The number at that position in the first answer line that has one there."""
    for line in lines:
        told = fields(line)
        found = number(told[position]) if position < len(told) else None
        if found is not None:
            return found
    return None


def bare_value(lines: tuple[str, ...], prefix: str) -> str:
    """The first answer line of a command that answers with or without its prefix, unquoted."""
    for line in lines:
        value = line.removeprefix(prefix).strip().strip('"').strip()
        if value and value.isascii() and value.isprintable():
            return value
    return ""


def digits(lines: tuple[str, ...], shortest: int, longest: int) -> str:
    """The first run of so many digits: IMEI, IMSI, ICCID, whatever stands around it."""
    for line in lines:
        for found in re.findall(r"\d+", line):
            if shortest <= len(found) <= longest:
                return str(found)
    return ""


def luhn(number: str) -> bool:
    """Whether 15 digits are a whole IMEI: its last digit checks the others (23.003 annex B). Not all makers care."""
    if len(number) != 15 or not number.isdecimal():
        return False
    doubled = "".join(str(int(digit) * (1 + place % 2)) for place, digit in enumerate(number))
    return sum(map(int, doubled)) % 10 == 0


@dataclass(frozen=True, slots=True)
class Registration:
    """27.007 §7.2 <stat>, and what it means."""

    stat: int

    @property
    def registered(self) -> bool:
        return self.stat in {1, 5, 6, 7}  # 6 and 7: registered for SMS only

    @property
    def roaming(self) -> bool:
        return self.stat in {5, 7}

    @property
    def in_words(self) -> str:
        return {
            0: "not registered and not searching",
            2: "searching for a network",
            3: "the network denies registration",
            4: "registration unknown (out of coverage?)",
            8: "emergency calls only",
        }.get(self.stat, "")


def registration(lines: tuple[str, ...]) -> Registration | None:
    """From the answer to +CREG?, +CGREG? or +CEREG?. An URC with the same prefix may stand beside it.

    The answer is `<n>,<stat>[,…]`, the URC `<stat>[,"<lac>"…]`: two plain digits in front make the answer.
    """
    for line in reversed(lines):
        told = re.match(r"\+C\w*REG:\s*\d\s*,\s*(\d{1,2})\s*(?:,|$)", line)
        if told:
            return Registration(int(told[1]))
    return None


def signal_dbm(lines: tuple[str, ...]) -> int | None:
    """27.007 §8.5: 0…31 is -113…-51 dBm; 99 is unknown."""
    for line in lines:
        told = fields(line)
        rssi = number(told[0]) if told else None
        if rssi is not None and rssi <= 31:
            return -113 + 2 * rssi
    return None


_ACCESS = {0: "gsm", 1: "gsm", 2: "umts", 3: "gsm", 4: "umts", 5: "umts", 6: "umts", 7: "lte", 8: "gsm", 9: "lte"}
_NR = range(10, 14)


def operator(lines: tuple[str, ...]) -> tuple[str, str]:
    """Name and technology from `+COPS: <mode>,<format>,"<name>",<AcT>` (27.007 §7.3)."""
    for line in lines:
        told = fields(line)
        if len(told) >= 3:
            access = number(told[3]) if len(told) > 3 else None
            technology = "" if access is None else "nr" if access in _NR else _ACCESS.get(access, "")
            return told[2], technology
    return "", ""
