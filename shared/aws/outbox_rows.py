"""A message as a row of the Outbox, a change as an update of it.

Rule: `waiting` is there exactly while the row stands in its agent's queue, `ended` exactly once its attempt has ended;
they are the sort keys of the sparse indexes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.aws import keys
from shared.aws.items import Row, flag, flag_of, float_of, int_of, number, optional_of, text, text_of, thin
from shared.lifecycle import State, has_ended, may
from shared.message import Change, Message
from shared.wire import Cause

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value


def way(message: Message) -> dict[str, Value]:
    """By which agent and spans it goes."""
    return {
        "agent": text(message.agent),
        "pool": text(",".join(map(str, message.pool))),
        "spans": text("\n".join(message.spans)),
        "port": number(message.port),
        "port_name": text(message.port_name),
    }


def row(message: Message, *, ttl: float) -> dict[str, Value]:
    """A message that was just accepted."""
    return thin(
        {
            "account": text(message.account),
            "id": text(message.id),
            "to": text(message.to),
            "text": text(message.text),
            "parts": number(message.parts),
            **way(message),
            "accepted_at": number(message.accepted_at),
            "deadline": number(message.deadline),
            "report": flag(message.report),
            "state": text(message.state),
            "request": text(message.request),
            "answer": text(message.answer),
            "phone_key": text(keys.phone(message.account, message.to)),
            "ttl": number(int(ttl)),
            **_ended(message),
            "wanted": text(",".join(map(str, message.wanted))),
            **({} if message.posted else {"unposted": flag(True)}),
        }
    )


def _ended(message: Message) -> dict[str, Value]:
    """A message may be stored as failed from the start: then it is never in a queue."""
    if not has_ended(message.state):
        return {"waiting": text(keys.waiting(message))}
    at = message.accepted_at if message.ended_at is None else message.ended_at
    cause = {"cause": text(message.cause.model_dump_json())} if message.cause else {}
    return {"ended": text(keys.moment(at, message.id)), "ended_at": number(at), **cause}


def message_of(row: Row) -> Message:
    return Message(
        account=row["account"]["S"],
        id=row["id"]["S"],
        to=row["to"]["S"],
        text=text_of(row, "text"),
        parts=int_of(row, "parts"),
        agent=text_of(row, "agent"),
        pool=_numbers(row, "pool"),
        spans=tuple(span for span in text_of(row, "spans").split("\n") if span),
        port=int_of(row, "port"),
        port_name=text_of(row, "port_name"),
        accepted_at=float_of(row, "accepted_at"),
        deadline=float_of(row, "deadline"),
        report=flag_of(row, "report"),
        state=State(row["state"]["S"]),
        posted="unposted" not in row,
        wanted=_numbers(row, "wanted"),
        ended_at=optional_of(row, "ended_at"),
        delivered_at=optional_of(row, "delivered_at"),
        parts_sent=int_of(row, "parts_sent"),
        told="parts_sent" in row,
        imsi=text_of(row, "imsi"),
        cause=Cause.model_validate_json(row["cause"]["S"]) if "cause" in row else None,
        request=text_of(row, "request"),
        answer=text_of(row, "answer"),
    )


def _numbers(row: Row, name: str) -> tuple[int, ...]:
    return tuple(int(port) for port in text_of(row, name).split(",") if port)


@dataclass
class Update:
    """A change on its way into an UpdateExpression. All names go through placeholders: several are reserved words."""

    sets: dict[str, Value] = field(default_factory=dict)
    removes: list[str] = field(default_factory=list)

    def expression(self) -> str:
        sets = ", ".join(f"#{name} = :{name}" for name in self.sets)
        removes = ", ".join(f"#{name}" for name in self.removes)
        return " ".join(filter(None, (sets and f"SET {sets}", removes and f"REMOVE {removes}")))

    def names(self, *more: str) -> dict[str, str]:
        return {f"#{name}": name for name in (*self.sets, *self.removes, *more)}

    def values(self) -> dict[str, Value]:
        return {f":{name}": value for name, value in self.sets.items()}


def move(moved: Message) -> Update:
    """Into the queue of another agent."""
    return Update({**way(moved), "waiting": text(keys.waiting(moved))})


def condition(old: State, change: Change) -> str:
    """Under which a change of a row in state `old` holds. What is no transition is a site's word on what the cloud had
    ended (`message.applies`), and that counts once.
    """
    once = "" if may(old, change.state) else " AND attribute_not_exists(#parts_sent)"
    return f"#state = :expected{once}"


def update(old: State, message_id: str, change: Change, *, settle: bool) -> Update:
    """What `message.after` does, for a row known to be in state `old`."""
    result = Update(dict(_facts(change)), [] if change.cause else ["cause"])
    if has_ended(change.state) and old is not State.SENT:
        result.sets["ended_at"] = number(change.at)
        result.sets["ended"] = text(keys.moment(change.at, message_id))
    if has_ended(change.state) and settle:
        result.removes.append("waiting")
    return result


def _facts(change: Change) -> Iterator[tuple[str, Value]]:
    yield "state", text(change.state)
    if change.cause:
        yield "cause", text(change.cause.model_dump_json())
    if change.port is not None:
        yield "port", number(change.port)
    if change.port_name:
        yield "port_name", text(change.port_name)
    if change.imsi:
        yield "imsi", text(change.imsi)
    if change.parts_sent is not None:
        yield "parts_sent", number(change.parts_sent)
    if change.delivered_at is not None:
        yield "delivered_at", number(change.delivered_at)
