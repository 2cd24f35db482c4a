"""One event on its way to the customer, and its JSON form in the queue.

Rule: an event's id follows from what it says, so that it is the same over every repeat, retry and replay.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from shared.lifecycle import Status

PushType = Literal["SMS-Status-Result", "SMS-Status-Report", "SMS-Received"]

_SUFFIX: dict[PushType, str] = {
    "SMS-Status-Result": "result",
    "SMS-Status-Report": "report",
    "SMS-Received": "received",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PushEvent:
    """What is to be told. `at` is epoch seconds."""

    type: PushType
    account: str
    message_id: str  # the id in /smsoutbox/get, or in /smsinbox/get for a received message
    phone: str
    port: int
    port_name: str
    imsi: str
    text: str
    at: float
    status: str  # "SENT", "DELIVERD", "FAILED"; empty for received messages
    cause: str = ""  # "kind: words", as in the outbox

    @property
    def id(self) -> str:
        """The webhook-id. One message can say "result FAILED: expired", later "result FAILED: uncertain" and in the end
        "result SENT": three events, told once each.
        """
        several = self.type == "SMS-Status-Result" and self.status == Status.FAILED
        kind = self.cause.partition(":")[0] if several else ""
        return "-".join(filter(None, (self.message_id, _SUFFIX[self.type], self.status.lower(), kind)))


def result_ids(message_id: str) -> tuple[str, ...]:
    """Of the results that a report can follow: a part was sent, and the whole was or may have been."""
    return f"{message_id}-result-sent", f"{message_id}-result-failed-uncertain"


@cache
def _event() -> TypeAdapter[PushEvent]:
    """Made when first used: most functions only write events."""
    return TypeAdapter(PushEvent)


class BadPushEvent(ValueError):
    """A text that is no event. Names the field, never its content."""


def to_json(event: PushEvent) -> str:
    """ASCII only: SQS refuses some characters that a message may hold (SendMessage: #xFFFE, #xFFFF, controls)."""
    return json.dumps(asdict(event), separators=(",", ":"))


def from_json(text: str) -> PushEvent:
    """Raises BadPushEvent."""
    try:
        return _event().validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise BadPushEvent(f"{'.'.join(str(step) for step in first['loc']) or 'event'}: {first['msg']}") from None
