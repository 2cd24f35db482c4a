"""What has to be true of every history once all is quiet. Each function names what is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from shared.lifecycle import State, Status, has_ended
from shared.message import Message
from shared.push_event import PushEvent
from shared.usecases.ending import result_push
from tests.model.air import Truth
from tests.model.site import Loss
from tests.model.world_facts import epoch

if TYPE_CHECKING:
    from tests.model.world import World

# Backoff up to 120 s, a heartbeat, a drain; then the modems' own times.
HEALED_WITHIN_S = 600.0
_TAKEN = frozenset({State.SENT, State.DELIVERED, State.UNDELIVERED})
_NOT_TAKEN = frozenset({State.REFUSED, State.UNAVAILABLE, State.EXPIRED, State.CANCELLED})


def verdict(world: World) -> list[str]:
    """Empty when all is as promised."""
    faults = [*world.broken, *world.air.broken, *_unfinished(world), *_untold(world), *_inbox(world)]
    for message in world.cloud.outbox.rows.values():
        truth = world.air.truths[message.to]
        told = [event for event in world.cloud.pushes.events if event.message_id == message.id]
        found = [*_outcome(world, message, truth), *_lateness(world, message, truth)]
        found += [*_pushes(world, message, truth, told), *_lies(world, message, truth, told)]
        faults += [f"{message.id} {message.to} ({message.state}, {truth.on_air} of {message.parts} on the air): {fault}"
                   for fault in found]  # fmt: skip
    return faults


def _unfinished(world: World) -> Iterator[str]:
    for site in world.sites:
        process = site.process
        if process is None:
            yield f"the agent of {site.name} did not come back"
        elif process.core.held() or len(process.core.outgoing):
            yield f"{site.name} still holds {process.core.held()} jobs and {len(process.core.outgoing)} events"
    for message in world.cloud.outbox.unsettled():
        yield f"{message.id} {message.to} is {message.state} and still waits"


def _untold(world: World) -> Iterator[str]:
    """What callers were told of is there."""
    rows = {message.id for message in world.cloud.outbox.rows.values()}
    for call in world.caller.calls:
        if not call.ids and not call.refused:
            yield f"{call.request.msg} was never answered"
        if lost := set(call.ids) - rows:
            yield f"{call.request.msg}: accepted and not stored: {sorted(lost)}"


def _outcome(world: World, message: Message, truth: Truth) -> Iterator[str]:
    if not has_ended(message.state):
        yield "has no outcome"
    # The report on one part decides an uncertain message, even if the rest of it was never handed over.
    taken = message.state in _TAKEN and not (message.state is State.UNDELIVERED and truth.excuse)
    if taken and not truth.whole:
        yield "is not on the air"
    if truth.whole and truth.text != message.text:
        yield "another text went on the air"
    if message.state in _NOT_TAKEN and truth.whole and not _lost_with_journal(world, message):
        yield "is on the air"
    if message.state is State.DELIVERED and truth.reported("delivered") < message.parts:
        yield "the network never said so"
    if message.state is State.UNDELIVERED and not truth.reported("failed"):
        yield "the network never said so"
    if message.state is State.UNCERTAIN and not truth.excuse and not _lost_with_journal(world, message):
        yield f"nothing happened that would make it uncertain: {message.error}"
    if message.status is Status.FAILED and (message.cause is None or message.cause.kind != message.state):
        yield f"its cause is {message.cause}"
    yield from _parts_told(world, message, truth)
    yield from _reports_count(world, message, truth)


def _parts_told(world: World, message: Message, truth: Truth) -> Iterator[str]:
    if message.state in _NOT_TAKEN and message.parts_sent != truth.on_air and not _lost_with_journal(world, message):
        yield f"says that {message.parts_sent} parts went out"
    unsure = 1 if message.state is State.UNCERTAIN else 0
    if message.state is State.UNCERTAIN and not _lost_with_journal(world, message):  # noqa: SIM102
        if not message.parts_sent <= truth.on_air <= message.parts_sent + unsure:
            yield f"says that {message.parts_sent} parts went out for certain"


def _reports_count(world: World, message: Message, truth: Truth) -> Iterator[str]:
    """A report that fits settles what was uncertain, and is never overruled."""
    if _losses(world) or world.clock_jumped or not message.report or not truth.whole:
        return
    if truth.reported("failed") and message.state is not State.UNDELIVERED:
        yield "the network has reported that it was not delivered"
    if truth.reported("delivered") == message.parts and message.state is not State.DELIVERED:
        yield "the network has reported that it was delivered"


def _pushes(world: World, message: Message, truth: Truth, told: list[PushEvent]) -> Iterator[str]:
    """Each event reaches the push queue. Of what was lost with a journal, only the cloud's own word is known."""
    wanted, last = [], result_push(message)
    unsure = message.state is State.UNDELIVERED and truth.excuse  # then its result may have been told as uncertain
    if message.state in _TAKEN and not unsure and not _lost_with_journal(world, message):
        wanted.append(result_push(replace(message, state=State.SENT, cause=None)))
    if message.state in {State.DELIVERED, State.UNDELIVERED} and not _losses(world):
        wanted.append(replace(last, type="SMS-Status-Report"))
    if message.state in _NOT_TAKEN | {State.UNCERTAIN} and not _lost_with_journal(world, message):
        wanted.append(last)
    words = {(event.id, _kind(event)) for event in told}
    for event in wanted:
        if (event.id, _kind(event)) not in words:
            yield f"was never pushed: {event.id} {_kind(event)}"


