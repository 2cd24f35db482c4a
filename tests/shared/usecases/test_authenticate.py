"""Who may in: passwords, locks and pace."""

from collections import Counter
from dataclasses import replace

import pytest

from shared import credentials
from shared.errors import BAD_CREDENTIALS, SUSPENDED, TOO_MANY_FAILURES, TOO_MANY_REQUESTS, ApiError, Kind
from shared.message import Account, Limits
from shared.ports import Unavailable
from shared.usecases.authenticate import REMEMBERED_S, Door
from shared.usecases.guessing import AT_ONCE, lock_s
from tests.api_rig import CHEAP, PASSWORD, Rig
from tests.fakes import FakeAccounts, FakeClock, FakeTallies

HOME, ELSEWHERE = "198.51.100.7", "203.0.113.9"


class House:
    """Accounts, counters and any number of doors to them, as many workers have them."""

    def __init__(self) -> None:
        self.clock, self.accounts, self.tallies = FakeClock(1_750_000_000.0), FakeAccounts(), FakeTallies()
        self.accounts.put_account(Account(name="acme", credential=CHEAP, limits=Limits(requests_per_second=0)))
        self.door = self.another_door()

    def another_door(self) -> Door:
        return Door(self.accounts, self.tallies, self.clock)

    def change(self, **changes: object) -> None:
        self.accounts.accounts["acme"] = replace(self.accounts.accounts["acme"], **changes)  # type: ignore[arg-type]

    def refused(self, password: str = "wrong", name: str = "acme", source: str = HOME) -> ApiError:
        with pytest.raises(ApiError) as caught:
            self.door.admit(name, password, source)
        return caught.value


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Against what each hash was compared."""
    made: list[str] = []
    verify = credentials.verify

    def counted(password: str, encoded: str) -> bool:
        made.append(encoded)
        return verify(password, encoded)

    monkeypatch.setattr(credentials, "verify", counted)
    return made


def test_the_right_password_lets_in(house: House) -> None:
    assert house.door.admit("acme", PASSWORD, HOME).name == "acme"


def test_a_warm_function_pays_the_hash_once_a_minute_at_most(house: House, hashes: list[str]) -> None:
    for _ in range(50):
        house.door.admit("acme", PASSWORD, HOME)
    assert len(hashes) == 1
    house.clock.sleep(REMEMBERED_S + 1)
    house.door.admit("acme", PASSWORD, HOME)
    assert len(hashes) == 2


def test_a_warm_admission_reads_and_writes_no_counter(house: House) -> None:
    house.door.admit("acme", PASSWORD, HOME)
    before = house.tallies.reads, house.tallies.writes
    house.door.admit("acme", PASSWORD, ELSEWHERE)
    assert (house.tallies.reads, house.tallies.writes) == before


def test_a_process_writes_only_for_a_password_that_it_meets_for_the_first_time(house: House) -> None:
    house.door.admit("acme", PASSWORD, HOME)
    assert (house.tallies.reads, house.tallies.writes) == (1, 2)
    for _ in range(5):
        house.clock.sleep(REMEMBERED_S + 1)
        house.door.admit("acme", PASSWORD, HOME)
    assert (house.tallies.reads, house.tallies.writes) == (6, 2)
    assert {tally.count for tally in house.tallies.rows.values()} == {0}


def test_no_password_stays_in_memory(house: House) -> None:
    house.door.admit("acme", PASSWORD, HOME)
    kept = repr([getattr(house.door, slot) for slot in vars(house.door) if slot != "_accounts"])
    assert "acme" in kept
    assert PASSWORD not in kept


def test_a_changed_password_ends_the_old_one_at_once(house: House) -> None:
    house.door.admit("acme", PASSWORD, HOME)
    house.change(credential=credentials.encode("another", n=2, r=1, p=1))
    assert house.refused(PASSWORD).kind is BAD_CREDENTIALS
    assert house.door.admit("acme", "another", HOME)


def test_remembering_one_password_does_not_let_another_in(house: House) -> None:
    house.door.admit("acme", PASSWORD, HOME)
    assert house.refused(PASSWORD + "x").kind is BAD_CREDENTIALS


def test_an_unknown_user_costs_and_is_answered_as_a_wrong_password_is(house: House, hashes: list[str]) -> None:
    house.change(credential=credentials.encode(PASSWORD))
    wrong, unknown = house.refused(), house.refused(name="nobody")
    assert wrong.sentence == unknown.sentence
    assert wrong.kind is unknown.kind is BAD_CREDENTIALS
    assert [encoded.split("$")[:4] for encoded in hashes] == [credentials.NOBODY.split("$")[:4]] * 2
    costs = []
    for name in ("acme", "nobody"):
        before = house.tallies.reads, house.tallies.writes
        house.refused(name=name)
        costs.append((house.tallies.reads - before[0], house.tallies.writes - before[1]))
    assert costs == [(1, 2), (1, 2)]


def test_unknown_users_are_slowed_as_known_ones_are(house: House) -> None:
    kinds = {name: [house.refused(name=name).kind for _ in range(8)] for name in ("acme", "nobody")}
    assert kinds["acme"] == kinds["nobody"]
    assert TOO_MANY_FAILURES in kinds["acme"]


def test_failures_slow_the_pair_down_and_then_lock_it_for_minutes() -> None:
    assert [lock_s(n) for n in (0, 4, 5, 6, 8, 11, 12, 13, 100)] == [0, 0, 2, 4, 16, 128, 256, 300, 300]


def test_while_it_is_locked_not_even_the_right_password_is_looked_at(house: House, hashes: list[str]) -> None:
    for _ in range(5):
        house.refused()
    hashed = len(hashes)
    error = house.refused(PASSWORD)
    assert error.kind is TOO_MANY_FAILURES
    assert error.retry_after == 2
    assert len(hashes) == hashed
    house.clock.sleep(2)
    assert house.door.admit("acme", PASSWORD, HOME)


def test_asking_while_locked_does_not_make_the_lock_longer(house: House) -> None:
    for _ in range(5):
        house.refused()
    for _ in range(20):
        house.refused()
    house.clock.sleep(2)
    assert house.door.admit("acme", PASSWORD, HOME)


def test_a_stranger_never_locks_the_customer_out(house: House) -> None:
    for _ in range(40):
        house.refused(source=ELSEWHERE)
        house.clock.sleep(30)
    assert house.refused(source=ELSEWHERE).kind is TOO_MANY_FAILURES
    assert house.door.admit("acme", PASSWORD, HOME)
    assert house.another_door().admit("acme", PASSWORD, HOME)


def test_every_worker_knows_of_the_failures_at_the_others(house: House) -> None:
    for _ in range(5):
        house.door = house.another_door()
        house.refused()
    house.door = house.another_door()
    assert house.refused().kind is TOO_MANY_FAILURES


def test_a_stranger_gets_few_guesses_in_a_day(house: House) -> None:
    guesses = 0
    for _ in range(24 * 60):
        guesses += house.refused().kind is BAD_CREDENTIALS
        house.clock.sleep(60)
    assert guesses < 24 * 24


def all_at_once(house: House, monkeypatch: pytest.MonkeyPatch, *passwords: str) -> list[Kind | None]:
    """What becomes of calls of which each begins while those before it are still hashing, at workers of their own."""
    waiting, answered, verify = list(passwords), list[Kind | None](), credentials.verify

    def begin_the_next() -> None:
        password = waiting.pop(0)
        try:
            house.another_door().admit("acme", password, HOME)
            answered.append(None)
        except ApiError as error:
            answered.append(error.kind)

    def meanwhile(password: str, encoded: str) -> bool:
        while waiting:
            begin_the_next()
        return verify(password, encoded)

    monkeypatch.setattr(credentials, "verify", meanwhile)
    while waiting:
        begin_the_next()
    monkeypatch.setattr(credentials, "verify", verify)
    return answered


def test_of_guesses_at_once_few_are_looked_at_and_from_then_on_one_at_a_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    guesses = ["wrong"] * 100 + [PASSWORD]
    first = Counter(all_at_once(house, monkeypatch, *guesses))
    assert first == {BAD_CREDENTIALS: AT_ONCE, TOO_MANY_FAILURES: 101 - AT_ONCE}
    for _ in range(5):
        assert Counter(all_at_once(house, monkeypatch, *guesses)) == {TOO_MANY_FAILURES: 101}
        house.clock.sleep(300)
        again = Counter(all_at_once(house, monkeypatch, *guesses))
        assert again == {BAD_CREDENTIALS: 1, TOO_MANY_FAILURES: 100}


def test_as_many_good_calls_come_in_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all_at_once(house, monkeypatch, *[PASSWORD] * AT_ONCE) == [None] * AT_ONCE
    assert all_at_once(house, monkeypatch, *[PASSWORD] * AT_ONCE) == [None] * AT_ONCE


def test_a_customer_who_mended_a_wrong_password_is_in_once_the_lock_is_over(house: House) -> None:
    for _ in range(60):
        house.refused()
        house.clock.sleep(60)
    house.clock.sleep(300)
    for _ in range(5):
        assert house.another_door().admit("acme", PASSWORD, HOME)


def test_the_hour_does_not_forgive(house: House) -> None:
    house.clock.time = 1_750_000_000 // 3600 * 3600 + 3000.0
    while house.clock.time % 3600 < 3590:
        house.refused()
        house.clock.sleep(5)
    error = house.refused()
    assert error.kind is TOO_MANY_FAILURES
    assert error.retry_after and error.retry_after > 60
    house.clock.sleep(60)
    assert house.refused().kind is TOO_MANY_FAILURES
    house.clock.sleep(300)
    assert [house.refused().kind for _ in range(2)] == [BAD_CREDENTIALS, TOO_MANY_FAILURES]
    house.clock.sleep(2 * 3600)
    assert [house.refused().kind for _ in range(5)] == [BAD_CREDENTIALS] * 5


def test_a_place_that_cannot_be_given_back_keeps_nobody_out(house: House) -> None:
    house.tallies.faults.then(None, None, Unavailable("throttled"))
    assert house.door.admit("acme", PASSWORD, HOME)


def test_a_process_that_died_while_hashing_keeps_its_place_for_seconds(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(credentials, "verify", lambda password, encoded: 1 / 0)
        for _ in range(AT_ONCE):
            with pytest.raises(ZeroDivisionError):
                house.door.admit("acme", PASSWORD, HOME)
    error = house.refused(PASSWORD)
    assert (error.kind, error.retry_after) == (TOO_MANY_FAILURES, 1)
    house.clock.sleep(10)
    assert house.door.admit("acme", PASSWORD, HOME)


def test_a_suspended_account_is_told_so_only_with_the_right_password(house: House) -> None:
    house.change(suspended=True)
    assert house.refused(PASSWORD).kind is SUSPENDED
    assert house.refused().kind is BAD_CREDENTIALS


def test_counters_hold_neither_names_nor_addresses(house: House) -> None:
    house.refused()
    assert not any("acme" in key or HOME in key for key in house.tallies.rows)


def test_requests_a_second_are_limited_and_the_wait_is_told(house: House) -> None:
    house.change(limits=Limits(requests_per_second=10))
    for _ in range(20):
        house.door.admit("acme", PASSWORD, HOME)
    error = house.refused(PASSWORD)
    assert error.kind is TOO_MANY_REQUESTS
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 2
    house.clock.sleep(error.retry_after)
    assert house.door.admit("acme", PASSWORD, HOME)


def test_many_workers_together_keep_the_limit_to_an_eighth_each(house: House) -> None:
    house.change(limits=Limits(requests_per_second=20))
    doors = [house.another_door() for _ in range(10)]
    let_in = 0
    for _ in range(40):
        for door in doors:
            try:
                let_in += bool(door.admit("acme", PASSWORD, HOME))
            except ApiError as error:
                assert error.kind is TOO_MANY_REQUESTS
    assert 40 <= let_in <= 40 + 10 * 5


def test_a_caller_who_is_not_busy_costs_no_write(house: House) -> None:
    house.change(limits=Limits(requests_per_second=20))
    house.door.admit("acme", PASSWORD, HOME)
    before = house.tallies.writes
    house.clock.sleep(2)
    for _ in range(200):
        house.door.admit("acme", PASSWORD, HOME)
        house.clock.sleep(0.5)
    assert house.tallies.writes == before


def test_a_busy_caller_costs_a_write_in_five_calls(house: House) -> None:
    house.change(limits=Limits(requests_per_second=20))
    house.door.admit("acme", PASSWORD, HOME)
    before = house.tallies.writes
    house.clock.sleep(2)
    for _ in range(1000):
        house.door.admit("acme", PASSWORD, HOME)
        house.clock.sleep(0.0501)
    assert house.tallies.writes - before <= 200


def test_one_accounts_pace_is_not_anothers(house: House) -> None:
    house.change(limits=Limits(requests_per_second=1))
    house.accounts.put_account(Account(name="calm", credential=CHEAP, limits=Limits(requests_per_second=1)))
    for _ in range(2):
        house.door.admit("acme", PASSWORD, HOME)
    assert house.refused(PASSWORD).kind is TOO_MANY_REQUESTS
    assert house.door.admit("calm", PASSWORD, HOME)


def test_a_stranger_without_the_password_does_not_use_up_the_pace(house: House) -> None:
    house.change(limits=Limits(requests_per_second=1))
    for _ in range(5):
        house.refused(source=ELSEWHERE)
    assert house.door.admit("acme", PASSWORD, HOME)


def test_without_the_shared_counter_each_worker_keeps_the_pace_alone(house: House) -> None:
    house.change(limits=Limits(requests_per_second=10))
    house.door.admit("acme", PASSWORD, HOME)
    house.tallies.faults.then(*[Unavailable("throttled")] * 100)
    admitted = 1
    with pytest.raises(ApiError, match="too_many_requests"):
        for _ in range(50):
            house.door.admit("acme", PASSWORD, HOME)
            admitted += 1
    assert admitted == 20


def test_bad_credentials_are_told_with_401_whatever_else_is_wrong() -> None:
    rig = Rig()
    answer = rig.call("/sms/send", password="wrong", dest_num="not a number")
    assert (answer.http, answer.code) == (401, BAD_CREDENTIALS.code)
    locked = [rig.call("/sms/send", password="wrong") for _ in range(6)][-1]
    assert (locked.http, locked.code) == (429, TOO_MANY_FAILURES.code)
    assert int(locked.headers["retry-after"]) >= 1
