"""All modems of this site: discovery and one supervisor a modem, in one TaskGroup. The agent core's way in.

Rule: one modem's trouble never delays another; nothing here waits for one modem before it serves the next.
"""

from edge_agent.modem.config import ModemsConfig
from edge_agent.span import AgentSide, SpanStatus


class NoSuchSpan(LookupError):
    """No span of that identity or name is known here."""


class NotReady(RuntimeError):
    """The span cannot do this now; the text says why."""


class Fleet:
    """Runs until cancelled. Calls `agent` as edge_agent/span.py tells."""

    def __init__(self, config: ModemsConfig, agent: AgentSide) -> None:
        self._config = config
        self._agent = agent

    async def run(self) -> None:
        """Finds modems and keeps them alive until cancelled; ports are closed when it returns."""
        raise NotImplementedError

    def statuses(self) -> list[SpanStatus]:
        """Every span known since start, present or not, ordered by identity."""
        raise NotImplementedError

    async def ussd(self, span: str, code: str) -> str:
        """Asks the network, e.g. "*100#", and gives its answer. `span` is an identity or a configured name.

        Raises NoSuchSpan, NotReady, or UssdFailed (ussd.py) with the reason in words.
        """
        raise NotImplementedError
