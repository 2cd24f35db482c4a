"""What exists only locally: the account `demo`, its site's agent, and push settings that point at the receiver."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from local_cloud import aws
from local_cloud.deploy import Deployment

if TYPE_CHECKING:
    from shared.aws.account_table import AccountTable

ACCOUNT = "demo"
PASSWORD = "demo-local"  # noqa: S105 - exists on this machine only, and is printed at every start
AGENT = "site-1"


class _RealTime:
    """`shared.ports.Clock`."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def accounts(deployment: Deployment) -> AccountTable:
    """The accounts as they are stored. Reading here asks no function, and none remembers what it answered."""
    # Imported here, so that no process of the stack waits for it: by now they all have been started.
    from shared.aws.account_table import AccountTable

    return AccountTable(aws.dynamodb(deployment.endpoint), deployment.outputs["ConfigTable"], _RealTime())


def seed(deployment: Deployment, receiver_port: int) -> str:
    """Fills the fresh tables; the credential that the site's agent connects with."""
    from shared import agent_token, credentials
    from shared.message import Account, Agent, Limits

    table = accounts(deployment)
    # A cheap hash and no rate limit: nothing here is worth guarding, and tests call as fast as they can.
    password = credentials.encode(PASSWORD, n=2**10, p=1)
    table.put_account(Account(name=ACCOUNT, credential=password, limits=Limits(requests_per_second=0)))
    token = agent_token.new(ACCOUNT, AGENT)
    table.put_agent(Agent(account=ACCOUNT, id=AGENT, site="this machine", credential=token.digest))
    receiver: dict[str, str | int] = {"enable": 1, "url_host": "127.0.0.1", "url_path": "/push"}
    table.save_push_settings(ACCOUNT, receiver | {"url_port": str(receiver_port)})
    return str(token)


def prepare() -> None:
    """Imports what `seed` needs, while there is nothing else to do."""
    import shared.agent_token
    import shared.aws.account_table
    import shared.credentials  # noqa: F401
