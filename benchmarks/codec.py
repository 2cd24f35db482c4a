"""Microseconds a TPDU, ours beside other people's codecs: `python -m benchmarks.codec` prints one JSON line.

Every codec does each task on the same input; those that lack a task are left out of it. The rounds take turns, so that
a busy moment of the machine strikes all alike, and the best round counts, as that is the one least disturbed.
"""

import json
import platform
import sys
from collections.abc import Callable
from datetime import timedelta
from time import perf_counter

from gsmmodem import pdu as gsmmodem
from pdubuild import build as pdubuild
from smspdudecoder.easy import read_incoming_sms

from edge_agent.modem import pdu

ROUNDS, CALLS = 15, 400

NUMBER, VALIDITY_S = "+491701234567", 4 * 3600
CODE = "Your code is 123456."
NOTICE = "The pump in hall 3 has been without pressure since 04:12. Valve B is closed, the operator was told. " * 2
UNICODE = "Ваш код: 123456, никому его не сообщайте."

DELIVER = pdu.encode_message(NUMBER, NOTICE[:160], ref=0, validity_s=None, status_report=False)[0].hex
DELIVER = "07919471017600F0" + "04" + "0B919471214365F7" + "0000" + "62102121000080" + DELIVER[-(2 * 140 + 2) :]
REPORT = "07919471017600F0" + "0607" + "0B919471214365F7" + "62102121000080" + "62102121700080" + "00"

Task = dict[str, Callable[[], object]]


def _ours(text: str) -> object:
    return pdu.encode_message(NUMBER, text, ref=7, validity_s=VALIDITY_S, status_report=True)


def _gsmmodem(text: str) -> object:
    return gsmmodem.encodeSmsSubmitPdu(NUMBER, text, reference=7, validity=timedelta(seconds=VALIDITY_S))


def _pdubuild(text: str, encoding: str) -> object:
    return list(pdubuild("+491710760000", NUMBER, text, encoding))


def _encoding(text: str, encoding: str) -> Task:
    return {
        "spanbridge": lambda: _ours(text),
        "python-gsmmodem-new": lambda: _gsmmodem(text),
        "pdubuild": lambda: _pdubuild(text, encoding),
    }


TASKS: dict[str, Task] = {
    "encode_20_septets": _encoding(CODE, "gsm7"),
    "encode_160_septets": _encoding(NOTICE[:160], "gsm7"),
    "encode_unicode": _encoding(UNICODE, "ucs2"),
    "encode_two_parts": _encoding(NOTICE, "gsm7"),
    "decode_deliver_160_septets": {
        "spanbridge": lambda: pdu.decode(DELIVER),
        "python-gsmmodem-new": lambda: gsmmodem.decodeSmsPdu(DELIVER),
        "smspdudecoder": lambda: read_incoming_sms(DELIVER),
    },
    "decode_status_report": {
        "spanbridge": lambda: pdu.decode(REPORT),
        "python-gsmmodem-new": lambda: gsmmodem.decodeSmsPdu(REPORT),
    },
}


def _microseconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    for _ in range(CALLS):
        call()
    return (perf_counter() - start) / CALLS * 1e6


def _best(task: Task) -> dict[str, float]:
    rounds = [{codec: _microseconds(call) for codec, call in task.items()} for _ in range(ROUNDS)]
    return {codec: round(min(turn[codec] for turn in rounds), 2) for codec in task}


def main() -> None:
    best = {name: _best(task) for name, task in TASKS.items()}
    fastest = all(min(codecs, key=codecs.__getitem__) == "spanbridge" for codecs in best.values())
    line = {"benchmark": "codec", "unit": "µs", "python": platform.python_version(), "fastest": fastest, **best}
    json.dump(line, sys.stdout, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
