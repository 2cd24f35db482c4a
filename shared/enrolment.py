"""How an agent trades its one-time code for a credential: what both sides have to agree on.

It is one handshake of the WebSocket and nothing else: the code stands in `Authorization`, the digest of a secret that
the agent has made itself in a header of its own, and the status of the answer says what became of it. The secret never
leaves the site, and a trade whose answer was lost can be repeated. Why so: docs/decisions/enrolment.md.
"""

import re
from enum import IntEnum

SCHEME = "Enrol"
DIGEST_HEADER = "Spanbridge-Credential-Digest"
VALID_S = 24 * 3600.0

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Answer(IntEnum):
    """HTTP statuses of the handshake. Only who shows the right code is told that it was used or is too old."""

    TRADED = 200  # the gateway makes 101 of it
    MALFORMED = 400
    UNKNOWN = 401
    USED = 409
    EXPIRED = 410


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None
