"""How answers and prompts get spoiled: line ends, blank lines, garbage, and notices where they hurt."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_agent.simulator.modem import Modem

PROMPT = b"\r\n> "


def prompt(modem: Modem) -> bytes:
    faults = modem.faults
    said = b"\r\n>\r\n" if faults.strikes("prompt_without_space") else PROMPT
    intruder = faults.strikes("urc_in_prompt")
    if intruder is None:
        return said
    where = intruder["where"] or modem.rng.choice(("before", "inside", "after"))
    line = notice(modem)
    return {"before": line + said, "inside": said[:2] + line + said[2:]}.get(str(where), said + line)


def notice(modem: Modem, command: str = "") -> bytes:
    """A line that nobody asked for, with the prefix of the command in flight where it has one (27.007 §7.2)."""
    for name in ("+CREG", "+CGREG", "+CEREG"):
        if name in command:
            return f"\r\n{name}: {modem.registration}\r\n".encode()
    return f"\r\n{modem.rng.choice(modem.vendor.noise)}\r\n".encode()


def spoiled(modem: Modem, data: bytes) -> bytes:
    faults, command = modem.faults, modem.command
    if faults.strikes("urc_between", command):
        data = notice(modem, command) + data
    if faults.strikes("joined", command):
        data += notice(modem)
    if faults.strikes("extra_blank_lines", command):
        data = data.replace(b"\r\n", b"\r\n\r\n")
    if ends := faults.strikes("odd_line_ends", command):
        data = data.replace(b"\r\n", ends.text("ending").encode())
    if garbage := faults.strikes("garbage", command):
        data = b"\r\n" + modem.rng.randbytes(int(garbage.number("length"))) + b"\r\n" + data
    return data
