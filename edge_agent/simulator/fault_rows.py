"""Every fault by name: what it does, its parameters, and whether it is a condition that lasts. Times are in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class Fault:
    """`lasting` faults are conditions: armed without a count they stay until cleared, others strike once.

    A time of None is "for ever"; any other None leaves the choice to chance.
    """

    says: str
    defaults: Mapping[str, Value] = field(default_factory=dict)
    lasting: bool = False


_PROMPT = {
    "no_prompt": Fault("AT+CMGS opens no prompt; the modem waits for a PDU, or ESC, all the same"),
    "slow_prompt": Fault("the prompt comes late", {"seconds": 3.0}),
    "prompt_without_space": Fault("the prompt is \\r\\n>\\r\\n"),
    "urc_in_prompt": Fault("a notice before, inside or after the prompt", {"where": None}),
}
_SILENCE = {
    "hang": Fault("hears nothing for a time, in place of an answer", {"seconds": 5.0}),
    "hang_after_pdu": Fault("the message is on the air; its answer never comes", {"seconds": 5.0}),
    "cmgl_hangs": Fault("AT+CMGL hangs the modem", {"seconds": 5.0}),
    "late_answer": Fault(
        "the answer comes late; what is typed before it is kept and answered after it", {"seconds": 3.0}
    ),
    "first_command_lost": Fault("a command after this much idle time is not heard", {"idle": 0.0}),
    "falls_asleep": Fault("each first command after this much idle time is not heard", {"idle": 5.0}, lasting=True),
    "cpin_without_ok": Fault("AT+CPIN? answers without the final OK"),
}
_REFUSALS = {
    "refuse": Fault("+CMS ERROR; nothing is on the air", {"code": 21}),
    "refuse_network": Fault(
        "+CMS ERROR of the network, after which it may be on the air", {"code": 38, "on_air": None}
    ),
    "busy": Fault("+CME ERROR: busy", {"code": 515}),
    "sms_not_ready": Fault("SMS commands get +CMS ERROR: 314 (SIM busy)"),
    "command_not_support": Fault("the final result is COMMAND NOT SUPPORT"),
}
_LINE = {
    "urc_storm": Fault("many notices, at once or over a time, around the answer", {"lines": 200, "seconds": 0.0}),
    "urc_between": Fault("a notice between a command and its answer, of the same prefix where there is one"),
    "joined": Fault("a notice in one piece with the answer"),
    "split_reads": Fault("what the modem says comes byte by byte", {"gap": 0.001}),
    "garbage": Fault("random bytes before the answer", {"length": 40}),
    "echo_stays": Fault("ATE0 is accepted and the echo stays", lasting=True),
    "extra_blank_lines": Fault("every line end of the answer is doubled"),
    "odd_line_ends": Fault("lines of the answer end differently", {"ending": "\r\r\n"}),
}
_REPORTS = {
    "missing_reference": Fault("+CMGS without its reference, or -1, or 0", {"reference": None}),
    "report_before_answer": Fault("the report overtakes the +CMGS answer"),
    "report_lost": Fault("no report"),
    "report_duplicate": Fault("the report comes twice", {"seconds": 0.05}),
    "report_temporary_then_final": Fault("still trying first, then the final status", {"status": 0x20, "seconds": 0.2}),
    "report_failed": Fault("the final status is a failure", {"status": 0x46}),
    "report_late": Fault("the report comes late", {"seconds": 5.0}),
    "report_of_stranger": Fault("a report for a reference that isn't outstanding comes first"),
    "report_other_address": Fault("the report names the recipient without its international type"),
    "cds_needs_cnma": Fault("direct routing only after AT+CSMS=1", lasting=True),
    "ds_refused": Fault("AT+CNMI refuses these values of <ds>", {"values": "1"}, lasting=True),
    "ds_ignored": Fault("AT+CNMI takes <ds> 1 and no report comes", lasting=True),
    "cdsi_store_lies": Fault("reports are kept in SR and announced as SM", lasting=True),
}
_INBOUND = {
    "sim_full": Fault("the store has no room", lasting=True),
    "stored_elsewhere": Fault("a message is kept in another store than +CPMS chose, and announced so"),
    "malformed_inbound": Fault("a DELIVER that breaks the standard", {"how": None}),
}
_LIFE = {
    "reboot_mid_command": Fault("resets in place of an answer"),
    "reboot_after_pdu": Fault("the message is on the air, then the modem resets"),
    "sim_pin": Fault("the SIM asks for its PIN", {"pin": "1234"}, lasting=True),
    "sim_missing": Fault("no SIM", lasting=True),
    "not_registered": Fault("searches for a network", lasting=True),
    "registration_denied": Fault("the network refuses it", lasting=True),
    "unplug": Fault("the port goes away and the power with it", {"seconds": 1.0, "link": ""}),
    "unplug_after_pdu": Fault("the message is on the air, then the port goes away", {"seconds": 1.0, "link": ""}),
    "replug": Fault("the port goes away and comes back under another name", {"seconds": 0.5, "link": None}),
    "usb_eio": Fault("the port breaks and is there again; the modem never lost power", {"seconds": 0.0, "link": ""}),
}

CATALOGUE: dict[str, Fault] = _PROMPT | _SILENCE | _REFUSALS | _LINE | _REPORTS | _INBOUND | _LIFE
