"""What each agent last told of its spans: rows SPANS# of the Config table, one an agent.

Rule: a hello replaces the row only when a person would act on the difference; a `spans` frame, which an agent sends
only because something changed, is always noted with its time, because frames overtake each other. What is down, and
what the operator was told of that, is in the same row and the same write.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ConfigDict, TypeAdapter

from shared import outages
from shared.aws import keys, watch_index
from shared.aws.account_rows import key
from shared.aws.clients import unavailable
from shared.aws.items import Row, int_of, number, optional_of, text, text_of
from shared.aws.writing import update_if
from shared.message import Agent, AgentKey, Site
from shared.outages import Outage, Outages, Spans
from shared.ports import Clock, Unavailable
from shared.wire import SpanInfo

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value

_TRIES = 5
_SIGNAL_STEP_DB = 10  # one or two bars: less is not worth a write
_TOLD: TypeAdapter[dict[str, tuple[float, SpanInfo]]] = TypeAdapter(
    dict[str, tuple[float, SpanInfo]], config=ConfigDict(defer_build=True)
)

Told = dict[str, tuple[float, SpanInfo]]
News = Sequence[tuple[SpanInfo | None, SpanInfo]]


class SpanRows:
    def __init__(self, client: DynamoDBClient, table: str, clock: Clock) -> None:
        self._client, self._table, self._clock = client, table, clock

    def save(self, account: str, agent_id: str, spans: Sequence[SpanInfo], *, at: float, whole: bool) -> News:
        for _ in range(_TRIES):
            row = self._row(account, agent_id)
            before, known = told_of(row), _outages_of(row)
            after = merged(before, spans, at=at, whole=whole)
            news = _news(before, after)
            watched = _Watched.of(outages.noted(known, _infos(before), _infos(after), self._clock.now()), after)
            quiet = after == before or (whole and not news and set(before) == set(after))
            if quiet and watched.outages == known and watched.due == optional_of(row, "expected_by"):
                return ()
            if self._write(account, agent_id, _stored(after), watched, int_of(row, "version")):
                return news
        raise Unavailable("too many writers on one agent's spans")

    def due(self, before: float) -> Sequence[AgentKey]:
        rows = watch_index.due(self._client, self._table, keys.spans_shards(), before)
        return [(row["account"]["S"], keys.spans_of(row["sk"]["S"])) for row in rows]

    def news(self, account: str, agent_id: str, *, at: float) -> Sequence[SpanInfo]:
        row = self._row(account, agent_id)
        return outages.to_tell(_outages_of(row), _infos(told_of(row)), at)

    def note_told(self, account: str, agent_id: str, news: Sequence[SpanInfo], *, at: float, done: bool) -> None:
        for _ in range(_TRIES):
            row = self._row(account, agent_id)
            spans, before = told_of(row), _outages_of(row)
            watched = _Watched.of(outages.told(before, _infos(spans), news, at, done=done), spans)
            if watched.outages == before or self._write(account, agent_id, {}, watched, int_of(row, "version")):
                return
        raise Unavailable("too many writers on one agent's spans")

    def put_off(self, account: str, agent_id: str, *, until: float) -> None:
        """No new version: whoever saves spans meanwhile knows better when something is due."""
        update_if(
            self._client,
            {
                "TableName": self._table,
                "Key": key(account, keys.spans(agent_id)),
                "UpdateExpression": "SET expected_by = :until",
                "ConditionExpression": "attribute_exists(expected_by)",
                "ExpressionAttributeValues": {":until": number(until)},
            },
        )

    def _row(self, account: str, agent_id: str) -> Row:
        with unavailable():
            answer = self._client.get_item(
                TableName=self._table, Key=key(account, keys.spans(agent_id)), ConsistentRead=True
            )
        return answer.get("Item", {})

    def _write(self, account: str, agent_id: str, told: Mapping[str, Value], watched: _Watched, version: int) -> bool:
        """False when the row is not of that version any more; 0 is that of one which is not there."""
        values = {**told, "version": number(version + 1), **watched.values(account, agent_id)}
        removes = [name for name in _WATCHED if name not in values]
        was = {":was": number(version)} if version else {}
        row = update_if(
            self._client,
            {
                "TableName": self._table,
                "Key": key(account, keys.spans(agent_id)),
                "UpdateExpression": _expression(values, removes),
                "ConditionExpression": "#version = :was" if was else "attribute_not_exists(#version)",
                "ExpressionAttributeNames": {f"#{name}": name for name in (*values, *removes)},
                "ExpressionAttributeValues": {**{f":{name}": value for name, value in values.items()}, **was},
            },
        )
        return row is not None


def _expression(sets: Iterable[str], removes: Sequence[str]) -> str:
    """All names through placeholders."""
    removed = ", ".join(f"#{name}" for name in removes)
    return "SET " + ", ".join(f"#{name} = :{name}" for name in sets) + (f" REMOVE {removed}" if removed else "")


_WATCHED = ("outages", "watch", "expected_by")


@dataclass(frozen=True, slots=True)
class _Watched:
    """Outages, and when something is to be told of them: only then the row is in the watch index."""

    outages: Outages
    due: float | None

    @classmethod
    def of(cls, known: Outages, told: Told) -> _Watched:
        return cls(known, outages.due_at(known, _infos(told)))

    def values(self, account: str, agent_id: str) -> dict[str, Value]:
        """As attributes of the row, those that it has of `_WATCHED`."""
        values: dict[str, Value] = {}
        if self.outages:
            since = {span: [outage.since, outage.told] for span, outage in self.outages.items()}
            values["outages"] = text(json.dumps(since))
        if self.due is not None:
            values["watch"] = text(keys.spans_shard(account, agent_id))
            values["expected_by"] = number(self.due)
        return values


def _outages_of(row: Row) -> Outages:
    stored: dict[str, tuple[float, int]] = json.loads(text_of(row, "outages") or "{}")
    return {span: Outage(since, outages.Told(told)) for span, (since, told) in stored.items()}


def _infos(told: Told) -> Spans:
    return {span: info for span, (_, info) in told.items()}


def spans_of(row: Row) -> tuple[SpanInfo, ...]:
    return tuple(info for _, info in told_of(row).values())


def site_of(agent: Agent, row: Row) -> Site:
    told = told_of(row)
    return Site(agent, tuple(info for _, info in told.values()), {span: at for span, (at, _) in told.items()})


def _stored(told: Told) -> Mapping[str, Value]:
    return {"told": text(_TOLD.dump_json(told, exclude_defaults=True).decode())}


def told_of(row: Row) -> Told:
    return _TOLD.validate_json(row["told"]["S"]) if "told" in row else {}


def merged(before: Told, spans: Sequence[SpanInfo], *, at: float, whole: bool) -> Told:
    """`whole` replaces all; otherwise each span is replaced unless a later time told of it already."""
    newer = {info.span: (at, info) for info in spans if whole or before.get(info.span, (at,))[0] <= at}
    return newer if whole else {**before, **newer}


def _news(before: Told, after: Told) -> News:
    olds = {span: info for span, (_, info) in before.items()}
    pairs = [(olds.get(span), info) for span, (_, info) in after.items()]
    return tuple((old, new) for old, new in pairs if old is None or _matter(old) != _matter(new))


def _matter(info: SpanInfo) -> SpanInfo:
    """What a person would act on: without what wanders by itself, the signal in steps."""
    step = None if info.signal_dbm is None else info.signal_dbm // _SIGNAL_STEP_DB
    return info.model_copy(update={"signal_dbm": step, "queue": 0, "next_at": None})
