"""Deals the messages of one request over the account's spans and takes their parts from the caps.

Rule: what a deal takes is taken before anything is stored, all or nothing; where a span turns out to be too full, it is
dealt again without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared import caps, routing
from shared.caps import Cap, Charges, Room
from shared.errors import CAP_REACHED, NO_SPAN, ApiError
from shared.message import Snapshot
from shared.ports import AccountStore
from shared.routing import Deal, Moment
from shared.routing_memory import RoutingMemory
from shared.usecases.capping import Capping

_TRIES = 64  # each finds at least one more span full: more than a pool that a caller would name


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealing:
    """`wanted`: ports of the pool, none for any. `parts` of each of `count` messages."""

    account: str
    wanted: Sequence[int]
    count: int
    parts: int
    now: float
    turn: int
    at_once: bool

    def carry_out(
        self, accounts: AccountStore, memory: RoutingMemory, capping: Capping, *, take: bool
    ) -> tuple[Sequence[Deal], Charges]:
        """The deals and what was taken for them. Raises ApiError when none can be chosen or a cap is too full."""
        snapshot = self._snapshot(accounts)
        for _ in range(_TRIES):
            deals = routing.deal(snapshot, self.wanted, self.count, self._moment(memory))
            ports = [way.ports[0] for way in deals] if take else []
            charges = caps.charges(snapshot.account, ports, self.parts, self.now)
            refused = capping.take(charges)
            if not refused:
                return deals, charges
            for cap, room in refused.items():
                self._remember(cap, room, charges[cap], memory)
        raise ApiError(NO_SPAN, problem="too many of the spans are at their limits")

    def _snapshot(self, accounts: AccountStore) -> Snapshot:
        found = (
            accounts.snapshot_of_ports(self.account, self.wanted) if self.wanted else accounts.snapshot(self.account)
        )
        if found is None:  # deleted since it was authenticated
            raise ApiError(NO_SPAN, problem="the account is gone")
        return found

    def _moment(self, memory: RoutingMemory) -> Moment:
        return Moment(
            now=self.now,
            turn=self.turn,
            busy=memory.busy(self.account, self.now),
            at_once=self.at_once,
            parts=self.parts,
            rooms=memory.rooms(self.account, self.now),
        )

    def _remember(self, cap: Cap, room: Room, needed: int, memory: RoutingMemory) -> None:
        if not cap.port:
            wait = cap.until - self.now
            raise ApiError(CAP_REACHED, retry_after=wait, period=cap.period, left=room.parts, needed=needed)
        memory.note_room(self.account, cap.port, room, self.now)
