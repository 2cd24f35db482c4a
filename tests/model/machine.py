"""All that can happen to cloud, links, agents and modems, as a state machine for hypothesis. A run is a history."""

import logging
import tempfile
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.model.healing import heal
from tests.model.modem import TROUBLES, Modem
from tests.model.site import CRASH_POINTS, Site
from tests.model.verdict import verdict
from tests.model.weather import CALM, ROUGH, WILD, Weather
from tests.model.world import World

_MEMORY = Path("/dev/shm")  # a disk that costs no time

pauses = st.sampled_from((0.0, 0.01, 0.05, 0.5, 2.0, 10.0, 100.0))
which = st.integers(0, 1)
absences = st.sampled_from((0.2, 2.0, 100.0))


def folder() -> Path:
    """A fresh one for each history, in memory where there is such a place."""
    base = _MEMORY if _MEMORY.is_dir() else Path(tempfile.gettempdir())
    return Path(tempfile.mkdtemp(prefix="bridge-", dir=base))


class Bridge(RuleBasedStateMachine):
    """Whatever the steps, `teardown` heals all that is broken, waits, and asks for the verdict."""

    world: World | None = None

    @initialize(
        seed=st.integers(0, 2**32),
        weather=st.sampled_from((CALM, ROUGH, ROUGH, WILD)),
        sites=st.sampled_from((1, 1, 2)),
    )
    def begin(self, seed: int, weather: Weather, sites: int) -> None:
        logging.disable(logging.CRITICAL)
        self.world = World(seed, folder(), sites=sites).__enter__()
        self.world.change_weather(weather)

    # ------------------------------------------------------------------------------------------- customers

    @rule(
        parts=st.sampled_from((1, 1, 2, 3)),
        valid_for=st.sampled_from((60, 600, 3600)),
        keyed=st.sampled_from((True, True, False)),
        pause=pauses,
    )
    def send(self, parts: int, valid_for: int, keyed: bool, pause: float) -> None:
        self.here.caller.send(parts=parts, valid_for=valid_for, keyed=keyed)
        self.here.run(pause)

    @rule(count=st.integers(2, 8), report=st.booleans(), pause=pauses)
    def send_many(self, count: int, report: bool, pause: float) -> None:
        self.here.caller.send(count=count, report=report)
        self.here.run(pause)

    @rule(pause=pauses)
    def receive(self, pause: float) -> None:
        self.here.receive()
        self.here.run(pause)

    @rule(seconds=st.sampled_from((1.0, 70.0, 700.0)))
    def wait(self, seconds: float) -> None:
        self.here.run(seconds)

    # ------------------------------------------------------------------------------------------- agents

    @rule(site=which, point=st.sampled_from(CRASH_POINTS), passes=st.integers(0, 5), pause=pauses)
    def crash_at(self, site: int, point: str, passes: int, pause: float) -> None:
        self.site(site).crash_at(point, passes)
        self.here.run(pause)

    @rule(site=which, back_after=absences, quietly=st.booleans(), pause=pauses)
    def kill(self, site: int, back_after: float, quietly: bool, pause: float) -> None:
        self.site(site).kill(back_after=back_after, quietly=quietly)
        self.here.run(pause)

    @rule(site=which, back_after=absences)
    def stop(self, site: int, back_after: float) -> None:
        self.here.restart(self.site(site), back_after=back_after)

    @rule(site=which, back_after=absences, pause=pauses)
    def replace_disk(self, site: int, back_after: float, pause: float) -> None:
        self.here.lose_journal(self.site(site), back_after=back_after)
        self.here.run(pause)

    @rule(site=which, pause=st.sampled_from((0.1, 0.3)))
    def replace_disk_after_sending(self, site: int, pause: float) -> None:
        """What the old journal had just sent does not stand in the cloud's index yet when the new one says hello."""
        there = self.site(site)
        self.here.caller.send(spans=self.here.cloud.ports_of(there.name))
        self.here.run(pause)
        self.here.lose_journal(there, back_after=0.05)
        self.here.run(0.5)

    @rule(site=which, parts=st.sampled_from((2, 3)), pause=st.sampled_from((0.5, 5.0)), cancelled=st.booleans())
    def stop_between_parts(self, site: int, parts: int, pause: float, cancelled: bool) -> None:
        """A modem takes the first part and does not prompt for the next; then it is taken back, or the agent dies."""
        there = self.site(site)
        for modem in there.modems:
            modem.next_troubles.extend(["", *["no prompt"] * 20])
        self.here.caller.send(parts=parts, spans=self.here.cloud.ports_of(there.name))
        self.here.run(pause)
        if cancelled:
            self.here.cancel_some()
            self.here.run(1.0)
        there.kill(back_after=2.0)
        for modem in there.modems:
            modem.next_troubles.clear()

    @rule(site=which, seconds=st.sampled_from((0.5, 20.0)), pause=pauses)
    def fill_disk(self, site: int, seconds: float, pause: float) -> None:
        self.here.fill_disk(self.site(site), seconds)
        self.here.run(pause)

    @rule(site=which, seconds=st.sampled_from((-1e8, -600.0, 600.0, 1e8)))
    def turn_clock(self, site: int, seconds: float) -> None:
        self.here.turn_clock(self.site(site), seconds)

    # ------------------------------------------------------------------------------------------- links and modems

    @rule(site=which, pause=pauses)
    def cut(self, site: int, pause: float) -> None:
        self.here.cut(self.site(site))
        self.here.run(pause)

    @rule(site=which, seconds=st.sampled_from((5.0, 100.0, 900.0)), pause=pauses)
    def outage(self, site: int, seconds: float, pause: float) -> None:
        self.here.outage(self.site(site), seconds)
        self.here.run(pause)

    @rule(site=which, parts=st.sampled_from((1, 3)), pause=pauses)
    def go_dark(self, site: int, parts: int, pause: float) -> None:
        """A message on its way as its site is cut off for longer than the message has time."""
        self.here.caller.send(count=2, parts=parts, valid_for=60)
        self.here.run(min(pause, 2.0))
        self.here.outage(self.site(site), 400.0, loudly=True)
        self.here.run(200.0)

    @rule(site=which, point=st.sampled_from(CRASH_POINTS), passes=st.integers(0, 5), pause=pauses)
    def come_back_to_work(self, site: int, point: str, passes: int, pause: float) -> None:
        """What was called for while a site was away is handed to it, and it does not come far with that."""
        self.site(site).kill(back_after=10.0)
        self.here.run(6.0)
        self.here.caller.send(count=3)
        self.site(site).crash_at(point, passes)
        self.here.run(pause)

    @rule(site=which, count=st.integers(1, 4), pause=st.sampled_from((0.1, 0.3, 1.0)))
    def sweep_as_a_site_returns(self, site: int, count: int, pause: float) -> None:
        """What never left the cloud is moved to another site just as its own says hello, to be cut off again soon."""
        world, late = self.here, self.site(site)
        for one in world.sites:
            one.kill(back_after=66.0 if one is late else 60.0)
        world.run(50.0)  # by then the cloud knows
        world.caller.send(count=count)
        world.run(16.0)
        world.run_until_a_frame_leaves(2.0)
        world.sweep_among_others()
        world.run(pause)
        world.outage(late, 200.0, loudly=True)
        world.run(100.0)

    @rule(site=which, modem=which, seconds=st.sampled_from((1.0, 20.0, 300.0)), pause=pauses)
    def lose_modem(self, site: int, modem: int, seconds: float, pause: float) -> None:
        self.modem(site, modem).lose(seconds)
        self.here.run(pause)

    @rule(site=which, modem=which, trouble=st.sampled_from(TROUBLES))
    def trouble(self, site: int, modem: int, trouble: str) -> None:
        self.modem(site, modem).next_troubles.append(trouble)

    @rule(pause=pauses)
    def cancel(self, pause: float) -> None:
        self.here.cancel_some()
        self.here.run(pause)

    # ------------------------------------------------------------------------------------------- judgement

    @invariant()
    def nothing_is_broken_on_the_way(self) -> None:
        if self.world is not None:
            broken = [*self.world.broken, *self.world.air.broken]
            assert not broken, "\n".join(broken)

    def teardown(self) -> None:
        world, self.world = self.world, None
        if world is not None:
            try:
                heal(world)
                found = verdict(world)
            finally:
                world.__exit__(None, None, None)
                logging.disable(logging.NOTSET)
            assert not found, "\n".join(found)

    @property
    def here(self) -> World:
        assert self.world is not None
        return self.world

    def site(self, number: int) -> Site:
        return self.here.sites[number % len(self.here.sites)]

    def modem(self, site: int, number: int) -> Modem:
        return self.site(site).modems[number]
