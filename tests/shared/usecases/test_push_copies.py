import time
from collections.abc import Mapping
from dataclasses import replace

from shared.push_record import PushAttempt
from shared.usecases.deliver_push import deliver
from tests.push_world import PushWorld, event


class Slow:
    """An egress whose receiver takes a moment: long enough for a second try to begin meanwhile."""

    def __init__(self, world: PushWorld) -> None:
        self._real = world.receivers

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> PushAttempt:
        time.sleep(0.05)
        return self._real.send(method, url, headers, body)

    def check_host(self, host: str) -> str:
        return self._real.check_host(host)


def test_two_copies_of_an_event_in_one_batch_are_told_once() -> None:
    world = PushWorld()
    world.queue.put([event(), event("m2"), event()])
    batch = world.queue.take()
    assert len(batch) == 3
    assert deliver(batch, replace(world.by, egress=Slow(world))) == []
    assert sorted(world.receivers.ids()) == ["m1-result-sent", "m2-result-sent"]
