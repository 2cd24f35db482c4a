"""The credential that an agent bears, and the one-time code it is got with: `<account>.<agent>.<secret>` both, of which
the cloud keeps only digests.

A plain SHA-256 is enough: the secrets have 256 and 128 bits of their own, so there is nothing to guess and nothing to
slow down.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")
"""What accounts and agents may be called: it stands in tokens, keys of tables and URLs."""

_SECRET_BYTES = 32
_CODE_BYTES = 16


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


def new_code(account: str, agent: str) -> AgentToken:
    """Hexadecimal: it is copied by hand at times."""
    return AgentToken(account, agent, secrets.token_hex(_CODE_BYTES))


def from_header(authorization: str, scheme: str = "Bearer") -> AgentToken | None:
    """Of `Bearer <token>`, or another scheme; None when it is no such thing."""
    named, _, token = authorization.strip().partition(" ")
    return parse(token.strip()) if named.lower() == scheme.lower() else None


def parse(text: str) -> AgentToken | None:
    """None when it is no token."""
    account, _, rest = text.partition(".")
    agent, _, secret = rest.partition(".")
    if not secret or not NAME.fullmatch(account) or not NAME.fullmatch(agent):
        return None
    return AgentToken(account, agent, secret)
