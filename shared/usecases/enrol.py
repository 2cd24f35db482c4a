"""A new machine at a site trades its one-time code for a credential: docs/decisions/enrolment.md.

Rules: a code is traded once, by one conditional write; the same trade told again is answered as the first time; and the
connection of the machine that had the identity before ends.
"""

import logging

from shared import enrolment
from shared.enrolment import Answer
from shared.message import Agent
from shared.ports import AgentLink, Unavailable
from shared.usecases.agent_line import SessionPorts

_log = logging.getLogger(__name__)


def trade(account: str, agent_id: str, code: str, credential: str, ports: SessionPorts) -> Answer:
    """`code` and `credential` are digests, the former as the gateway's authorizer found it."""
    if not enrolment.is_digest(credential):
        return Answer.MALFORMED
    before = ports.accounts.agent(account, agent_id)
    if before is None:
        return Answer.UNKNOWN
    now = ports.clock.now()
    if not ports.accounts.trade_code(account, agent_id, code=code, credential=credential, at=now):
        return _why_not(ports.accounts.agent(account, agent_id), code, credential)
    _log.info("enrolled", extra={"account": account, "agent": agent_id})
    _cut(before, ports.link)
    return Answer.TRADED


def _why_not(agent: Agent | None, code: str, credential: str) -> Answer:
    if agent is None or agent.enrolment.code != code:
        return Answer.UNKNOWN
    if not agent.enrolment.traded_at:
        return Answer.EXPIRED
    return Answer.TRADED if agent.credential == credential and not agent.revoked else Answer.USED


def _cut(agent: Agent, link: AgentLink) -> None:
    """The old machine comes back at once with a credential that is none any more, and is told so."""
    if not agent.connection:
        return
    try:
        link.close(agent.connection)
    except Unavailable:
        _log.warning("the connection of before was not closed", extra={"account": agent.account, "agent": agent.id})
