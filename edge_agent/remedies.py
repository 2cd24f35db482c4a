"""What to do about a modem that is not ready, by the words of its reason. Rule: the first row whose words stand in the
reason says it, so that what is particular stands above what is general.

The reasons are made in edge_agent/modem (sim, pin_ledger, answers, opened, life, serial_port, port_holder), in
span_board and in journal.
"""

import re

_TABLE = "the modem's [[span]] table"
_RIGHT_PIN = f"put the right pin into {_TABLE}, before the SIM asks for its PUK"
_RECEPTION = "check antenna and reception, and whether the SIM is active and may roam"
_POWER = "unplug the modem and plug it in again; a weak USB hub or cable does this too"

_ROWS = (
    ("the journal", "make room on the disk, and the journal's folder writable for the agent's user"),
    # The SIM and its PIN
    ("PIN refused", _RIGHT_PIN),
    ("tried once", _RIGHT_PIN),
    ("tries are left", "put the SIM into a phone and enter its PIN there, which gives the tries back, or turn it off"),
    ("without a file to remember", "set modems.pin_ledger to a file that the agent's user may write"),
    ("none is entered while", "make that file writable for the agent's user; a damaged one may go if the pin is right"),
    ("PIN entered", "take the SIM out and put it in again; if that is in vain, try it in a phone"),
    ("PUK", "put the SIM into a phone and enter its PUK; the agent does not"),
    ("PIN2", "put the SIM into a phone and turn off what asks for its PIN2 (fixed dialling)"),
    ("PH-", "the modem is locked to another SIM or network: have it unlocked, or use its own SIM"),
    ("personalisation", "the modem is locked to another SIM or network: have it unlocked, or use its own SIM"),
    ("phone-to-", "the modem is locked to another SIM or network: have it unlocked, or use its own SIM"),
    ("not 4 to 8 digits", f"correct pin in {_TABLE}"),
    ("SIM PIN", f"put pin into {_TABLE}"),
    ("SIM", "put a SIM in, and check that it sits right"),
    # The network
    ("denies registration", "ask the SIM's operator whether it is active, and may be used here and in this modem"),
    ("regist", _RECEPTION),
    ("searching", _RECEPTION),
    ("emergency calls only", _RECEPTION),
    ("no network service", _RECEPTION),
    ("sending limit", f"wait, or raise the limit in {_TABLE}"),
    # The port
    ("permission", "add the agent's user to the group that owns the port (mostly dialout) and log in again"),
    ("ModemManager", "install edge_agent/site/70-spanbridge.rules, or stop ModemManager"),
    ("in use", "stop the other program, or list other ports in modems.ports"),
    ("serial server", "check the serial server's address and power, and that nothing blocks the way to it"),
    ("socket://host:port", "correct it in modems.ports"),
    ("no port", "plug the modem in; `dmesg` shows whether the kernel knows it"),
    ("no such port", "plug the modem in; `dmesg` shows whether the kernel knows it"),
    ("nothing answers", "it may be another port of the same modem, or no modem; list the right ones in modems.ports"),
    # The modem
    ("no answer to AT", _POWER),
    ("went away", _POWER),
    ("restarted", _POWER),
    ("being set up", "give it a minute, and look again"),
)
ANY_REMEDY = "set modems.trace = true, and look at the modem's answers in the log"
_DEVICE = re.compile(r"^(/\S+|socket://[^\s:]+:\d+)(?=: | went away)")


def remedy_of(reason: str) -> str:
    """Empty without a reason. The port's name says nothing: /dev/serial/by-id/… names makes such as SIMCom."""
    words = _DEVICE.sub("", reason)
    return next((remedy for sign, remedy in _ROWS if sign in words), ANY_REMEDY) if reason else ""
