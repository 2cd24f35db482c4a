"""Holds what the agent told against what was on the simulated air. Pure.

sent: every part exactly once. refused, expired, unavailable, cancelled: just the parts that it owns up to. uncertain:
those and perhaps one more, and only where a fault stood between a PDU and its answer.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge_agent.simulator.air import Record
from shared.wire import Job

Told = dict[str, Any]  # an event, as shared/wire.py has it


@dataclass(slots=True)
class Aired:
    """One message on the air: its parts by number, each with the references of its transmissions."""

    parts: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    texts: dict[int, str] = field(default_factory=dict)
    reported: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))  # reference → statuses

    @property
    def doubled(self) -> bool:
        return any(len(references) > 1 for references in self.parts.values())

    def forget_references(self) -> None:
        """What the agent does not know by reference it can tell by the recipient only, as it is known to be."""
        everything = set[int]().union(*self.reported.values())
        for references in self.parts.values():
            self.reported.update(dict.fromkeys(references, everything))

    @property
    def text(self) -> str:
        return "".join(self.texts[number] for number in sorted(self.texts))


def on_air(records: Iterable[Record]) -> dict[str, Aired]:
    """By recipient; a soak sends no two messages to one."""
    found: dict[str, Aired] = defaultdict(Aired)
    for record in records:
        if record["event"] == "submit":
            concat = record["concat"]
            number = int(str(concat[2])) if isinstance(concat, list) else 1
            aired = found[str(record["to"])]
            aired.parts[number].append(int(str(record["mr"])))
            aired.texts[number] = str(record["text"])
        elif record["event"] == "report":
            found[str(record["to"])].reported[int(str(record["mr"]))].add(int(str(record["st"])))
    return found


def disagreements(
    jobs: Sequence[Job],
    told: Mapping[str, Sequence[Told]],
    records: Sequence[Record],
    excused: set[str],
    nameless: set[str],
) -> list[str]:
    """`told` has every event of a job, by its id. Nothing to say is how it ought to be.

    `excused` and `nameless` are recipients: a fault stood between PDU and answer, or the answer had no reference.
    """
    air = on_air(records)
    found = [f"{to}: on the air, and nobody asked for it" for to in air.keys() - {job.to for job in jobs}]
    for job in jobs:
        aired = air.get(job.to, Aired())
        if job.to in nameless | excused:
            aired.forget_references()
        wrongs = _wrongs(job, list(told.get(job.id, ())), aired, job.to in excused)
        about = f"{job.id} told {[(one['event_id'], one['outcome']) for one in told.get(job.id, ())]}"
        found += [f"{about}, aired {dict(aired.parts)}: {wrong}" for wrong in wrongs]
    return found


def _wrongs(job: Job, events: list[Told], aired: Aired, excused: bool) -> Iterable[str]:
    count = Counter(str(event["event_id"]).rpartition(".")[2] for event in events)
    if count["result"] != 1:
        yield f"{count['result']} results"
        return
    if max(count.values()) > 1:
        yield "an event told twice"
    if aired.doubled:
        yield "a part on the air twice"
    by_kind = {str(event["event_id"]).rpartition(".")[2]: event for event in events}
    yield from _of_result(job, by_kind["result"], aired, excused)
    if "settled" in by_kind:
        if by_kind["result"]["outcome"] != "uncertain":
            yield "settled without having been uncertain"
        yield from _of_result(job, by_kind["settled"], aired, excused)
    if "report" in by_kind:
        yield from _of_report(by_kind["report"], aired)


def _of_result(job: Job, event: Told, aired: Aired, excused: bool) -> Iterable[str]:
    outcome, owned, count = event["outcome"], event["parts_sent"], len(aired.parts)
    if outcome == "sent":
        if not owned == count == event["parts"] or aired.text != job.text:
            yield f"sent, with {owned} of {event['parts']} parts told"
    elif outcome == "uncertain":
        if not owned <= count <= owned + 1:
            yield f"uncertain after {owned} parts"
        if not excused:
            yield f"uncertain, and no fault stood between PDU and answer ({(event.get('cause') or {}).get('text')})"
    elif owned != count or count == event["parts"]:
        yield f"{outcome}, with {owned} parts told"


def _of_report(event: Told, aired: Aired) -> Iterable[str]:
    statuses = [set[int]().union(*(aired.reported[mr] for mr in mrs)) for mrs in aired.parts.values()]
    if event["outcome"] == "delivered":
        if not all(0 in known for known in statuses):
            yield "delivered, and the network did not say so of every part"
    elif not any(status & 0x40 for known in statuses for status in known):
        yield "undelivered, and the network did not say so"


def received_wrongs(records: Iterable[Record], told: Counter[str]) -> list[str]:
    """Messages that reached a modem whole and unspoiled, and were not told exactly once."""
    parts: dict[str, dict[int, bool]] = defaultdict(dict)
    totals: dict[str, int] = {}
    for record in records:
        if record["event"] == "deliver" and isinstance(part := record["part"], list):
            text = str(record["text"])
            totals[text] = int(str(part[1]))
            parts[text][int(str(part[0]))] = not record["malformed"]
    whole = [text for text, total in totals.items() if len(parts[text]) == total and all(parts[text].values())]
    return [f"received {text[:12]!r} {told[text]} times" for text in whole if told[text] != 1]
