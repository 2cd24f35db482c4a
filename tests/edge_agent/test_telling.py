"""What is written by hand is what the models of shared/wire.py would write."""

import json

from hypothesis import given
from hypothesis import strategies as st

from edge_agent import telling
from edge_agent.held import EventRow, HeldJob, HeldPart, PartState
from shared.wire import Cause, ReportEvent, ResultEvent

TEXTS = st.text(min_size=1, max_size=12)
TIMES = st.floats(0, 1e11)
CAUSES = st.none() | st.builds(Cause, kind=st.sampled_from(["refused", "undelivered"]), text=TEXTS, code=TEXTS)
PARTS = st.builds(
    HeldPart,
    number=st.just(0),
    total=st.integers(1, 9),
    span=TEXTS,
    imsi=st.text(max_size=12),
    at=TIMES,
    state=st.sampled_from(PartState),
)


def job(id: str, parts: list[HeldPart]) -> HeldJob:
    return HeldJob(id, "+4915112345678", "", (), 0.0, True, 0, parts=parts)


def written(event: EventRow) -> object:
    body = json.loads(event.body)
    assert body["event_id"] == event.id
    return body


def modelled(event: ResultEvent | ReportEvent) -> object:
    return json.loads(event.model_dump_json())


@given(TEXTS, st.lists(PARTS, max_size=3), st.sampled_from(["sent", "refused", "uncertain"]), TIMES, CAUSES, TEXTS)
def test_a_result_is_written_as_its_model_would(
    id: str, parts: list[HeldPart], outcome: telling.Outcome, at: float, cause: Cause | None, span: str
) -> None:
    of = job(id, parts)
    assert written(telling.result(of, outcome, at, cause, span=span)) == modelled(
        ResultEvent(
            event_id=f"{id}.result",
            job_id=id,
            outcome=outcome,
            at=at,
            span=parts[0].span if parts else span,
            imsi=parts[0].imsi if parts else "",
            parts=of.total,
            parts_sent=of.taken,
            cause=cause,
        )
    )


@given(TEXTS, st.lists(PARTS, min_size=1, max_size=3), TIMES)
def test_what_settles_an_uncertain_message_is_a_result_of_its_own(id: str, parts: list[HeldPart], at: float) -> None:
    told = ResultEvent.model_validate_json(telling.settled(job(id, parts), at).body)
    assert (told.event_id, told.job_id, told.outcome, told.at) == (f"{id}.settled", id, "sent", at)


@given(TEXTS, st.lists(PARTS, min_size=1, max_size=3), TIMES, CAUSES)
def test_a_report_is_written_as_its_model_would(id: str, parts: list[HeldPart], at: float, cause: Cause | None) -> None:
    assert written(telling.report(job(id, parts), "delivered", at, cause)) == modelled(
        ReportEvent(
            event_id=f"{id}.report",
            job_id=id,
            outcome="delivered",
            at=at,
            sent_at=max(part.at for part in parts),
            span=parts[0].span,
            imsi=parts[0].imsi,
            cause=cause,
        )
    )
