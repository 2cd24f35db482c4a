"""Passwords and what the door compares."""

import time

import pytest

from shared import credentials


def test_a_password_is_verified_and_another_is_not() -> None:
    encoded = credentials.encode("open sesame", n=16, r=1, p=1)
    assert credentials.verify("open sesame", encoded)
    assert not credentials.verify("open sesame ", encoded)
    assert not credentials.verify("", encoded)


def test_the_same_password_is_never_encoded_the_same_way_twice() -> None:
    assert credentials.encode("x", n=2, r=1, p=1) != credentials.encode("x", n=2, r=1, p=1)


def test_a_credential_carries_its_own_cost_so_that_the_cost_can_be_raised_later() -> None:
    assert credentials.encode("x", n=4, r=2, p=3).startswith("scrypt$4$2$3$")
    assert credentials.verify("пароль", credentials.encode("пароль", n=4, r=2, p=3))


def test_the_hash_is_memory_hard_and_costs_what_a_guesser_feels_and_a_caller_once_a_minute_does_not() -> None:
    """16 MiB (128 * N * r); the time varies with the machine, the order of magnitude does not."""
    encoded = credentials.encode("x")
    n, r, p = (int(part) for part in encoded.split("$")[1:4])
    assert 128 * n * r >= 16 * 2**20
    assert p >= 5
    started = time.process_time()
    credentials.verify("y", encoded)
    assert 0.03 < time.process_time() - started < 3


def test_nobody_costs_the_same_as_somebody_and_fits_no_password() -> None:
    assert credentials.NOBODY.split("$")[:4] == credentials.encode("x").split("$")[:4]
    assert not credentials.verify("", credentials.NOBODY)


def test_something_else_than_a_credential_is_an_error_and_not_a_wrong_password() -> None:
    with pytest.raises(ValueError, match="md5"):
        credentials.verify("x", "md5$1$1$1$aa$aa")


def test_a_proof_is_of_this_process_and_of_each_part() -> None:
    proofs = {
        credentials.proof(key, *parts)
        for key in (b"a", b"b")
        for parts in (("user", "word"), ("userw", "ord"), ("user", "words"))
    }
    assert len(proofs) == 6


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("198.51.100.7", "198.51.100.8", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("not an address", "not an address", True),
    ],
)
def test_a_source_is_an_address_or_one_customer_line_of_ipv6(one: str, other: str, same: bool) -> None:
    assert (credentials.source(one) == credentials.source(other)) is same
