"""An agent opens a connection: whose is the credential, or the code? Nothing is stored here: nothing is certain yet."""

import logging

from shared import agent_token, enrolment
from shared.message import Agent
from shared.ports import AccountStore

_log = logging.getLogger(__name__)


def admit(authorization: str, accounts: AccountStore) -> dict[str, str] | None:
    """What the gateway carries on every frame: account and agent, and `code` on a connection that only enrols."""
    agent = identify(authorization, accounts)
    if agent is not None:
        return {"account": agent.account, "agent": agent.id}
    return _invited(authorization, accounts)


def identify(authorization: str, accounts: AccountStore) -> Agent | None:
    """None when the credential is malformed, unknown, wrong or revoked; the caller is not told which, the log is."""
    token = agent_token.from_header(authorization)
    if token is None:
        return None
    agent = accounts.agent(token.account, token.agent)
    if agent is None or not token.fits(agent.credential) or agent.revoked:
        why = "unknown" if agent is None else "revoked" if token.fits(agent.credential) else "wrong"
        _log.warning("credential refused", extra={"account": token.account, "agent": token.agent, "why": why})
        return None
    return agent


def _invited(authorization: str, accounts: AccountStore) -> dict[str, str] | None:
    """Whether the code is still good is asked later, of who has shown that it is the right one."""
    code = agent_token.from_header(authorization, enrolment.SCHEME)
    agent = accounts.agent(code.account, code.agent) if code else None
    if code is None or agent is None or not code.fits(agent.enrolment.code):
        _log.warning("neither a credential nor a code that is known")
        return None
    return {"account": agent.account, "agent": agent.id, "code": code.digest}
