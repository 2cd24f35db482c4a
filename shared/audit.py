"""What operators did, and the store in which nothing is done without a word of it.

Rule: a change and its entry are one write, so neither is ever there without the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.message import Account, Agent, Port


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Who did what, and when (epoch s). No secret, no message text, no phone number."""

    at: float
    who: str
    did: str  # the command, e.g. "agents revoke"
    account: str = ""  # empty for what concerns the whole stack
    what: str = ""  # in words


class AuditedStore(Protocol):
    """Every change is conditional on what it was made from; False when that is not what is stored any more."""

    def census(self) -> tuple[Sequence[Account], Sequence[Agent]]:
        """All there are, deleted accounts included; reads the whole table."""
        ...

    def add_account(self, account: Account, entry: Entry) -> bool: ...

    def change_account(self, before: Account, after: Account, entry: Entry) -> bool: ...

    def agents_of(self, account: str) -> Sequence[Agent]:
        """As they are now."""
        ...

    def delete_account(self, account: Account, entry: Entry, *, until: float) -> bool:
        """Leaves a stone with its name until then, so that nobody who takes the name finds its messages.

        False also when a code was given for one of its sites since `account` was read.
        """
        ...

    def add_agent(self, agent: Agent, entry: Entry) -> bool:
        """False also when there is no such account."""
        ...

    def change_agent(self, before: Agent, after: Agent, entry: Entry) -> bool:
        """What an operator decides of it; what its connections say is left alone."""
        ...

    def change_port(self, before: Port, after: Port, entry: Entry) -> bool: ...

    def note(self, entry: Entry) -> None:
        """For what is written elsewhere, and before it; once more if it then came to nothing."""
        ...

    def entries(self, account: str, since: float, most: int) -> Sequence[Entry]:
        """Newest first; of all accounts when it is empty."""
        ...
