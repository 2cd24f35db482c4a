"""An agent opens a connection: whose is the credential? Nothing is stored: the connection cannot be posted to yet."""

import logging

from shared import agent_token
from shared.message import Agent
from shared.ports import AccountStore

_log = logging.getLogger(__name__)


def identify(authorization: str, accounts: AccountStore) -> Agent | None:
    """None when the credential is malformed, unknown, wrong or revoked; the caller is not told which, the log is."""
    token = agent_token.from_header(authorization)
    if token is None:
        _log.warning("a credential that is none")
        return None
    agent = accounts.agent(token.account, token.agent)
    if agent is None or not token.fits(agent.credential) or agent.revoked:
        why = "unknown" if agent is None else "revoked" if token.fits(agent.credential) else "wrong"
        _log.warning("credential refused", extra={"account": token.account, "agent": token.agent, "why": why})
        return None
    return agent
