"""The log of pushes on (simulated) DynamoDB."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.aws.push_log import KEPT_S
from shared.push_event import PushEvent
from shared.push_record import Circuit, PushAttempt, PushRecord, PushState, PushView
from tests.push_aws import PushAws, push_aws
from tests.push_world import event

ENDPOINT = "https://a.example:8443"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[PushAws]:
    with push_aws(monkeypatch) as one:
        yield one


def record(of: PushEvent, at: float = 1_750_000_000.25, state: PushState = PushState.WAITING) -> PushRecord:
    attempts = (
        PushAttempt(status=None, error="no answer within 15 s", seconds=15.01, at=at),
        PushAttempt(status=503, error="answered 503", seconds=0.2, retry_after=7.5, at=at + 20),
    )
    return PushRecord(event=of, state=state, first_at=at, next_at=at + 30.5, tries=2, attempts=attempts)


def test_a_record_is_read_as_it_was_saved(aws: PushAws) -> None:
    saved = record(event())
    aws.log().save(saved)
    assert aws.log().get("acme", saved.event.id) == saved
    assert aws.log().view(saved.event, ENDPOINT) == PushView(record=saved, results=(), circuit=Circuit())


def test_nothing_is_known_of_what_was_never_tried(aws: PushAws) -> None:
    assert aws.log().get("acme", "m1-result-sent") is None
    assert aws.log().view(event(), ENDPOINT) == PushView(record=None, results=(), circuit=Circuit())


def test_a_report_sees_the_results_of_its_message_and_of_no_other(aws: PushAws) -> None:
    mine = [record(event()), record(replace(event(status="FAILED"), cause="uncertain: no answer"))]
    for one in [*mine, record(event("m2")), record(event(account="other"))]:
        aws.log().save(one)
    view = aws.log().view(event(kind="report", status="DELIVERD"), ENDPOINT)
    assert set(view.results) == set(mine)
    assert aws.log().view(mine[0].event, ENDPOINT).results == ()


def test_records_are_kept_for_seven_days(aws: PushAws) -> None:
    aws.log().save(record(event()))
    item = aws.clients.dynamodb().scan(TableName="pushes")["Items"][0]
    assert item["ttl"]["N"] == str(int(aws.clock.now()) + KEPT_S)


def test_records_of_a_time_are_found_over_many_pages(aws: PushAws) -> None:
    text = "€" * 1500
    for n in range(150):  # 9 kB each: more than the 1 MB that one page of a query holds
        aws.log().save(record(replace(event(f"m{n:03}"), text=text), at=1_750_000_000.0 + n))
    aws.log().failed("acme", ENDPOINT, 1)
    aws.log().save(record(event("m000", account="other")))
    found = aws.log().page("acme", 1_750_000_010.0, 1_750_000_139.0)
    assert sorted(one.event.message_id for one in found) == [f"m{n:03}" for n in range(10, 140)]


def test_failures_of_an_endpoint_add_up_until_it_works(aws: PushAws) -> None:
    log = aws.log()
    assert log.failed("acme", ENDPOINT, 4) == Circuit(failures=4)
    assert log.failed("acme", ENDPOINT, 1) == Circuit(failures=5)
    log.open("acme", ENDPOINT, 1_750_000_060.5)
    assert log.view(event(), ENDPOINT).circuit == Circuit(failures=5, open_until=1_750_000_060.5)
    assert log.view(event(), "http://a.example").circuit == Circuit()
    assert log.view(event(account="other"), ENDPOINT).circuit == Circuit()
    log.close("acme", ENDPOINT)
    assert log.view(event(), ENDPOINT).circuit == Circuit()


def test_only_one_caller_gets_the_probe(aws: PushAws) -> None:
    log = aws.log()
    log.failed("acme", ENDPOINT, 10)
    log.open("acme", ENDPOINT, 1_750_000_060.123456)
    seen = log.view(event(), ENDPOINT).circuit
    assert [log.claim_probe("acme", ENDPOINT, seen, 1_750_000_090.0) for _ in range(3)] == [True, False, False]


def test_an_endpoint_that_was_never_opened_after_its_failures_can_be_probed(aws: PushAws) -> None:
    log = aws.log()
    log.failed("acme", ENDPOINT, 10)  # and then a crash, before `open`
    seen = log.view(event(), ENDPOINT).circuit
    assert log.claim_probe("acme", ENDPOINT, seen, 1_750_000_090.0)
    assert not log.claim_probe("acme", ENDPOINT, seen, 1_750_000_091.0)


def test_turns_on_an_endpoint_are_limited_given_back_and_lost_in_time(aws: PushAws) -> None:
    log, now = aws.log(), 1_750_000_000.0

    def take(at: float, account: str = "acme") -> int | None:
        return log.take_turn(account, ENDPOINT, turns=2, now=at, until=at + 60)

    assert [take(now), take(now), take(now)] == [0, 1, None]
    assert take(now, "other") == 0
    log.end_turn("acme", ENDPOINT, 0)
    assert [take(now + 1), take(now + 1)] == [0, None]
    assert take(now + 60.5) == 1  # its batch never came back


def test_an_endpoint_that_works_again_keeps_its_turns(aws: PushAws) -> None:
    log, now = aws.log(), 1_750_000_000.0
    log.failed("acme", ENDPOINT, 3)
    assert log.take_turn("acme", ENDPOINT, turns=1, now=now, until=now + 60) == 0
    log.close("acme", ENDPOINT)
    assert log.take_turn("acme", ENDPOINT, turns=1, now=now, until=now + 60) is None
    assert log.view(event(), ENDPOINT).circuit == Circuit()
