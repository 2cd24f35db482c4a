"""Messages and reports on their way to the computer: routing by +CNMI, stores, and +CNMA (3GPP TS 27.005 §3.4)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.simulator import air_encode
from edge_agent.simulator.air import Record
from edge_agent.simulator.stores import Store, Stored

if TYPE_CHECKING:
    from edge_agent.simulator.modem import Modem


@dataclass(frozen=True, slots=True, eq=False)
class Incoming:
    """`kind` is "deliver" or "report", the name of its record in the air file."""

    kind: str
    tpdu: bytes
    about: Record


class Inbox:
    """What the network has for this SIM. It hands over one at a time and only while the modem can take it."""

    def __init__(self, modem: Modem) -> None:
        self._modem = modem
        self.waiting: deque[Incoming] = deque()
        self._unacknowledged: Incoming | None = None
        self._buffered: list[str] = []
        self._no_room = False

    def arrive(self, item: Incoming) -> None:
        self.waiting.append(item)
        self.pump()

    def pump(self) -> None:
        modem = self._modem
        while self._unacknowledged is None and not modem.submission.open:
            item = self._next()
            if item is None or modem.power.deaf or not modem.registered:
                return
            if via := self._hand(item):
                self.waiting.remove(item)
                modem.air.write({"event": item.kind, **modem.who, **item.about, "via": via})
            else:
                self._no_room = True  # the network waits with messages until it hears of room (23.040 §3.2.8)

    def room_made(self) -> None:
        self._no_room = False

    def reset(self) -> None:
        """The modem starts again; what was not acknowledged comes once more."""
        self._buffered.clear()
        self._no_room = False
        if self._unacknowledged is not None:
            self.waiting.appendleft(self._unacknowledged)
            self._unacknowledged = None

    def _next(self) -> Incoming | None:
        return next((item for item in self.waiting if item.kind == "report" or not self._no_room), None)

    def acknowledge(self) -> bool:
        """+CNMA; False where nothing awaits it."""
        awaited, self._unacknowledged = self._unacknowledged, None
        return awaited is not None

    def flush(self, keep: bool) -> None:
        """+CNMI with a mode that forwards: <bfr> 0 sends what was buffered, 1 forgets it (§3.4.1)."""
        buffered, self._buffered = self._buffered, []
        for text in buffered if keep else []:
            self._modem.urc(text)

    def _hand(self, item: Incoming) -> str:
        """How it went to the computer, or "" if it can't go now."""
        route = self._modem.settings.cnmi[1 if item.kind == "deliver" else 3]
        if item.kind == "report":
            direct = route == 1 and not (self._modem.faults and self._modem.faults.strikes("ds_ignored"))
            return self._direct(item, "CDS") if direct else self._report_stored(item, route)
        return self._direct(item, "CMT") if route == 2 else self._message_stored(item, route)

    def _pdu(self, item: Incoming) -> bytes:
        return air_encode.service_centre(self._modem.sim.centre) + item.tpdu

    def _direct(self, item: Incoming, name: str) -> str:
        """<mt> 2 or <ds> 1: the PDU on a line of its own; from phase 2+ on the next one waits for +CNMA (§3.4.4)."""
        alpha = "," if name == "CMT" else ""
        self._tell(f"+{name}: {alpha}{len(item.tpdu)}\r\n{self._pdu(item).hex().upper()}")
        if self._modem.settings.csms == 1:
            self._unacknowledged = item
            self._modem.later(self._modem.traits.acknowledge, lambda: self._not_acknowledged(item))
        return name.lower()

    def _not_acknowledged(self, item: Incoming) -> None:
        """§3.4.4: no +CNMA in time turns direct routing off, and the network tries again later."""
        if self._unacknowledged is item:
            self._unacknowledged = None
            mode, _, bm, _, bfr = self._modem.settings.cnmi
            self._modem.settings.cnmi = (mode, 0, bm, 0, bfr)
            self.waiting.appendleft(item)

    def _report_stored(self, item: Incoming, route: int) -> str:
        if route != 2:
            return "none"  # 27.005 §3.4.1 <ds> 0: not routed, and not kept
        store = self._modem.stores["SR"]
        if store.full:
            store.delete(min(store.slots), 0)  # a report is no message: the oldest gives way
        index = store.put(self._stored(item))
        self._tell(f'+CDSI: "{self._said(store)}",{index}')
        return "cdsi"

    def _said(self, store: Store) -> str:
        lies = self._modem.faults.strikes("cdsi_store_lies") if self._modem.faults else None
        return "SM" if lies else self._modem.vendor.report_store_said

    def _message_stored(self, item: Incoming, route: int) -> str:
        modem = self._modem
        store = modem.stores[self._receiving_store()]
        if store.full or (modem.faults and modem.faults.strikes("sim_full")):
            if modem.vendor.memory_full:
                modem.urc(modem.vendor.memory_full.format(store.name))
            return ""
        index = store.put(self._stored(item))
        if route:
            self._tell(f'+CMTI: "{store.name}",{index}')
        return "cmti" if route else "stored"

    def _receiving_store(self) -> str:
        chosen = self._modem.settings.stores[2]
        if self._modem.faults and self._modem.faults.strikes("stored_elsewhere"):
            return next(name for name in self._modem.stores if name not in (chosen, "SR"))
        return chosen

    def _stored(self, item: Incoming) -> Stored:
        return Stored(self._pdu(item), len(item.tpdu))

    def _tell(self, text: str) -> None:
        if self._modem.settings.cnmi[0] == 0:
            self._buffered.append(text)
        else:
            self._modem.urc(text)
