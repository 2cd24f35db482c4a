"""Which span takes which message."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import NO_SPAN, UNKNOWN_PORT, ApiError
from shared.message import Account, Agent, Port, Site, Snapshot
from shared.routing import Deal, Moment, Standing, deal, seats
from shared.routing_memory import RoutingMemory
from shared.wire import SpanInfo

NOW = 1_750_000_000.0


def snapshot(*sites: tuple[str, list[dict[str, Any]]], offline: tuple[str, ...] = ()) -> Snapshot:
    """Ports are numbered from 1 through all sites."""
    made: dict[str, Site] = {}
    ports: dict[int, Port] = {}
    for name, spans in sites:
        connection = "" if name in offline else f"c-{name}"
        agent = Agent(account="acme", id=name, site=name, credential="", connection=connection)
        infos = []
        for facts in spans:
            number = len(ports) + 1
            ports[number] = Port(account="acme", number=number, agent=name, span=f"s{number}", name=f"lte-1.{number}")
            infos.append(SpanInfo.model_validate({"span": f"s{number}", "available": True, **facts}))
        made[name] = Site(agent, tuple(infos))
    return Snapshot(Account(name="acme", credential=""), made, ports)


def dealt(
    given: Snapshot, wanted: tuple[int, ...] = (), count: int = 1, *, turn: int = 0, now_only: bool = False
) -> list[Deal]:
    return deal(given, wanted, count, Moment(now=NOW, turn=turn, at_once=now_only))


def first_ports(deals: list[Deal]) -> list[int]:
    return [one.ports[0].number for one in deals]


def refusal(*args: Any, **more: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        dealt(*args, **more)
    return caught.value


def test_each_destination_gets_one_span_and_the_pool_is_dealt_over_evenly() -> None:
    deals = dealt(snapshot(("north", [{}, {}]), ("south", [{}])), count=6)
    assert Counter(first_ports(deals)) == {1: 2, 2: 2, 3: 2}


def test_only_ports_of_the_pool_are_dealt_or_stand_in() -> None:
    deals = dealt(snapshot(("north", [{}, {}, {}])), wanted=(1, 3), count=4)
    assert {port.number for one in deals for port in one.ports} == {1, 3}


def test_the_span_with_the_fewest_waiting_comes_first() -> None:
    assert first_ports(dealt(snapshot(("north", [{"queue": 3}, {"queue": 0}, {"queue": 1}])), count=4)) == [2, 2, 3, 2]


def test_a_span_that_must_pause_weighs_as_much_as_the_messages_it_would_send_meanwhile() -> None:
    given = snapshot(("north", [{"next_at": NOW + 60}, {"queue": 10}]))
    assert first_ports(dealt(given)) == [2]
    assert first_ports(dealt(snapshot(("north", [{"next_at": NOW - 60}, {"queue": 10}])))) == [1]


def test_what_was_told_of_a_queue_wears_off_as_the_queue_does() -> None:
    given = snapshot(("north", [{"queue": 10}, {"queue": 1}]))
    site = given.sites["north"]

    def told(ago: float) -> Snapshot:
        return replace(given, sites={"north": replace(site, told_at={"s1": NOW - ago, "s2": NOW})})

    assert first_ports(dealt(told(10))) == [2]
    assert first_ports(dealt(told(39))) == [1]


def test_messages_dealt_one_by_one_go_where_the_least_were_dealt_of_late() -> None:
    given, memory = snapshot(("north", [{"queue": 2}, {}, {}])), RoutingMemory()
    for n in range(9):
        deals = deal(given, (), 1, Moment(now=NOW + n / 100, turn=0, busy=memory.busy("acme", NOW + n / 100)))
        memory.note("acme", deals, NOW + n / 100)
    load = memory.busy("acme", NOW)
    assert max(load.values()) - min(load.values()) < 5
    assert sum(load.values()) == pytest.approx((2 + 9) * 4, abs=0.5)


def test_what_was_dealt_is_forgotten_once_it_must_be_done_and_is_of_one_account() -> None:
    memory = RoutingMemory()
    memory.note("acme", dealt(snapshot(("north", [{}]))), NOW)
    assert memory.busy("acme", NOW + 1) == {1: 3}
    assert memory.busy("acme", NOW + 5) == memory.busy("rival", NOW) == {}


def test_single_messages_go_round_among_equals() -> None:
    given = snapshot(("north", [{}, {}]), ("south", [{}]))
    assert {first_ports(dealt(given, turn=turn))[0] for turn in range(3)} == {1, 2, 3}


def test_the_other_spans_of_the_agent_follow_best_first_and_those_of_others_do_not() -> None:
    given = snapshot(("north", [{"available": False}, {}, {"queue": 9}]), ("south", [{"queue": 99}]))
    assert [port.number for port in dealt(given)[0].ports] == [2, 3, 1]


def test_spans_that_are_down_are_skipped_while_one_is_not() -> None:
    given = snapshot(("north", [{"available": False, "reason": "SIM PIN required"}, {}]), ("south", [{}]))
    given = replace(given, ports={**given.ports, 3: replace(given.ports[3], disabled=True)})
    assert set(first_ports(dealt(given, count=5))) == {2}


def test_a_span_at_its_cap_is_skipped() -> None:
    given = snapshot(("north", [{"available": False, "reason": "daily limit reached"}, {}]))
    assert set(first_ports(dealt(given, count=3))) == {2}


def test_a_site_that_is_there_comes_before_one_that_is_not() -> None:
    given = snapshot(("north", [{}]), ("south", [{"available": False}]), offline=("north",))
    assert first_ports(dealt(given)) == [2]
    assert dealt(given)[0].connection == "c-south"


def test_a_message_for_sites_that_are_all_offline_is_dealt_to_wait_there() -> None:
    given = snapshot(("north", [{}]), offline=("north",))
    assert dealt(given)[0].connection == ""


def test_mode_1_fails_at_once_when_no_span_is_available() -> None:
    given = snapshot(("north", [{"available": False}]), ("south", [{}]), offline=("south",))
    error = refusal(given, now_only=True)
    assert error.kind is NO_SPAN
    assert "mode 1" in error.sentence


def test_a_disabled_span_is_never_dealt_not_even_to_wait() -> None:
    given = snapshot(("north", [{}]))
    given = replace(given, ports={1: replace(given.ports[1], disabled=True)})
    assert refusal(given).kind is NO_SPAN


def test_a_revoked_agent_is_never_dealt_to() -> None:
    given = snapshot(("north", [{}]))
    site = given.sites["north"]
    given = replace(given, sites={"north": replace(site, agent=replace(site.agent, revoked=True))})
    assert refusal(given).kind is NO_SPAN


def test_a_span_that_its_agent_no_longer_tells_of_is_out() -> None:
    given = snapshot(("north", [{}, {}]))
    site = given.sites["north"]
    given = replace(given, sites={"north": replace(site, spans=site.spans[1:])})
    assert [seat.standing for seat in seats(given, {})] == [Standing.OUT, Standing.AVAILABLE]


def test_an_account_without_spans_is_told_so() -> None:
    assert "none yet" in refusal(snapshot()).sentence


def test_an_unknown_port_is_named() -> None:
    error = refusal(snapshot(("north", [{}])), wanted=(1, 7))
    assert error.kind is UNKNOWN_PORT
    assert "Port 7 " in error.sentence


_SPANS = st.lists(
    st.fixed_dictionaries({"available": st.booleans(), "queue": st.integers(0, 9)}), min_size=1, max_size=6
)


@given(st.lists(_SPANS, min_size=1, max_size=4), st.integers(1, 30), st.integers(0, 99), st.data())
def test_whatever_the_account_looks_like_a_deal_is_even_whole_and_of_one_agent(
    sites: list[list[dict[str, Any]]], count: int, turn: int, data: st.DataObject
) -> None:
    names = [f"site{n}" for n in range(len(sites))]
    offline = tuple(data.draw(st.sets(st.sampled_from(names))))
    given = snapshot(*zip(names, sites, strict=True), offline=offline)
    deals = dealt(given, count=count, turn=turn)
    standing = {seat.port.number: seat.standing for seat in seats(given, {})}
    best = min(standing.values())
    assert len(deals) == count
    for one in deals:
        assert standing[one.ports[0].number] is best
        assert {port.agent for port in one.ports} == {one.agent}
        assert len(set(one.ports)) == len(one.ports)
    queues = {n: given.sites[p.agent].spans for n, p in given.ports.items()}
    load = Counter(first_ports(deals))
    waiting = {
        n: next(i.queue for i in queues[n] if i.span == given.ports[n].span) + load[n]
        for n in standing
        if standing[n] is best
    }
    for n in load:
        assert waiting[n] - 1 <= min(waiting.values())
