"""Where a modem keeps messages: +CPMS stores of 3GPP TS 27.005 §3.1, with numbered slots and a capacity."""

from dataclasses import dataclass, field

UNREAD, READ = 0, 1


@dataclass(slots=True)
class Stored:
    """One stored message: service centre address and TPDU together, and 27.005's <stat>."""

    pdu: bytes
    tpdu_octets: int
    status: int = UNREAD


@dataclass(slots=True)
class Store:
    """Slots count from `first`: some modems start at 0, others at 1."""

    name: str
    capacity: int
    first: int = 0
    slots: dict[int, Stored] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        return len(self.slots) >= self.capacity

    def put(self, message: Stored) -> int:
        index = next(n for n in range(self.first, self.first + self.capacity) if n not in self.slots)
        self.slots[index] = message
        return index

    def listed(self, status: int) -> list[tuple[int, Stored]]:
        """In order of index; 4 is 27.005's "all"."""
        return [(index, kept) for index, kept in sorted(self.slots.items()) if status in (4, kept.status)]

    def delete(self, index: int, flag: int) -> bool:
        """+CMGD's delflag (§3.5.4): 0 one slot, 1 to 3 all that was read (nothing here is ever composed), 4 all."""
        if flag == 0:
            return self.slots.pop(index, None) is not None
        doomed = [n for n, kept in self.slots.items() if flag == 4 or kept.status == READ]
        for n in doomed:
            del self.slots[n]
        return True
