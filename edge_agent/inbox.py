"""Received messages: raw SMS-DELIVERs are kept, joined and told. Rule: the modem may forget a PDU only once it is on
disk here.

What a PDU is a repeat of is told by its identity, never by its text: people do send "ok" twice.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from edge_agent import telling
from edge_agent.clock import Clock
from edge_agent.held import Contents, EventRow, ReceivedPart
from edge_agent.journal import Journal
from edge_agent.modem.pdu import Deliver, MalformedPdu, decode, join

log = logging.getLogger(__name__)

INCOMPLETE_S = 86_400.0
"""How long after its latest part a message is told without those that never came: networks try for hours."""
TOGETHER_S = 6 * 3600.0
"""Parts that the message centre took further apart are of two messages: a sender whose network fails between two parts
tries for some hours, and by the next day the 8-bit reference may be another message's."""
_SILENT_PID = 0x40
"""Short message type 0 (3GPP TS 23.040 §9.2.3.9): to be acknowledged, and its content discarded."""

Group = tuple[str, str, int, int, int]
"""SIM, sender, reference, its bits, and number of parts (23.040 §9.2.3.24.1)."""


@dataclass(slots=True, eq=False)
class Gathering:
    """The parts of one message so far, by their number."""

    parts: dict[int, tuple[ReceivedPart, Deliver]] = field(default_factory=dict)

    @property
    def latest(self) -> float:
        return max(part.at for part, _ in self.parts.values())

    def may_have(self, other: Deliver) -> bool:
        """Whether that part was sent with these, as far as their time stamps tell (TP-SCTS, 23.040 §9.2.3.11)."""
        stamps = [message.timestamp for _, message in self.parts.values()]
        return other.timestamp is None or all(
            stamp is None or abs((stamp - other.timestamp).total_seconds()) <= TOGETHER_S for stamp in stamps
        )


class Inbox:
    def __init__(self, journal: Journal, announce: Callable[[Sequence[EventRow]], None], clock: Clock) -> None:
        self._journal, self._announce, self._clock = journal, announce, clock
        self._gatherings: dict[Group, list[Gathering]] = {}

    def restore(self, contents: Contents) -> None:
        for part in contents.received:
            self._sort(part, _decode(part))

    async def take(self, span: str, imsi: str, pdu: str) -> None:
        """Keeps a raw PDU and tells the message if it is whole."""
        message = _decode(ReceivedPart("", span, imsi, pdu, 0.0))
        identity = message.identity if message else hashlib.blake2b(pdu.encode(), digest_size=16).hexdigest()
        # The SIM belongs to it: a TPDU does not name its recipient, and two SIMs may get the very same one.
        digest = hashlib.blake2b(f"{imsi or span}:{identity}".encode(), digest_size=16).hexdigest()
        part = ReceivedPart(digest, span, imsi, pdu, self._clock.now())
        kept = self._journal.keep_received(part)
        kept.add_done_callback(partial(self._kept, part, message))
        await asyncio.shield(kept)  # who waits may be cancelled, as its modem was lost; what was begun is not

    def _kept(self, part: ReceivedPart, message: Deliver | None, kept: "asyncio.Future[bool]") -> None:
        if not kept.cancelled() and kept.exception() is None and kept.result():
            self._sort(part, message)

    def give_up(self) -> None:
        """Tells messages whose missing parts are not to be expected any more."""
        before = self._clock.now() - INCOMPLETE_S
        for group, gatherings in list(self._gatherings.items()):
            for gathering in [one for one in gatherings if one.latest < before]:
                self._end(group, gathering)

    def _sort(self, part: ReceivedPart, message: Deliver | None) -> None:
        if message is None:
            self._put_by(part, "unreadable")
        elif message.pid == _SILENT_PID or message.encoding == "8bit" or message.ports is not None:
            self._put_by(part, "not for people")
        elif message.concat is None or message.concat.total == 1:
            self._tell(Gathering({1: (part, message)}), 1)
        else:
            self._gather(part, message)

    def _put_by(self, part: ReceivedPart, reason: str) -> None:
        log.info("%s: a received message is kept and not told: %s", part.span, reason)
        self._journal.complete_received([part.digest], None, lambda: None, reason)

    def _gather(self, part: ReceivedPart, message: Deliver) -> None:
        concat = message.concat
        assert concat is not None
        group = (part.imsi or part.span, message.originator.number, concat.ref, concat.bits, concat.total)
        gathering = next((one for one in self._gatherings.get(group, []) if one.may_have(message)), None)
        if gathering is not None and concat.seq in gathering.parts:  # it will not be whole: the reference is used again
            self._end(group, gathering)
            gathering = None
        if gathering is None:
            gathering = Gathering()
            self._gatherings.setdefault(group, []).append(gathering)
        gathering.parts[concat.seq] = (part, message)
        if len(gathering.parts) == concat.total:
            self._end(group, gathering)

    def _end(self, group: Group, gathering: Gathering) -> None:
        """Tells it as it is."""
        self._gatherings[group].remove(gathering)
        if not self._gatherings[group]:
            del self._gatherings[group]
        self._tell(gathering, group[4])

    def _tell(self, gathering: Gathering, total: int) -> None:
        numbers = sorted(gathering.parts)
        kept = [gathering.parts[number][0] for number in numbers]
        messages = [gathering.parts[number][1] for number in numbers]
        first, stamp = kept[0], messages[0].timestamp
        event = telling.received(
            _digest_of(kept),
            first.span,
            first.imsi,
            messages[0].originator.number,
            join(messages),
            stamp.timestamp() if stamp else first.at,
            total,
            [number for number in range(1, total + 1) if number not in gathering.parts],
        )
        self._journal.complete_received([part.digest for part in kept], event, lambda: self._announce([event]))
        log.info("%s: received a message of %d parts", first.span, total)


def _digest_of(parts: Sequence[ReceivedPart]) -> str:
    """Stable however often the parts are put together."""
    if len(parts) == 1:
        return parts[0].digest
    return hashlib.blake2b("".join(part.digest for part in parts).encode(), digest_size=16).hexdigest()


def _decode(part: ReceivedPart) -> Deliver | None:
    try:
        message = decode(part.pdu)
    except MalformedPdu as error:
        log.warning("%s: a received message cannot be read: %s", part.span, error.reason)
        return None
    return message if isinstance(message, Deliver) else None
