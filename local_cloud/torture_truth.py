"""What callers were told, what was on the air, what the receiver got and what the outbox says, compared. Pure.

lost: accepted, and no outcome or no push of it. doubled: a part twice on the air, or two messages for one request.
untruthful: an outcome that the air contradicts, or an `uncertain` that nothing explains: neither a kill of the agent
nor a fault of the modem, as the simulator notes it when it strikes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from local_cloud.intrinsics import JsonObject
from local_cloud.topology import as_object
from local_cloud.torture_callers import Sent
from local_cloud.torture_harm import Blow

_BEFORE_S, _AFTER_S = 0.4, 1.0
"""A kill this long before or after a PDU was taken can have come between its mark and its answer, on a busy machine."""
_STRUCK_BEFORE_S = 0.1
"""A fault comes with the PDU or its answer; so long before, at the most, with what led to them."""
_RESTART_S = 30.0  # from a blow to the event that tells of what it left uncertain
_REASONS = {"refused", "unavailable", "expired", "cancelled"}


@dataclass(slots=True)
class Aired:
    """One message on the air."""

    texts: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    references: list[int] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    modems: set[int] = field(default_factory=set)
    delivered: set[int] = field(default_factory=set)  # references that the network reported as delivered


@dataclass(slots=True)
class Verdict:
    accepted: int = 0
    refused: int = 0
    uncertain: int = 0
    windows: int = 0  # (kill or fault, modem) pairs between PDU and answer
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    untruthful: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.untruthful)


def on_air(records: Iterable[JsonObject]) -> dict[str, Aired]:
    """By recipient: every message of a torture has its own."""
    air: dict[str, Aired] = defaultdict(Aired)
    for record in records:
        if record["event"] == "submit":
            aired, concat = air[str(record["to"])], record["concat"]
            aired.texts[int(str(concat[2])) if isinstance(concat, list) else 1].append(str(record["text"]))
            aired.references.append(int(str(record["mr"])))
            aired.at.append(float(str(record["at"])))
            aired.modems.add(int(str(record["modem"])))
        elif record["event"] == "report" and record["st"] == 0:
            air[str(record["to"])].delivered.add(int(str(record["mr"])))
    return air


def strikes(records: Iterable[JsonObject]) -> list[Blow]:
    """Faults of modems when they came, which may be long after they were armed."""
    return [
        Blow(float(str(record["at"])), str(record["fault"]), int(str(record["modem"])))
        for record in records
        if record["event"] == "fault"
    ]


def pushed(pushes: Iterable[JsonObject]) -> dict[str, dict[str, set[str]]]:
    """Message id → "type status" of each push that was answered 200 → its webhook-ids."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for push in pushes:
        if push["answered"] == 200:
            fields = as_object(push["parameters"])
            word = f"{fields['type']} {fields['status']}"
            found[str(fields["id"])][word].add(str(as_object(push["headers"])["webhook-id"]))
    return found


def expected_pushes(row: JsonObject) -> set[str]:
    """What must have been pushed of a message that stands as this row says."""
    status = str(row["status"])
    if status == "DELIVERD":
        return {"SMS-Status-Report DELIVERD"}
    if str(row.get("error") or "").startswith("undelivered"):
        return {"SMS-Status-Report FAILED"}
    return {f"SMS-Status-Result {status}"}


def unsettled(sent: Sequence[Sent], rows: Mapping[str, JsonObject], pushes: Iterable[JsonObject]) -> list[str]:
    """Ids of accepted messages that have no outcome yet, or whose outcome was not pushed yet."""
    told = pushed(pushes)
    return [
        message.id
        for message in sent
        if message.id
        and (
            message.id not in rows
            or rows[message.id]["status"] == "SENDING"
            or not expected_pushes(rows[message.id]) <= told[message.id].keys()
        )
    ]


