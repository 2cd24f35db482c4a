"""The states of a message and every transition that may happen, as one table with its rules on top.

`queued → sending → sent → delivered`; an attempt can also end `failed`, `cancelled`, `expired` or `uncertain`.
Rule: a state only moves along `TRANSITIONS`; a repeated or late event is never an error, it changes nothing.
"""

from enum import StrEnum


class State(StrEnum):
    """Where a message stands. Stored by both sides, projected to `Status` for callers."""

    QUEUED = "queued"  # durable in the Outbox, not known to be with a modem
    SENDING = "sending"  # in the agent's journal, being worked on
    SENT = "sent"  # the modem took every part
    DELIVERED = "delivered"  # the network reported every part delivered
    UNDELIVERED = "undelivered"  # taken, but a final report says it never arrived
    REFUSED = "refused"  # modem or network would not take it: nothing, or not all of it, went out
    UNAVAILABLE = "unavailable"  # no span could take it, nothing went out
    CANCELLED = "cancelled"  # taken back before a modem had it
    EXPIRED = "expired"  # its time was up before a modem had it, as far as is known
    UNCERTAIN = "uncertain"  # handed to the modem, no answer came; never sent again by itself


class Status(StrEnum):
    """What callers see. `DELIVERD` is spelled as the API's page spells it [D]."""

    SENDING = "SENDING"
    SENT = "SENT"
    DELIVERED = "DELIVERD"
    FAILED = "FAILED"


_OPEN = frozenset({State.QUEUED, State.SENDING})
_TRUTHS = frozenset({State.SENT, State.DELIVERED, State.UNDELIVERED, State.REFUSED, State.UNAVAILABLE, State.UNCERTAIN})

TRANSITIONS: dict[State, frozenset[State]] = {
    State.QUEUED: _TRUTHS | {State.SENDING, State.CANCELLED, State.EXPIRED},
    State.SENDING: _TRUTHS | {State.QUEUED, State.CANCELLED, State.EXPIRED},
    State.SENT: frozenset({State.DELIVERED, State.UNDELIVERED}),
    # The cloud may expire or cancel what a cut-off agent had really done: its late truth wins.
    State.EXPIRED: _TRUTHS | {State.CANCELLED},
    State.CANCELLED: _TRUTHS,
    # Only a delivery report, which names what the network has, settles an uncertain message.
    State.UNCERTAIN: frozenset({State.SENT, State.DELIVERED, State.UNDELIVERED}),
    State.DELIVERED: frozenset(),
    State.UNDELIVERED: frozenset(),
    State.REFUSED: frozenset(),
    State.UNAVAILABLE: frozenset(),
}

STATUS: dict[State, Status] = {
    State.QUEUED: Status.SENDING,
    State.SENDING: Status.SENDING,
    State.SENT: Status.SENT,
    State.DELIVERED: Status.DELIVERED,
} | {s: Status.FAILED for s in State if s not in {State.QUEUED, State.SENDING, State.SENT, State.DELIVERED}}


class ImpossibleTransition(Exception):
    """Raised when code (not input) asks for a transition that the table lacks; names both states."""

    def __init__(self, old: State, new: State) -> None:
        super().__init__(f"a message cannot go from {old} to {new}")
        self.old, self.new = old, new


def may(old: State, new: State) -> bool:
    """Whether a message in `old` may become `new`."""
    return new in TRANSITIONS[old]


def sources(new: State) -> frozenset[State]:
    """All states that may become `new`: the condition of a conditional write."""
    return frozenset(old for old, news in TRANSITIONS.items() if new in news)


def has_ended(state: State) -> bool:
    """Whether the attempt has ended, so that the message is listed and no longer pending."""
    return state not in _OPEN
