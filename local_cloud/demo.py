"""`python -m local_cloud demo`: four messages, and the journey of each as a person would like to see it.

Nothing is taken on trust: every line comes from where it happened, the API's answer, the frames between agent and
cloud, the simulated air, the customer's receiver.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from local_cloud.intrinsics import JsonObject
from local_cloud.stack import LocalStack
from local_cloud.topology import as_list, as_object

_PATIENCE_S = 20.0
_LONG = "Sent in one piece, read in one piece: "


@dataclass(frozen=True)
class Sample:
    kind: str
    number: str  # in the range that is kept for fiction, and another for each
    text: str


SAMPLES = (
    Sample("GSM-7", "+12025550101", "Hello from Spanbridge: {5 €} & [more]"),
    Sample("Cyrillic", "+12025550102", "Привет от Spanbridge"),
    Sample("emoji", "+12025550103", "It works 🎉👍🏽"),
    Sample("400 characters", "+12025550104", (_LONG * 11)[:400]),
)


class Failed(Exception):
    """A step that did not happen."""


class Journey:
    """Follows one message from the call to the last push."""

    def __init__(self, stack: LocalStack, sample: Sample) -> None:
        self._stack, self._sample = stack, sample
        self._began = time.time()
        self._id = ""
        self._parts = 0

    def follow(self) -> None:
        """Prints each step once it has happened. Raises Failed at the first that does not."""
        self._step("accepted", self._accept)
        self._step("with the agent", self._journaled)
        self._step("on the air", self._taken)
        self._step("push", lambda: self._pushed("SMS-Status-Result", "SENT"))
        self._step("report", self._reported)
        self._step("push", lambda: self._pushed("SMS-Status-Report", "DELIVERD"))
        self._step("outbox", self._listed)

    def _step(self, name: str, happened: Callable[[], tuple[float, str] | None]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while (found := happened()) is None:
            if time.monotonic() > deadline:
                raise Failed(f"{name}: nothing within {_PATIENCE_S:.0f} s")
            time.sleep(0.02)
        at, what = found
        print(f"   {at - self._began:5.2f} s  {name:<15} {what}", flush=True)

    def _accept(self) -> tuple[float, str]:
        status, answer = self._stack.call("/sms/send", dest_num=self._sample.number, msg=self._sample.text)
        (row, *_) = [as_object(each) for each in as_list(answer.get("data"))] or [{}]
        if status != 200 or row.get("status") != "SENDING":
            raise Failed(f"accepted: HTTP {status}, {answer.get('msg')}")
        self._id, self._parts = str(row["id"]), int(str(row["parts"]))
        parts = "1 part" if self._parts == 1 else f"{self._parts} parts"
        return time.time(), f"id {self._id}, {parts}, port {row['port']} ({row['port_name']})"

    def _journaled(self) -> tuple[float, str] | None:
        for at, frame in self._told("accepted"):
            if self._id in as_list(frame.get("job_ids")):
                return at, "it has it in its journal and says so"
        return None

    def _taken(self) -> tuple[float, str] | None:
        mine = [each for each in self._stack.air() if each.get("to") == self._sample.number]
        whole = [each for each in mine if each.get("event") == "message"]
        result = self._event("result")
        if not whole or result is None:
            return None
        if whole[0]["text"] != self._sample.text:
            raise Failed("on the air: another text than was sent")
        parts = [each for each in mine if each.get("event") == "submit"]
        references = ", ".join(str(each["mr"]) for each in parts)
        what = (
            f"modem {parts[0].get('modem', parts[0]['imei'])} took it, reference {references}, {parts[0]['encoding']}"
        )
        return result[0], what

    def _reported(self) -> tuple[float, str] | None:
        found = self._event("report")
        return found and (found[0], f"the network says {found[1]['outcome']}")

    def _event(self, kind: str) -> tuple[float, JsonObject] | None:
        for at, frame in self._told("events"):
            for event in map(as_object, as_list(frame.get("events"))):
                if event.get("kind") == kind and event.get("job_id") == self._id:
                    return at, event
        return None

    def _told(self, kind: str) -> Iterator[tuple[float, JsonObject]]:
        """Frames of one kind that the agent sent."""
        for line in self._stack.frames():
            frame = as_object(line["frame"])
            if line["way"] == "in" and frame.get("kind") == kind:
                yield float(str(line["at"])), frame

    def _pushed(self, kind: str, status: str) -> tuple[float, str] | None:
        for push in self._stack.pushes():
            fields = as_object(push["parameters"])
            if fields.get("id") == self._id and fields.get("type") == kind:
                if fields.get("status") != status or fields.get("message") != self._sample.text:
                    raise Failed(f"push: {kind} with status {fields.get('status')}")
                return float(str(push["at"])), f"{kind} {status} came in at the customer's URL"
        return None

    def _listed(self) -> tuple[float, str] | None:
        _, answer = self._stack.call("/smsoutbox/get", phone_number_filter=self._sample.number)
        for row in map(as_object, as_list(answer.get("data"))):
            if row.get("id") == self._id and row.get("status") == "DELIVERD":
                return time.time(), f"DELIVERD, sent {row['time']}"
        return None


def show(stack: LocalStack) -> int:
    """The exit status: 0 if every step of every message happened."""
    print(f"Spanbridge on {stack.url}, with {len(stack.spans())} simulated modems at one site\n")
    failures = 0
    for number, sample in enumerate(SAMPLES, 1):
        text = sample.text if len(sample.text) < 60 else f"{sample.text[:57]}…"
        print(f"{number}. {sample.kind}: “{text}” to {sample.number}", flush=True)
        try:
            Journey(stack, sample).follow()
        except Failed as failure:
            failures += 1
            print(f"   FAILED  {failure} (logs: {stack.layout.logs})", flush=True)
        print()
    print(f"{len(SAMPLES) - failures} of {len(SAMPLES)} messages arrived")
    return 1 if failures else 0
