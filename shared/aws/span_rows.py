"""What each agent last told of its spans: rows SPANS# of the Config table, one an agent.

Rule: a hello replaces the row only when a person would act on the difference; a `spans` frame, which an agent sends
only because something changed, is always noted with its time, because frames overtake each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import ConfigDict, TypeAdapter

from shared.aws import keys
from shared.aws.account_rows import key
from shared.aws.clients import unavailable
from shared.aws.items import Row, int_of, number, text
from shared.aws.writing import put_if
from shared.message import Agent, Site
from shared.ports import Unavailable
from shared.wire import SpanInfo

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TRIES = 5
_SIGNAL_STEP_DB = 10  # one or two bars: less is not worth a write
_TOLD: TypeAdapter[dict[str, tuple[float, SpanInfo]]] = TypeAdapter(
    dict[str, tuple[float, SpanInfo]], config=ConfigDict(defer_build=True)
)

Told = dict[str, tuple[float, SpanInfo]]
News = Sequence[tuple[SpanInfo | None, SpanInfo]]


class SpanRows:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client, self._table = client, table

    def save(self, account: str, agent_id: str, spans: Sequence[SpanInfo], *, at: float, whole: bool) -> News:
        for _ in range(_TRIES):
            row = self._row(account, agent_id)
            before = told_of(row)
            after = merged(before, spans, at=at, whole=whole)
            news = _news(before, after)
            if after == before or (whole and not news and set(before) == set(after)):
                return ()
            if self._put(account, agent_id, after, int_of(row, "version")):
                return news
        raise Unavailable("too many writers on one agent's spans")

    def _row(self, account: str, agent_id: str) -> Row:
        with unavailable():
            answer = self._client.get_item(
                TableName=self._table, Key=key(account, keys.spans(agent_id)), ConsistentRead=True
            )
        return answer.get("Item", {})

    def _put(self, account: str, agent_id: str, told: Told, version: int) -> bool:
        return put_if(
            self._client,
            {
                "TableName": self._table,
                "Item": {
                    **key(account, keys.spans(agent_id)),
                    "told": text(_TOLD.dump_json(told, exclude_defaults=True).decode()),
                    "version": number(version + 1),
                },
                "ConditionExpression": "attribute_not_exists(version) OR version = :version",
                "ExpressionAttributeValues": {":version": number(version)},
            },
        )


def spans_of(row: Row) -> tuple[SpanInfo, ...]:
    return tuple(info for _, info in told_of(row).values())


def site_of(agent: Agent, row: Row) -> Site:
    told = told_of(row)
    return Site(agent, tuple(info for _, info in told.values()), {span: at for span, (at, _) in told.items()})


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
