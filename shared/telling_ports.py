"""What the cloud side tells of itself: log, metrics, alerts. As in shared/ports.py, none raises but `Unavailable`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class ApiLog(Protocol):
    """What is kept of a call: never a body, a password or a phone number."""

    def answered(
        self, *, uri: str, code: int, http: int, account: str, reference: str, seconds: float, messages: Sequence[str]
    ) -> None:
        """`messages`: ids that a send was answered with, of which there are a hundred at most."""
        ...

    def broke(self, fault: BaseException, *, uri: str, reference: str) -> None:
        """Something unexpected: where and of what kind. Its own words stay out, they may quote what was sent."""
        ...


class SiteMetrics(Protocol):
    def spans(self, account: str, agent_id: str, *, available: int) -> None:
        """How many spans of a site can send. Told when that changes, so an unchanging site costs nothing."""
        ...


class Alerts(Protocol):
    def tell(self, subject: str, text: str) -> None:
        """One event for the operator, e.g. "site offline". No message text, no phone numbers."""
        ...
