"""Counting parts against caps: taken when a message is accepted, corrected when its result is stored.

Rule: who has no caps costs nothing here. What was taken for a call that came to nothing is given back; a crash in
between leaves a cap fuller than it is, never emptier.
"""

from collections.abc import Mapping, Sequence

from shared import caps
from shared.caps import Cap, Charges, Room
from shared.message import Message, Port
from shared.ports import AccountStore, Clock, Tally, TallyStore


class Capping:
    def __init__(self, tallies: TallyStore, clock: Clock) -> None:
        self._tallies, self._clock = tallies, clock

    def take(self, charges: Charges) -> Mapping[Cap, Room]:
        """All or nothing: empty when taken, else what each cap that was too full has left."""
        refused: dict[Cap, Room] = {}
        taken: dict[Cap, int] = {}
        for cap, parts in charges.items():
            tally = self._tallies.take(cap.key, parts, most=cap.most, at=self._clock.now(), until=cap.until)
            if tally is None:
                taken[cap] = parts
            else:
                refused[cap] = caps.left(cap, tally.count)
        if refused:
            self.give_back(taken)
        return refused

    def give_back(self, charges: Charges) -> None:
        """Of a period that is over nothing is counted any more."""
        now = self._clock.now()
        for cap, parts in charges.items():
            if cap.until > now:
                self._tallies.add(cap.key, -parts, at=now, until=cap.until)

    def add(self, charges: Charges) -> None:
        """What has happened is counted, room or not."""
        self.give_back({cap: -parts for cap, parts in charges.items()})

    def rooms(self, ports: Sequence[Port], zone: str) -> Mapping[int, Room]:
        """What the capped ones among `ports` have left; reads as many rows as they have caps."""
        wanted = [cap for port in ports for cap in caps.of_port(port, zone, self._clock.now())]
        tallies = self._tallies.read_all([cap.key for cap in wanted]) if wanted else {}
        rooms: dict[int, Room] = {}
        for cap in wanted:
            room = caps.left(cap, tallies.get(cap.key, Tally()).count)
            rooms[cap.port] = min(rooms.get(cap.port, room), room, key=lambda one: one.parts)
        return rooms


def correct(message: Message, dealt: Port | None, sent_by: Port | None, *, accounts: AccountStore, by: Capping) -> None:
    """Counts the parts of an attempt that ended for the span that had them last; for none, when none had them.

    Call it once a message. An account or span without caps costs no read and no write.
    """
    if sent_by is not None and (sent_by == dealt or not (_capped(sent_by) or _capped(dealt))):
        return
    account = accounts.account(message.account)
    if account is None:
        return
    before = caps.charges(account, [dealt] if dealt else [], message.parts, message.accepted_at)
    after = caps.charges(account, [sent_by] if sent_by else [], message.parts, message.accepted_at)
    by.give_back({cap: parts for cap, parts in before.items() if cap not in after})
    by.add({cap: parts for cap, parts in after.items() if cap not in before})


def _capped(port: Port | None) -> bool:
    return port is not None and bool(port.parts_per_day or port.parts_per_month)
