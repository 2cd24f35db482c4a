"""What an operator does from his desk: accounts and agents. Every write is conditional: nothing is overwritten."""

import secrets
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared import agent_token, credentials
from shared.agent_token import NAME, AgentToken
from shared.message import Account, Agent
from shared.ports import AccountStore

_PASSWORD_BYTES = 18  # 24 characters, 144 bits


class Refused(ValueError):
    """What was asked for cannot be done; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Administration:
    accounts: AccountStore

    def create_account(self, name: str, *, timezone: str = "UTC", password: str = "") -> str:
        """The password, of which only a hash is kept; a strong one is made when none is given."""
        _check_name(name)
        try:
            ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise Refused(f"{timezone!r} is no time zone; give an IANA name like Europe/Berlin") from None
        secret = password or secrets.token_urlsafe(_PASSWORD_BYTES)
        account = Account(name=name, credential=credentials.encode(secret), timezone=timezone)
        if not self.accounts.put_account(account):
            raise Refused(f"account {name} exists already")
        return secret

    def add_agent(self, account: str, agent_id: str, *, site: str) -> AgentToken:
        """The credential that the agent bears; it cannot be shown again."""
        _check_name(agent_id)
        if self.accounts.account(account) is None:
            raise Refused(f"there is no account {account}")
        token = agent_token.new(account, agent_id)
        if not self.accounts.put_agent(Agent(account=account, id=agent_id, site=site, credential=token.digest)):
            raise Refused(f"agent {agent_id} of {account} exists already")
        return token


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise Refused(f"{name!r} cannot be a name; use 1 to 40 of a-z, 0-9, - and _, a letter or digit at both ends")
