"""The record of what went over the simulated air: JSON lines, each written at once; and messages made of parts."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from edge_agent.simulator.air_codec import Submit

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
Record: TypeAlias = dict[str, Json]

_encode = json.JSONEncoder(separators=(",", ":")).encode


class Air:
    """Appends records to a file (if any), keeps them (if asked), and tells a listener.

    A record is on the file before the modem says a word about it: a single O_APPEND write each, so that it survives
    the end of this process and of every reader.
    """

    def __init__(self, path: Path | None = None, *, keep: bool = True) -> None:
        self.records: list[Record] = []
        self.listener: Callable[[], None] | None = None
        self._keep = keep
        self._fd = None if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._parts: dict[tuple[str, str, int, int], dict[int, str]] = {}

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def write(self, *records: Record) -> None:
        if self._fd is not None:
            os.write(self._fd, "".join([_encode(record) + "\n" for record in records]).encode())
        if self._keep:
            self.records.extend(records)
        if self.listener is not None:
            self.listener()

    def submit(self, who: Record, imsi: str, reference: int, submit: Submit) -> None:
        """One TPDU on the air; a whole message too, when this was its last missing part."""
        concat = submit.concat
        record: Record = {
            "event": "submit",
            **who,
            "imsi": imsi,
            "mr": reference,
            "to": submit.to,
            "encoding": submit.encoding,
            "text": submit.text,
            "concat": None if concat is None else [concat.reference, concat.total, concat.sequence],
            "vp": submit.validity,
            "srr": submit.wants_report,
            "pdu": submit.tpdu.hex().upper(),
        }
        parts = self._whole(str(who["imei"]), submit)
        if parts is None:
            self.write(record)
            return
        message: Record = {"event": "message", **who, "to": submit.to, "text": "".join(parts), "parts": len(parts)}
        self.write(record, message)

    def _whole(self, imei: str, submit: Submit) -> list[str] | None:
        """The parts in order once all are there, as a phone would join them (§9.2.3.24.1)."""
        concat = submit.concat
        if concat is None:
            return [submit.text]
        key = (imei, submit.to, concat.reference, concat.total)
        parts = self._parts.setdefault(key, {})
        if parts.get(concat.sequence, submit.text) != submit.text:
            parts.clear()  # another text under the same number: a new message, whose forerunner never became whole
        parts[concat.sequence] = submit.text
        if len(parts) < concat.total:
            return None
        del self._parts[key]
        return [parts[sequence] for sequence in sorted(parts)]
