"""What callers were told, what was on the air, what the receiver got and what the outbox says, compared. Pure.

lost: accepted, and no outcome or no push of it. doubled: a part twice on the air, or two messages for one request.
untruthful: a word that the air or a later word contradicts, or an `uncertain` for which neither a kill of the agent nor
a fault of the modem can be found that left no other message so (torture_windows).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from local_cloud.intrinsics import JsonObject
from local_cloud.topology import as_object
from local_cloud.torture_air import Aired, on_air, strikes
from local_cloud.torture_callers import Sent
from local_cloud.torture_harm import Blow
from local_cloud.torture_windows import Suspect, Windows

_RESULT, _REPORT = "SMS-Status-Result", "SMS-Status-Report"
_UNDELIVERED, _UNCERTAIN = "undelivered", "uncertain"
_NOT_TAKEN = frozenset({"refused", "unavailable", "expired", "cancelled"})
_PARTLY = re.compile(r"(\d+) of its (\d+) parts went out")
_IN_DOUBT = re.compile(r"part (\d+) of (\d+) was handed to the modem")

# What may be told after a word, besides itself: the cloud ends what it has not heard of, until its site tells the
# truth, and a report settles what was uncertain. All else is final.
_TRUER: dict[str, frozenset[str]] = {
    "SENT": frozenset({"DELIVERD", _UNDELIVERED}),
    _UNCERTAIN: frozenset({"SENT", "DELIVERD", _UNDELIVERED}),
    "expired": frozenset({"SENT", "DELIVERD", _UNDELIVERED, _UNCERTAIN, "refused", "unavailable", "cancelled"}),
    "cancelled": frozenset({"SENT", "DELIVERD", _UNDELIVERED, _UNCERTAIN, "refused", "unavailable", "expired"}),
}

Told = Mapping[tuple[str, str], Mapping[str, str]]
"""Of one message: (type of the push, word) → its webhook-ids, each with the cause that went with it."""


@dataclass(slots=True)
class Verdict:
    accepted: int = 0
    refused: int = 0
    received: int = 0  # in the inbox
    uncertain: int = 0  # ended so
    settled: int = 0  # were told of as uncertain, until a report came
    by: dict[str, int] = field(default_factory=dict)  # what left those uncertain, each by one of its own
    windows: int = 0  # kills and faults that fell between a PDU and its answer, counted at each modem
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    untruthful: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.untruthful)


def word(status: str, cause: str) -> str:
    """A status, or where it is FAILED the kind of its cause."""
    return cause.partition(":")[0] if status == "FAILED" else status


def word_of(row: JsonObject) -> str:
    return word(str(row["status"]), str(row.get("error") or ""))


def pushed(pushes: Iterable[JsonObject]) -> dict[str, dict[tuple[str, str], dict[str, str]]]:
    """Of each message id, what was told by pushes that were answered 200."""
    found: dict[str, dict[tuple[str, str], dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for push in pushes:
        if push["answered"] == 200:
            fields = as_object(push["parameters"])
            kind, cause = str(fields["type"]), str(fields.get("cause") or "")
            said = found[str(fields["id"])][kind, word(str(fields["status"]), cause)]
            said[str(as_object(push["headers"])["webhook-id"])] = cause
    return found


def missing(row: JsonObject, told: Told) -> list[str]:
    """What should have been pushed of a message that stands as this row says, and was not."""
    last = word_of(row)
    wanted = {"DELIVERD": [(_RESULT, "SENT"), (_REPORT, "DELIVERD")], "SENT": [(_RESULT, "SENT")]}.get(last)
    if last == _UNDELIVERED:  # its result may have been uncertain, until this report came
        wanted = [(_RESULT, _UNCERTAIN if (_RESULT, _UNCERTAIN) in told else "SENT"), (_REPORT, last)]
    return [" ".join(each) for each in wanted or [(_RESULT, last)] if each not in told]


def unsettled(sent: Sequence[Sent], rows: Mapping[str, JsonObject], pushes: Iterable[JsonObject]) -> list[str]:
    """Ids of accepted messages that have no outcome yet, or whose outcome was not pushed yet."""
    told = pushed(pushes)
    return [message.id for message in sent if message.id and _is_open(rows.get(message.id), told[message.id])]


def _is_open(row: JsonObject | None, told: Told) -> bool:
    return row is None or row["status"] == "SENDING" or bool(missing(row, told))


def judge(
    sent: Sequence[Sent],
    rows: Mapping[str, JsonObject],
    records: Sequence[JsonObject],
    pushes: Sequence[JsonObject],
    blows: Sequence[Blow],
) -> Verdict:
    air, told, verdict = on_air(records), pushed(pushes), Verdict()
    numbers = {message.number for message in sent}
    verdict.untruthful += [
        f"{to}: on the air, and nobody sent it" for to, a in air.items() if a.parts and to not in numbers
    ]
    by_number = Counter(str(row["phonenumber"]) for row in rows.values())
    for message in sent:
        aired = air[message.number]
        if any(len(texts) > 1 for texts in aired.texts.values()):
            verdict.doubled.append(f"{message.key}: a part is on the air twice")
        if by_number[message.number] > 1 or len(message.answers) > 1:
            verdict.doubled.append(f"{message.key}: one request became several messages")
        if not message.id:
            verdict.refused += 1
            if aired.parts or by_number[message.number]:
                verdict.untruthful.append(f"{message.key}: refused ({message.refused}), and yet it is there")
            continue
        verdict.accepted += 1
        _judge_one(message, rows.get(message.id), aired, told[message.id], verdict)
    _judge_the_uncertain(sent, rows, air, told, Windows(air.values(), blows, strikes(records)), verdict)
    return verdict


def _judge_one(message: Sent, row: JsonObject | None, aired: Aired, told: Told, verdict: Verdict) -> None:
    if row is None or row["status"] == "SENDING":
        verdict.lost.append(f"{message.id}: accepted, and without an outcome")
        return
    verdict.lost += [f"{message.id}: {what} was never pushed" for what in missing(row, told)]
    wrongs = [*_against_the_air(message, row, aired), *_against_each_other(message, row, told)]
    verdict.untruthful += [f"{message.id} {word_of(row)}: {wrong}" for wrong in wrongs]


def _against_the_air(message: Sent, row: JsonObject, aired: Aired) -> Iterator[str]:
    last, count = word_of(row), len(aired.texts)
    whole = count == message.parts
    if last in {"SENT", "DELIVERD"} and not whole:
        yield f"{count} of {message.parts} parts are on the air"
    if whole and "".join(aired.texts[number][0] for number in sorted(aired.texts)) != message.text:
        yield "another text than was sent is on the air"
    if last == "DELIVERD" and not aired.delivered:
        yield "the network did not report every part as delivered"
    if last == _UNDELIVERED and not aired.given_up:
        yield "the network did not report of any part that it will not arrive"
    if last in _NOT_TAKEN and whole:
        yield "all of it is on the air"
    if last in _NOT_TAKEN | {_UNDELIVERED} and not whole:
        yield from _parts_told(str(row.get("error")), message.parts, count, unsure=int(last == _UNDELIVERED))
    if last == _UNCERTAIN:
        yield from _doubt_told(str(row.get("error")), message.parts, set(aired.texts))


def _parts_told(error: str, parts: int, on_air: int, *, unsure: int) -> Iterator[str]:
    """How many went out, as it says: none where it says nothing."""
    found = _PARTLY.search(error)
    said, of = (int(found[1]), int(found[2])) if found else (0, parts)
    if of != parts or not said <= on_air <= said + unsure:
        yield f"{on_air} of {parts} parts are on the air, and it says {error!r}"


def _doubt_told(error: str, parts: int, on_air: set[int]) -> Iterator[str]:
    """The parts before the one in doubt went out, those behind it did not."""
    part = _in_doubt(error)
    found = _IN_DOUBT.search(error)
    if int(found[2]) != parts if found else parts > 1:
        yield f"it has {parts} parts, and it says {error!r}"
    elif on_air - {part} != set(range(1, part)):
        yield f"parts {sorted(on_air)} are on the air, and it says {error!r}"


def _in_doubt(error: str) -> int:
    found = _IN_DOUBT.search(error)
    return int(found[1]) if found else 1


def _against_each_other(message: Sent, row: JsonObject, told: Told) -> Iterator[str]:
    """Each word that was ever said of it, and the last one."""
    last = word_of(row)
    for kind, said in told:
        if not _may_become(said, last):
            yield f"pushed as {kind} {said}"
    answered = word(message.told, message.why)
    if message.told != "SENDING" and not _may_become(answered, last):
        yield f"its caller was told {answered}"
    ids = Counter(webhook_id for causes in told.values() for webhook_id in causes)
    yield from (f"{webhook_id} tells {count} things" for webhook_id, count in ids.items() if count > 1)
    yield from (f"{' '.join(each)} under {len(causes)} webhook-ids" for each, causes in told.items() if len(causes) > 1)


def _may_become(said: str, last: str) -> bool:
    return said == last or last in _TRUER.get(said, frozenset())


def _judge_the_uncertain(
    sent: Sequence[Sent],
    rows: Mapping[str, JsonObject],
    air: Mapping[str, Aired],
    told: Mapping[str, Told],
    windows: Windows,
    verdict: Verdict,
) -> None:
    modems = _modems(sent, rows, air)
    suspects = [
        Suspect(
            message.id, air[message.number], _in_doubt(doubt), modems.get(str(row["port"])), _epoch(str(row["time"]))
        )
        for message in sent
        if (row := rows.get(message.id)) is not None and (doubt := _doubted(message, row, told[message.id]))
    ]
    without, slots = windows.unexplained(suspects)
    verdict.untruthful += [f"{one.id}: uncertain, and no kill and no fault of its own befell it" for one in without]
    verdict.by = dict(Counter(hit.what if isinstance(hit, Blow) else hit.fault for hit, _ in slots).most_common())
    verdict.uncertain = sum(word_of(rows[one.id]) == _UNCERTAIN for one in suspects)
    verdict.settled = len(suspects) - verdict.uncertain
    verdict.windows = len(windows.all())


def _doubted(message: Sent, row: JsonObject, told: Told) -> str:
    """As what it was ever told of as uncertain; empty if it never was."""
    causes = [str(row.get("error") or ""), message.why, *told.get((_RESULT, _UNCERTAIN), {}).values()]
    return next((cause for cause in causes if cause.startswith(_UNCERTAIN)), "")


def _modems(sent: Sequence[Sent], rows: Mapping[str, JsonObject], air: Mapping[str, Aired]) -> dict[str, int]:
    """Which modem each port stands for, by what went out through it."""
    return {
        str(rows[message.id]["port"]): part.modem
        for message in sent
        if message.id in rows and word_of(rows[message.id]) in {"SENT", "DELIVERD"}
        for part in air[message.number].parts
    }


def _epoch(moment: str) -> float:
    return datetime.strptime(moment, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
