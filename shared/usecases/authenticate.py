"""Who is calling: password, suspension and pace.

Rules: a password that was right is not hashed again for a minute, and only a keyed digest of it stays in memory.
Failures count for the pair of account and source, so that a stranger never locks a customer out (guessing.py); an
account that does not exist counts, costs and answers like one that does. Nothing is written unless a password was wrong
or new to this process, or a caller busy.
"""

import secrets
from dataclasses import dataclass

from shared import credentials
from shared.errors import BAD_CREDENTIALS, SUSPENDED, TOO_MANY_REQUESTS, ApiError
from shared.message import Account
from shared.ports import AccountStore, Clock, TallyStore, Unavailable
from shared.usecases.guessing import Guessing, digest

REMEMBERED_S = 60.0
_MOST_REMEMBERED = 1000
_WINDOW_S = 2.0
_SHARES = 8
SLOWEST_PACE = 1 / _WINDOW_S  # requests a second; with less not one call a window would come in


@dataclass(slots=True)
class _Window:
    """One account's calls in one window, as far as this process knows."""

    number: int = -1
    told: int = 0  # of all processes, as of the last exchange
    untold: int = 0  # of this process since then


class Door:
    """Lives as long as the process. One call at a time, as Lambda runs them."""

    def __init__(self, accounts: AccountStore, tallies: TallyStore, clock: Clock) -> None:
        self._accounts, self._tallies, self._clock = accounts, tallies, clock
        self._guessing = Guessing(tallies, clock)
        self._process_key = secrets.token_bytes(32)
        self._remembered: dict[str, tuple[bytes, float]] = {}
        self._windows: dict[str, _Window] = {}

    def admit(self, username: str, password: str, address: str) -> Account:
        """The account. Raises ApiError when the caller may not in, or not now."""
        account = self._authenticated(username, password, address)
        if account.suspended:
            raise ApiError(SUSPENDED)
        self._keep_pace(account)
        return account

    def _authenticated(self, username: str, password: str, address: str) -> Account:
        now = self._clock.now()
        account = self._accounts.account(username)
        encoded = account.credential if account else credentials.NOBODY
        proof = credentials.proof(self._process_key, username, password, encoded)
        known, until = self._remembered.get(username, (b"", 0.0))
        remembered = account is not None and secrets.compare_digest(proof, known)
        if account and remembered and now < until:
            return account
        pair = username, credentials.source(address)
        failures = self._guessing.failures(*pair)
        place = "" if remembered else self._guessing.take_place(failures, *pair)
        if not credentials.verify(password, encoded) or account is None:
            self._guessing.failed(*pair)
            raise ApiError(BAD_CREDENTIALS)
        if place:
            self._guessing.give_back(place)
        self._remember(username, proof, now + REMEMBERED_S)
        return account

    def _remember(self, username: str, proof: bytes, until: float) -> None:
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[username] = (proof, until)

    def _keep_pace(self, account: Account) -> None:
        """A fixed window of two seconds. An eighth of it is counted in memory before it is told to the other workers.

        So a caller who is not busy costs no write, a busy one at most one in that many calls, and what all workers let
        through together passes the limit by an eighth a worker at most.
        """
        limit = account.limits.requests_per_second * _WINDOW_S
        if limit <= 0:
            return
        number, into = divmod(self._clock.now(), _WINDOW_S)
        window = self._window(account.name, int(number))
        window.untold += 1
        if window.told + window.untold <= limit and window.untold >= max(1.0, limit / _SHARES):
            self._exchange(account.name, window)
        if window.told + window.untold > limit:
            raise ApiError(TOO_MANY_REQUESTS, retry_after=_WINDOW_S - into)

    def _window(self, name: str, number: int) -> _Window:
        if len(self._windows) >= _MOST_REMEMBERED:
            self._windows.clear()
        window = self._windows.setdefault(name, _Window())
        if window.number != number:
            window = self._windows[name] = _Window(number)
        return window

    def _exchange(self, name: str, window: _Window) -> None:
        now = self._clock.now()
        try:
            tally = self._tallies.add(f"pace#{digest(name)}#{window.number}", window.untold, at=now, until=now + 60)
        except Unavailable:
            return  # then each worker keeps the pace by itself
        window.told, window.untold = tally.count, 0
