"""What waits for a site that is away goes to another one, while it provably never left the cloud."""

from dataclasses import replace

import pytest

from shared.message import Message
from shared.ports import Unposted
from shared.usecases.capping import Capping
from shared.usecases.draining import drain
from shared.usecases.reroute import Rerouter
from tests.api_rig import Rig

LATER = 1e12


@pytest.fixture
def rig() -> Rig:
    """Both sites of acme are away: north with ports 1 and 2, south with port 3."""
    rig = Rig()
    rig.take_offline("acme", "north")
    rig.take_offline("acme", "south")
    return rig


def rerouter(rig: Rig) -> Rerouter:
    capping = Capping(rig.tallies, rig.clock)
    return Rerouter(accounts=rig.accounts, outbox=rig.outbox, link=rig.link, capping=capping, clock=rig.clock)


def come_back(rig: Rig, agent: str) -> None:
    """Its hello is stored; its queue was drained before the message in question stood in it."""
    rig.accounts.agents["acme", agent] = replace(rig.accounts.agents["acme", agent], connection=f"acme-{agent}")


def run(rig: Rig) -> int:
    def is_away(key: tuple[str, str]) -> bool:
        return not rig.accounts.agents[key].connection

    return rerouter(rig).run(rig.outbox.backlog(0.0).unposted, is_away, LATER)


def only(rig: Rig) -> Message:
    (message,) = rig.outbox.rows.values()
    return message


def test_a_message_goes_to_the_site_that_is_there_and_at_once_to_its_modem(rig: Rig) -> None:
    rig.send(spans=[1, 3])
    other = "south" if only(rig).agent == "north" else "north"
    come_back(rig, other)
    assert run(rig) == 1
    moved = only(rig)
    assert (moved.agent, moved.posted) == (other, True)
    (jobs,) = rig.posted(f"acme-{other}")
    assert [(job.id, job.spans) for job in jobs.jobs] == [(moved.id, moved.spans)]
    assert run(rig) == 0


def test_a_caller_who_named_no_port_may_be_served_by_any(rig: Rig) -> None:
    rig.send(dest_num="111,222,333")
    come_back(rig, "south")
    run(rig)
    assert {(m.agent, m.port) for m in rig.outbox.rows.values()} == {("south", 3)}


def test_a_port_that_its_caller_did_not_name_never_sends_it(rig: Rig) -> None:
    rig.send(spans=[1, 2])
    come_back(rig, "south")
    assert run(rig) == 0
    assert only(rig).agent == "north"


def test_it_waits_while_no_other_span_is_available(rig: Rig) -> None:
    rig.send(spans=[3])
    rig.send()
    assert run(rig) == 0
    rig.change_span("acme", "north", 1, available=False)
    rig.change_span("acme", "north", 2, available=False)
    come_back(rig, "north")
    assert run(rig) == 0


def test_what_may_have_left_the_cloud_stays_where_it_is(rig: Rig) -> None:
    come_back(rig, "south")
    rig.send(spans=[3, 1])
    rig.link.close("acme-south")
    rig.take_offline("acme", "south")
    come_back(rig, "north")
    assert rig.outbox.backlog(0.0).unposted == ()
    assert rerouter(rig).run([Unposted(("acme", "south"), only(rig).id)], lambda _: True, LATER) == 0
    assert only(rig).agent == "south"


def test_a_backlog_is_not_piled_up_on_a_slower_site(rig: Rig) -> None:
    rig.take_offline("acme", "north")
    for n in range(50):
        rig.send(dest_num=f"{n:04}")
    come_back(rig, "south")
    waiting = sum(message.agent == "north" for message in rig.outbox.rows.values())
    assert waiting > 30  # of 4 s each: more than one modem does in two minutes
    assert run(rig) == 30


def test_an_agent_that_drains_while_its_message_moves_never_gets_it_too(rig: Rig) -> None:
    rig.send(spans=[1, 3])
    first = only(rig).agent
    other = "south" if first == "north" else "north"
    come_back(rig, other)
    claim, drained = rig.outbox.claim_posting, []

    def drains_first(account: str, message_id: str, agent: str) -> bool:
        rig.outbox.claim_posting = claim  # type: ignore[method-assign]
        come_back(rig, first)
        connection = f"acme-{first}"
        drained.append(drain("acme", first, connection, "", outbox=rig.outbox, link=rig.link))
        return claim(account, message_id, agent)

    rig.outbox.claim_posting = drains_first  # type: ignore[method-assign]
    assert run(rig) == 1
    assert drained == [0]
    assert (len(rig.posted(f"acme-{first}")), len(rig.posted(f"acme-{other}"))) == (0, 1)


def test_one_that_was_drained_a_moment_before_does_not_move(rig: Rig) -> None:
    rig.send(spans=[1, 3])
    first = only(rig).agent
    come_back(rig, "south" if first == "north" else "north")
    unposted = rig.outbox.backlog(0.0).unposted
    get = rig.outbox.get

    def drained_after_the_look(account: str, ids: list[str]) -> tuple[Message, ...]:
        found = get(account, ids)
        rig.outbox.claim_posting(account, ids[0], first)
        return found

    rig.outbox.get = drained_after_the_look  # type: ignore[method-assign, assignment]
    assert rerouter(rig).run(unposted, lambda _: True, LATER) == 0
    assert only(rig).agent == first


def test_the_caps_of_both_spans_follow_the_message(rig: Rig) -> None:
    for number in (1, 3):
        rig.accounts.ports["acme", number] = replace(rig.accounts.ports["acme", number], parts_per_day=1)
    rig.send(spans=[1, 3])
    first = only(rig)
    come_back(rig, "south" if first.agent == "north" else "north")
    assert run(rig) == 1
    parts = {key: tally.count for key, tally in rig.tallies.rows.items() if key.startswith("parts#")}
    counts = {int(key.split("#")[2]): count for key, count in parts.items()}
    assert counts == {first.port: 0, only(rig).port: 1}


def test_a_span_at_its_cap_takes_no_message_of_another_site(rig: Rig) -> None:
    rig.accounts.ports["acme", 3] = replace(rig.accounts.ports["acme", 3], parts_per_day=1)
    come_back(rig, "south")
    rig.send(spans=[3])
    rig.take_offline("acme", "south")
    rig.send(spans=[1])
    message = next(m for m in rig.outbox.rows.values() if m.agent == "north")
    rig.outbox.rows["acme", message.id] = replace(message, wanted=(1, 3))
    come_back(rig, "south")
    assert run(rig) == 0


def test_who_is_deleted_or_revoked_keeps_no_message(rig: Rig) -> None:
    rig.send(spans=[1, 3])
    first = only(rig).agent
    come_back(rig, "south" if first == "north" else "north")
    del rig.accounts.agents["acme", first]
    assert rerouter(rig).run(rig.outbox.backlog(0.0).unposted, lambda _: True, LATER) == 1
