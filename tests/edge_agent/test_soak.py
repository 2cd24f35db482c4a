"""A short soak: many faults on few modems, and every word of the agent held against the air. `make soak` is longer."""

import asyncio
from pathlib import Path

import pytest

from benchmarks.soak import soak
from benchmarks.soak_truth import disagreements
from shared.wire import Job


@pytest.mark.timeout(300)
def test_every_message_has_one_truthful_outcome_whatever_befalls_the_modems(tmp_path: Path) -> None:
    found = asyncio.run(soak(tmp_path, count=9, seconds=10.0, seed=7, chance=0.05))
    assert found["disagreements"] == []
    assert int(str(found["messages"])) > 20
    assert int(str(found["kinds_of_faults"])) > 20


def submitted(to: str, mr: int) -> dict[str, object]:
    return {"event": "submit", "modem": 0, "to": to, "mr": mr, "text": "hello", "concat": None}


def result(outcome: str, parts_sent: int) -> dict[str, object]:
    return {"event_id": "j1.result", "outcome": outcome, "parts": 1, "parts_sent": parts_sent, "cause": None}


@pytest.mark.parametrize(
    ("told", "aired", "excused", "wrong"),
    [
        ([("sent", 1)], 1, False, ""),
        ([("sent", 1)], 0, False, "sent, with"),
        ([("sent", 1)], 2, False, "twice"),
        ([("refused", 0)], 0, False, ""),
        ([("refused", 0)], 1, False, "refused, with"),
        ([("uncertain", 0)], 1, True, ""),
        ([("uncertain", 0)], 0, True, ""),
        ([("uncertain", 0)], 1, False, "no fault"),
        ([], 0, False, "0 results"),
        ([("sent", 1), ("sent", 1)], 1, False, "2 results"),
    ],
)
def test_the_judge_finds_what_is_wrong(told: list[tuple[str, int]], aired: int, excused: bool, wrong: str) -> None:
    job = Job(id="j1", to="+49151", text="hello", spans=("imei:1",), deadline=0.0)
    events = {"j1": [result(*one) for one in told]}
    air = [submitted(job.to, number) for number in range(aired)]
    found = disagreements([job], events, air, {job.to} if excused else set(), set())  # type: ignore[arg-type]
    assert bool(found) == bool(wrong)
    assert all(wrong in one for one in found)
