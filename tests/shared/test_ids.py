"""Message ids."""

import re

from shared import ids


def test_fresh_ids_sort_by_time_and_by_place_in_their_request() -> None:
    early, late = ids.fresh(1_750_000_000.0, 100), ids.fresh(1_750_000_000.001, 100)
    assert [*early, *late] == sorted({*early, *late})


def test_fresh_ids_of_one_moment_differ() -> None:
    assert len({ids.fresh(1_750_000_000.0, 1)[0] for _ in range(1000)}) == 1000


def test_a_fresh_id_is_a_ulid() -> None:
    """Its first ten characters are the milliseconds (github.com/ulid/spec)."""
    assert ids.fresh(1469918176.385, 1)[0].startswith("01ARYZ6S41")


def test_the_ids_of_a_request_id_are_the_same_whenever_asked_for() -> None:
    assert ids.derived("acme", "key", 3) == [*ids.derived("acme", "key", 2), ids.derived("acme", "key", 3)[2]]


def test_accounts_and_keys_do_not_share_ids() -> None:
    made = [ids.derived(*pair, 2) for pair in (("a", "bc"), ("ab", "c"), ("a", "b"), ("b", "bc"))]
    assert len({number for pair in made for number in pair}) == 8


def test_every_id_may_stand_in_a_key_and_in_a_url() -> None:
    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", one) for one in ids.fresh(2.0**33, 5) + ids.derived("a", "b", 5))
