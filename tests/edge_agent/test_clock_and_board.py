"""What time it is, what the cloud is told of spans, and what a log line may hold."""

import asyncio
import io
import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from edge_agent import logs
from edge_agent.clock import Clock
from edge_agent.core import DISCOVERY_S
from edge_agent.span import SpanState, SpanStatus
from edge_agent.span_board import SpanBoard
from edge_agent.uplink import Uplink
from tests.edge_agent.fake_cloud import until
from tests.edge_agent.rig import NOW, SPAN, Hands, Rig


def test_before_the_cloud_told_the_time_the_machine_s_clock_is_followed() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.wall += 5_000_000  # NTP corrects a clock without a battery
    assert clock.now() == NOW + 5_000_000


def test_once_told_the_cloud_s_time_goes_on_whatever_the_machine_s_clock_does() -> None:
    hands = Hands()
    clock = hands.clock()
    assert clock.tell(NOW - 30) == 30
    hands.forward(100)
    hands.wall -= 1_000_000
    assert clock.now() == NOW + 70


def test_a_clock_behind_what_the_journal_knows_is_not_plausible_until_told() -> None:
    hands = Hands(now=1_000_000.0)
    clock = hands.clock()
    clock.not_before(NOW)
    assert not clock.plausible
    clock.tell(NOW + 1)
    assert clock.plausible
    assert Clock().plausible


def board(trouble: str = "", next_at: float | None = None, queue: int = 0) -> SpanBoard:
    made = SpanBoard(lambda: trouble, lambda span: next_at, lambda: {SPAN: queue}, lambda: NOW)
    made.put(SpanStatus(span=SPAN, state=SpanState.READY, signal_dbm=-70))
    return made


def test_a_ready_span_is_available_and_one_without_room_in_the_journal_is_not() -> None:
    assert board().infos()[0].available
    (info,) = board(trouble="the disk is full").infos()
    assert (info.available, info.reason) == (False, "the disk is full")


def test_the_modem_s_own_reason_comes_first_and_a_state_without_words_is_its_reason() -> None:
    made = board(trouble="the disk is full")
    made.put(SpanStatus(span=SPAN, state=SpanState.SIM_PIN, reason="SIM PIN required"))
    assert made.infos()[0].reason == "SIM PIN required"
    made.put(SpanStatus(span=SPAN, state=SpanState.PROBING))
    assert made.infos()[0].reason == "probing"


def test_a_short_wait_for_the_pace_is_told_and_a_long_one_makes_it_unavailable() -> None:
    assert board(next_at=NOW + 5).infos()[0].available
    assert not board(next_at=NOW + 500).infos()[0].available


def test_only_what_a_person_would_see_is_a_difference() -> None:
    made = board()
    assert [info.span for info in made.differences()] == [SPAN]
    assert made.differences() == []
    made.put(SpanStatus(span=SPAN, state=SpanState.SENDING, signal_dbm=-95))
    assert made.differences() == []
    assert made.signals()[0].signal_dbm == -95
    made.put(SpanStatus(span=SPAN, state=SpanState.READY, operator="Testnet"))
    assert [info.operator for info in made.differences()] == ["Testnet"]


def test_a_sim_without_room_is_told_at_once_and_the_span_still_sends() -> None:
    made = board()
    made.infos()
    for full in (True, False):
        made.put(SpanStatus(span=SPAN, state=SpanState.READY, sim_full=full))
        (info,) = made.differences()
        assert (info.available, info.reason, info.sim_full) == (True, "", full)
        assert made.differences() == []


def test_a_span_whose_modem_is_still_searched_for_is_not_told_of() -> None:
    searching = True
    made = SpanBoard(lambda: "", lambda span: None, dict, lambda: NOW, lambda: searching)
    made.put(SpanStatus(span=SPAN, state=SpanState.ABSENT, reason="no port leads to it"))
    assert made.infos() == ()
    searching = False
    assert [info.reason for info in made.differences()] == ["no port leads to it"]


def test_a_span_that_was_found_is_told_of_when_it_goes_however_soon() -> None:
    made = SpanBoard(lambda: "", lambda span: None, dict, lambda: NOW, lambda: True)
    made.put(SpanStatus(span=SPAN, state=SpanState.READY))
    assert [info.available for info in made.differences()] == [True]
    made.put(SpanStatus(span=SPAN, state=SpanState.ABSENT, reason="no port leads to it"))
    assert [info.available for info in made.differences()] == [False]


def test_what_the_cloud_knows_and_nobody_found_is_told_of_as_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.core.TICK_S", 0.001)

    async def main() -> None:
        async with Rig(tmp_path) as rig:
            gone: list[set[str]] = []
            rig.core.uplink = cast("Uplink", SimpleNamespace(spans_gone=gone.append, spans_changed=lambda infos: None))
            rig.core.status_changed(SpanStatus(span=SPAN, state=SpanState.READY))
            rig.core.welcomed(NOW, {SPAN: 1, "imei:9": 2})
            ticking = asyncio.ensure_future(rig.core.tick())
            await asyncio.sleep(0.01)
            assert gone == []
            rig.hands.forward(DISCOVERY_S + 1)
            await until(lambda: gone)
            rig.core.welcomed(NOW + 7000, {SPAN: 1, "imei:9": 2})  # on the next connection, since it may have been lost
            ticking.cancel()
            assert gone == [{"imei:9"}, {"imei:9"}]

    asyncio.run(main())


def test_looking_does_not_count_as_telling() -> None:
    made = board()
    made.peek()
    assert made.differences()


def test_long_numbers_and_tokens_are_masked_and_identities_are_not() -> None:
    assert logs.mask("to +4915112345678") == "to …678"
    assert logs.mask("Bearer acme.north.secret!") == "Bearer …"
    assert logs.mask(f"{SPAN}: ready") == f"{SPAN}: ready"
    assert logs.mask("01JD5H3K8Z0000000000000000: sent") == "01JD5H3K8Z0000000000000000: sent"
    assert logs.mask("took 1200 ms, 1234567 bytes") == "took 1200 ms, 1234567 bytes"


def test_lines_are_text_or_json() -> None:
    root = logging.getLogger()
    before, level = root.handlers, root.level
    try:
        lines = []
        for kind in ("text", "json"):
            stream = io.StringIO()
            logs.set_up(kind, "info", stream)
            logging.getLogger("edge_agent.book").info("%s: sent", "j1")
            logging.getLogger("edge_agent.book").debug("not shown")
            lines.append(stream.getvalue())
    finally:
        root.handlers, root.level = before, level
    assert lines[0].endswith(" info    j1: sent\n")
    line = json.loads(lines[1])
    assert (line["level"], line["from"], line["text"]) == ("info", "book", "j1: sent")