def judge(
    sent: Sequence[Sent],
    rows: Mapping[str, JsonObject],
    records: Sequence[JsonObject],
    pushes: Sequence[JsonObject],
    blows: Sequence[Blow],
) -> Verdict:
    air, told, verdict = on_air(records), pushed(pushes), Verdict()
    hits = [blow for blow in blows if blow.what == "kill agent"] + strikes(records)
    verdict.windows = _windows(air.values(), hits)
    numbers = {message.number for message in sent}
    verdict.untruthful += [f"{to}: on the air, and nobody sent it" for to in air if to not in numbers]
    by_number = _by_number(rows)
    for message in sent:
        aired = air.get(message.number, Aired())
        if any(len(texts) > 1 for texts in aired.texts.values()):
            verdict.doubled.append(f"{message.key}: a part is on the air twice")
        if len(by_number[message.number]) > 1 or len(message.answers) > 1:
            verdict.doubled.append(f"{message.key}: one request became several messages")
        if not message.id:
            verdict.refused += 1
            if aired.texts or by_number[message.number]:
                verdict.untruthful.append(f"{message.key}: refused ({message.refused}), and yet it is there")
            continue
        verdict.accepted += 1
        _judge_one(message, rows.get(message.id), aired, told[message.id], hits, verdict)
    return verdict


def _judge_one(
    message: Sent,
    row: JsonObject | None,
    aired: Aired,
    told: Mapping[str, set[str]],
    hits: Sequence[Blow],
    verdict: Verdict,
) -> None:
    if row is None or row["status"] == "SENDING":
        verdict.lost.append(f"{message.id}: accepted, and without an outcome")
        return
    missing = expected_pushes(row) - told.keys()
    verdict.lost += [f"{message.id}: {word} was never pushed" for word in missing]
    verdict.untruthful += [
        f"{message.id}: {word} under {len(ids)} webhook-ids" for word, ids in told.items() if len(ids) > 1
    ]
    verdict.untruthful += [f"{message.id} {row['status']}: {wrong}" for wrong in _wrongs(message, row, aired, told)]
    if str(row.get("error") or "").startswith("uncertain"):
        verdict.uncertain += 1
        if not _explained(row, aired, hits):
            verdict.untruthful.append(f"{message.id}: uncertain, and nothing befell it ({row['error']})")


def _wrongs(message: Sent, row: JsonObject, aired: Aired, told: Mapping[str, set[str]]) -> Iterable[str]:
    whole = len(aired.texts) == message.parts
    text = "".join(aired.texts[number][0] for number in sorted(aired.texts))
    kind = str(row.get("error") or "").partition(":")[0]
    if kind not in _REASONS and kind != "uncertain" and not whole:
        yield f"{len(aired.texts)} of {message.parts} parts are on the air"
    if whole and text != message.text:
        yield "another text than was sent is on the air"
    if row["status"] == "DELIVERD" and not set(aired.references) <= aired.delivered:
        yield "the network did not report every part as delivered"
    if kind in _REASONS and whole:
        yield f"{kind}, and all of it is on the air"
    if message.told in {"SENT", "DELIVERD"} and not whole:
        yield f"its caller was told {message.told}, and it is not on the air"
    if "SMS-Status-Result SENT" in told and not whole:
        yield "pushed as sent, and it is not on the air"


def _explained(row: JsonObject, aired: Aired, hits: Sequence[Blow]) -> bool:
    """Whether something came between its PDU and the answer; of what never went on the air, shortly before it was
    told."""
    if not aired.at:
        ended = datetime.strptime(str(row["time"]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
        return any(-1 <= ended - hit.at <= _RESTART_S for hit in hits)
    return any(_between(hit, at, aired.modems) for hit in hits for at in aired.at)


def _between(hit: Blow, at: float, modems: set[int]) -> bool:
    if hit.modem is not None:
        return hit.modem in modems and -_AFTER_S <= at - hit.at <= _STRUCK_BEFORE_S
    return -_AFTER_S <= at - hit.at <= _BEFORE_S


def _windows(air: Iterable[Aired], hits: Sequence[Blow]) -> int:
    taken = [(at, aired.modems) for aired in air for at in aired.at]
    return len({(hit, *modems) for hit in hits for at, modems in taken if _between(hit, at, modems)})


def _by_number(rows: Mapping[str, JsonObject]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for message_id, row in rows.items():
        found[str(row["phonenumber"])].append(message_id)
    return found
