"""What the end of a connection means, and how long to wait before the next one. Pure."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Then = Literal["retry", "reenrol", "stop"]

FIRST_S, LONGEST_S = 1.0, 120.0
"""Full jitter (a uniform share of a doubling bound), so that a hundred thousand agents cut off at once come back
spread out: API Gateway takes 500 new connections a second for the whole account (quota)."""
REENROL_S = 600.0
"""How often a credential that was refused is shown again, s: a person may have allowed it meanwhile."""
PROVEN_S = 60.0
"""A connection counts as good, and waiting starts from the bottom again, after being welcome for this long, s."""

# Close codes of ours (RFC 6455 §7.4.2: 4000-4999 are private), for gateways that can send them; `refused` frames say
# the same.
CLOSE_CODES: dict[int, Then] = {4401: "reenrol", 4403: "reenrol", 4409: "stop", 4426: "stop"}


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Why a connection ended, or never began, and what follows from it."""

    then: Then
    reason: str


def of_status(status: int) -> Disconnect:
    """The cloud answered the handshake with HTTP instead."""
    if status in {401, 403}:
        advice = "the credential was not accepted; check cloud.credential_file, or enroll this agent again"
        return Disconnect("reenrol", f"{advice} (HTTP {status})")
    if status == 404:
        return Disconnect(
            "reenrol", "cloud.url leads to nothing; it must be the WebSocket URL with its stage (HTTP 404)"
        )
    if status == 429:
        return Disconnect("retry", "the cloud takes no more connections just now (HTTP 429)")
    return Disconnect("retry", f"the cloud did not open the connection (HTTP {status})")


def of_close(code: int | None, text: str) -> Disconnect:
    """A connection that was open has ended."""
    then = CLOSE_CODES.get(code or 0, "retry")
    if code is None or code == 1006:
        return Disconnect(then, "the connection broke off")
    return Disconnect(then, f"the connection was closed ({code}{' ' + text if text else ''})")


class Backoff:
    """Waiting times before attempts; `proven` starts from the bottom again."""

    def __init__(self, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._uniform = uniform
        self._attempt = 0

    def delay(self, then: Then) -> float:
        if then == "reenrol":
            return self._uniform(REENROL_S / 2, REENROL_S)
        bound = min(LONGEST_S, FIRST_S * 2.0 ** min(self._attempt, 10))
        self._attempt += 1
        return self._uniform(0.0, bound)

    def proven(self) -> None:
        self._attempt = 0


def renewals(renew_s: float, uniform: Callable[[float, float], float] = random.uniform) -> Iterator[float]:
    """After how long each connection is to be replaced, spread by 5 % so that agents do not come in step."""
    while True:
        yield uniform(renew_s * 0.95, renew_s * 1.05)
