"""Sites from the operator's desk: invite one, give it a new credential, shut it out.

Rule: a credential is never seen here. What is printed is a code, good once and for a day (docs/decisions/enrolment.md).
"""

from dataclasses import replace

from shared import agent_token, enrolment
from shared.agent_token import AgentToken
from shared.message import Agent, Enrolment
from shared.ports import Gone, Unavailable
from shared.usecases.administration import Desk, Refused, changed_meanwhile, check_label, check_name
from shared.wire import Refused as RefusedFrame

_LONGEST_SITE = 80
_REVOKED = RefusedFrame(code="revoked", text="this agent's credential was revoked, enrol it again")


def add_agent(desk: Desk, account: str, agent_id: str, *, site: str) -> AgentToken:
    """The one-time code; it cannot be shown again, only replaced by `rotate`."""
    check_name(agent_id)
    desk.account(account)
    check_label(site, _LONGEST_SITE)
    code = agent_token.new_code(account, agent_id)
    agent = Agent(account=account, id=agent_id, site=site, credential="", enrolment=_open(desk, code))
    if not desk.store.add_agent(agent, desk.entry("agents add", account, agent_id)):
        raise Refused(f"agent {agent_id} of {account} exists already; for a new code: agents rotate")
    return code


def rotate_agent(desk: Desk, account: str, agent_id: str) -> AgentToken:
    """A new code. The credential of before works on until it is traded, and then never again."""
    before = agent_of(desk, account, agent_id)
    code = agent_token.new_code(account, agent_id)
    after = replace(before, enrolment=_open(desk, code))
    if not desk.store.change_agent(before, after, desk.entry("agents rotate", account, agent_id)):
        raise changed_meanwhile(f"agent {agent_id}")
    return code


def revoke_agent(desk: Desk, account: str, agent_id: str) -> bool:
    """Voids credential and code. Whether it was connected: then its connection is closed by now.

    May be repeated, should the closing have failed.
    """
    before = agent_of(desk, account, agent_id)
    after = replace(before, revoked=True, enrolment=Enrolment())
    if after != before and not desk.store.change_agent(before, after, desk.entry("agents revoke", account, agent_id)):
        raise changed_meanwhile(f"agent {agent_id}")
    now = desk.accounts.agent(account, agent_id)  # it may have come back on another one while this was written
    return now is not None and bool(now.connection) and _cut(desk, now.connection)


def _cut(desk: Desk, connection: str) -> bool:
    try:
        desk.link.post(connection, _REVOKED)
        desk.link.close(connection)
    except Gone:
        return False
    except Unavailable as fault:
        raise Refused(f"it is revoked, but its connection was not closed ({fault}); run this again") from fault
    return True


def agent_of(desk: Desk, account: str, agent_id: str) -> Agent:
    found = desk.accounts.agent(account, agent_id)
    if found is None:
        raise Refused(f"there is no agent {agent_id} of {account}; agents list shows all")
    return found


def _open(desk: Desk, code: AgentToken) -> Enrolment:
    return Enrolment(code=code.digest, until=desk.clock.now() + enrolment.VALID_S)