def _lies(world: World, message: Message, truth: Truth, told: list[PushEvent]) -> Iterator[str]:
    """What a push said that was not so, even if another has said the truth later. What the cloud ends by itself, and
    what was lost with a journal, it may end wrongly, until the truth comes.
    """
    words = {(event.type, event.status, _kind(event)) for event in told}
    if ("SMS-Status-Result", Status.SENT, "") in words and not truth.whole:
        yield "was pushed as sent"
    if ("SMS-Status-Report", Status.DELIVERED, "") in words and truth.reported("delivered") < message.parts:
        yield "was pushed as delivered"
    if ("SMS-Status-Report", Status.FAILED, State.UNDELIVERED) in words and not truth.reported("failed"):
        yield "was pushed as undelivered"
    lost = _lost_with_journal(world, message)
    for state in (State.REFUSED, State.UNAVAILABLE):
        if ("SMS-Status-Result", Status.FAILED, state) in words and truth.whole and not lost:
            yield f"was pushed as {state}"
    if ("SMS-Status-Result", Status.FAILED, State.UNCERTAIN) in words and not truth.excuse and not lost:
        yield "was pushed as uncertain, and nothing happened that would make it so"


def _kind(event: PushEvent) -> str:
    return event.cause.partition(":")[0]


def _lateness(world: World, message: Message, truth: Truth) -> Iterator[str]:
    expired_at = world.cloud.outbox.expired_at.get(message.id)
    if expired_at is not None and epoch(expired_at) < message.deadline - 1.0:
        yield "was expired before its time"
    stuck = message.state in {State.EXPIRED, State.UNAVAILABLE} and message.ended_at is not None
    if stuck and min(message.deadline, message.ended_at or 0.0) > epoch(world.healed_at + HEALED_WITHIN_S):
        yield "was not sent although all was well"
    latest = max((part.at for parts in truth.parts.values() for part in parts), default=0.0)
    if epoch(latest) > message.deadline + 300.0 and not world.clock_jumped:
        yield "went on the air after its time"


def _inbox(world: World) -> Iterator[str]:
    got = sorted(row.text for row in world.cloud.inbox.rows.values())
    if sorted(set(got)) != got:
        yield f"received messages were told twice: {got}"
    if not _losses(world) and got != sorted(world.inbound):
        yield f"received {sorted(world.inbound)}, and told {got}"
    pushed = {event.text for event in world.cloud.pushes.events if event.type == "SMS-Received"}
    if pushed != set(got) and not _losses(world):
        yield f"told of {got}, and pushed {sorted(pushed)}"


def _lost_with_journal(world: World, message: Message) -> bool:
    """A journal of its site was lost before all was told of it."""
    losses = _losses(world, message.agent)
    ended_at = world.cloud.outbox.ended_at.get(message.id)
    if ended_at is not None and all(ended_at + 3600.0 < loss.at for loss in losses):
        return False
    return any(message.accepted_at <= epoch(loss.noticed or world.now) for loss in losses)


def _losses(world: World, name: str = "") -> list[Loss]:
    return [loss for site in world.sites if name in {"", site.name} for loss in site.losses]
