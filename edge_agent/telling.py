"""The events that tell the cloud what became of a job, built from what is held. Pure.

Rule: an event's id is derived, so that the same fact told twice, or again after a crash, is the same event:
`<job>.result` once, `<job>.settled` when an uncertain one is cleared up, `<job>.report`, `rx.<digest>`.

Two of them are written for each message, so their JSON is put together here: by way of their models in shared/wire.py
it costs a message 4 % of its CPU time. tests/edge_agent/test_telling.py holds the two together.
"""

from collections.abc import Sequence
from json.encoder import encode_basestring as _quoted
from typing import Literal

from edge_agent.held import EventRow, HeldJob, HeldPart, PartState
from shared.wire import Cause, ReceivedEvent

Outcome = Literal["sent", "refused", "unavailable", "uncertain", "expired", "cancelled"]


def result(job: HeldJob, outcome: Outcome, at: float, cause: Cause | None = None, *, span: str = "") -> EventRow:
    """How the attempt ended, a `ResultEvent`. `span` is only needed where no part was handed over."""
    return _result(job, f"{job.id}.result", outcome, at, cause, span)


def settled(job: HeldJob, at: float) -> EventRow:
    """An uncertain job is known to be with the network after all; a `ResultEvent`, too."""
    return _result(job, f"{job.id}.settled", "sent", at, None, "")


def report(job: HeldJob, outcome: Literal["delivered", "undelivered"], at: float, cause: Cause | None) -> EventRow:
    """The network's last word on the whole message, a `ReportEvent`."""
    first, event_id = job.parts[0], f"{job.id}.report"
    body = (
        f'{{"kind":"report","event_id":{_quoted(event_id)},"job_id":{_quoted(job.id)},"outcome":"{outcome}","at":{at!r}'
        f',"sent_at":{max(part.at for part in job.parts)!r},"span":{_quoted(first.span)},"imsi":{_quoted(first.imsi)}'
        f',"cause":{_json(cause)}}}'
    )
    return EventRow(event_id, body)


def _result(job: HeldJob, event_id: str, outcome: Outcome, at: float, cause: Cause | None, span: str) -> EventRow:
    first = job.parts[0] if job.parts else None
    body = (
        f'{{"kind":"result","event_id":{_quoted(event_id)},"job_id":{_quoted(job.id)},"outcome":"{outcome}","at":{at!r}'
        f',"span":{_quoted(first.span if first else span)},"imsi":{_quoted(first.imsi if first else "")}'
        f',"parts":{job.total},"parts_sent":{job.taken},"cause":{_json(cause)}}}'
    )
    return EventRow(event_id, body)


def _json(cause: Cause | None) -> str:
    return "null" if cause is None else cause.model_dump_json()


def received(
    digest: str, span: str, imsi: str, sender: str, text: str, at: float, parts: int, missing: Sequence[int]
) -> EventRow:
    event = ReceivedEvent(
        event_id=f"rx.{digest}",
        span=span,
        imsi=imsi,
        sender=sender,
        text=text,
        at=at,
        parts=parts,
        missing=tuple(missing),
    )
    return EventRow(event.event_id, event.model_dump_json())


def uncertain(job: HeldJob, part: HeldPart, why: str) -> Cause:
    """What is known of a message with an unanswered part, in words."""
    if part.total == 1:
        return Cause(kind="uncertain", text=f"handed to the modem, and no answer came ({why}); it is not sent again")
    rest = part.total - part.number - 1
    after = f", {rest} after it not sent" if rest else ""
    which = f"part {part.number + 1} of {part.total}"
    text = f"{which} was handed to the modem, and no answer came ({why}); {part.number} before it sent{after}"
    return Cause(kind="uncertain", text=text)


def partly(job: HeldJob) -> str:
    """What to add to a cause when some parts are out already."""
    taken = job.taken
    return f"; {taken} of its {job.total} parts went out" if taken else ""


def unanswered(job: HeldJob) -> HeldPart | None:
    """The part whose outcome nobody knows, if there is one."""
    return next((part for part in job.parts if part.state in {PartState.MARKED, PartState.UNKNOWN}), None)
