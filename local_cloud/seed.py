"""What exists only locally: the account `demo`, its site's agent, and push settings that point at the receiver."""

from __future__ import annotations

import time

from local_cloud import aws
from local_cloud.deploy import Deployment

ACCOUNT = "demo"
PASSWORD = "demo-local"  # noqa: S105 - exists on this machine only, and is printed at every start
AGENT = "site-1"


class _RealTime:
    """`shared.ports.Clock`."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def seed(deployment: Deployment, receiver_port: int) -> str:
    """Fills the fresh tables; the credential that the site's agent connects with."""
    # Imported here, so that no process of the stack waits for it: by now they all have been started.
    from shared import agent_token, credentials
    from shared.aws.account_table import AccountTable
    from shared.message import Account, Agent, Limits

    table = deployment.outputs["ConfigTable"]
    accounts = AccountTable(aws.dynamodb(deployment.endpoint), table, _RealTime())
    # A cheap hash and no rate limit: nothing here is worth guarding, and tests call as fast as they can.
    password = credentials.encode(PASSWORD, n=2**10, p=1)
    accounts.put_account(Account(name=ACCOUNT, credential=password, limits=Limits(requests_per_second=0)))
    token = agent_token.new(ACCOUNT, AGENT)
    accounts.put_agent(Agent(account=ACCOUNT, id=AGENT, site="this machine", credential=token.digest))
    receiver: dict[str, str | int] = {
        "enable": 1,
        "url_host": "127.0.0.1",
        "url_port": str(receiver_port),
        "url_path": "/push",
    }
    accounts.save_push_settings(ACCOUNT, receiver)
    return str(token)
