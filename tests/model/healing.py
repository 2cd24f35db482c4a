"""The end of a history: all is healed, and what waits comes to its end; now and then a site returns to a full queue."""

from __future__ import annotations

from dataclasses import replace

from shared.lifecycle import has_ended
from tests.model.site import Site
from tests.model.weather import CALM
from tests.model.world import World
from tests.model.world_facts import ACCOUNT, HEARTBEAT_S

_QUIET_WITHIN_S = 3 * 3600.0
_FULL_QUEUE = 0.15  # how often a history ends with one
_BACK_WITHIN_S = 300.0
_DRAINED_WITHIN_S = 0.7 * HEARTBEAT_S  # a modem takes up to 2 s for each of four messages


def heal(world: World) -> None:
    """From now on nothing goes wrong."""
    world.change_weather(CALM)
    for site in world.sites:
        site.crash_at("")
        site.cut_off = False
        site.fill_disk(False)
        for modem in site.modems:
            modem.next_troubles.clear()
    world.healed_at = world.now
    world.caller.send()
    _become_quiet(world)
    if world.rng.random() < _FULL_QUEUE:
        _return_to_a_full_queue(world, world.rng.choice(world.sites))
        _become_quiet(world)


def _become_quiet(world: World) -> None:
    deadline = world.now + _QUIET_WITHIN_S
    while not world.quiet and world.now < deadline:
        world.run(10.0)
    world.run(5.0)


def _return_to_a_full_queue(world: World, site: Site) -> None:
    """It is handed all that waits, batch by batch, and not one batch a heartbeat."""
    world.change_weather(replace(CALM, slow_disk=0.0))
    site.kill(back_after=10.0)
    world.run(8.0)
    call = world.caller.send(count=8, spans=world.cloud.ports_of(site.name))
    world.run(4.0)
    end = world.now + _BACK_WITHIN_S
    while not world.network.open_lines(site.name) and world.now < end:
        world.run(1.0)
    world.run(_DRAINED_WITHIN_S)
    late = sum(not has_ended(message.state) for message in world.cloud.outbox.get(ACCOUNT, call.ids))
    if late:
        world.broken.append(f"{late} of {len(call.ids)} were not sent within a heartbeat of their site's return")
