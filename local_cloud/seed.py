"""What exists only locally: the account `demo`, its site, and its push settings that point at the receiver."""

from __future__ import annotations

from local_cloud.deploy import Deployment

ACCOUNT = "demo"
PASSWORD = "demo-local"  # noqa: S105 - exists on this machine only, and is printed at every start
AGENT = "site-1"


def seed(deployment: Deployment, receiver_port: int) -> str:
    """Fills the fresh tables; the credential that the site's agent connects with."""
    raise NotImplementedError
