"""The credential that an agent bears: `<account>.<agent>.<secret>`, of which the cloud keeps only a digest.

A plain SHA-256 is enough: the secret has 256 bits of its own, so there is nothing to guess and nothing to slow down.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")
"""What accounts and agents may be called: it stands in tokens, keys of tables and URLs."""

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class AgentToken:
    account: str
    agent: str
    secret: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.account}.{self.agent}.{self.secret}"

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the secret: what is stored."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def fits(self, digest: str) -> bool:
        """Compared in constant time."""
        return hmac.compare_digest(self.digest, digest)


def new(account: str, agent: str) -> AgentToken:
    return AgentToken(account, agent, secrets.token_urlsafe(_SECRET_BYTES))


def from_header(authorization: str) -> AgentToken | None:
    """Of `Bearer <token>`; None when it is no such thing."""
    scheme, _, token = authorization.strip().partition(" ")
    account, _, rest = token.strip().partition(".")
    agent, _, secret = rest.partition(".")
    if scheme.lower() != "bearer" or not secret or not NAME.fullmatch(account) or not NAME.fullmatch(agent):
        return None
    return AgentToken(account, agent, secret)
