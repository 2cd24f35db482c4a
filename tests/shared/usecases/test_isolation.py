"""Accounts never see, use or disturb each other's spans, messages or settings: an attempt at every endpoint."""

from typing import Any

import pytest

from shared import credentials
from shared.errors import UNKNOWN_PORT
from shared.lifecycle import State
from shared.message import Account
from shared.usecases.operations import OPERATIONS
from tests.api_rig import PASSWORD, Rig

SECRET = "for rival's eyes only"
MARKS = ("rival", "east", SECRET, "+4915199999", "rival.example", "imei:east")


@pytest.fixture
def rig() -> Rig:
    """Where rival has of everything."""
    rig = Rig()
    for n, state in enumerate((State.SENT, State.DELIVERED, State.REFUSED)):
        number = rig.send("rival", dest_num="+4915199999", msg=SECRET, request_id=f"key{n}").data[0]["id"]
        rig.end("rival", number, state, text=SECRET)
    rig.send("rival", dest_num="+4915199999", msg=SECRET)
    rig.receive("rival", "e1", "+4915199999", SECRET, rig.clock.now())
    rig.call(
        "/smsoutbox/set_config", "rival", url_host="rival.example", enable=1, signing_secret="rivals-own-secret-word"
    )
    return rig


BROAD: dict[str, dict[str, Any]] = {
    "/sms/get_valid_spans": {"site": "east", "account": "rival"},
    "/sms/send": {"dest_num": "111", "msg": "x", "account": "rival"},
    "/smsoutbox/get": {
        "phone_number_filter": "*",
        "include_pending": 1,
        "page_size": 100,
        "with_total": 1,
        "account": "rival",
    },
    "/smsinbox/get": {"phone_number_filter": "*", "page_size": 100, "with_total": 1, "account": "rival"},
    "/smsoutbox/get_config": {"account": "rival"},
    "/smsoutbox/set_config": {"account": "rival", "url_path": "/mine"},
}


def test_there_is_an_attempt_for_every_endpoint() -> None:
    assert set(BROAD) == set(OPERATIONS)


@pytest.mark.parametrize("path", sorted(BROAD))
def test_nothing_of_another_account_shows_in_any_answer(rig: Rig, path: str) -> None:
    answer = rig.call(path, **BROAD[path])
    assert answer.code == 0
    assert not [mark for mark in MARKS if mark in answer.text]
    assert answer.json.get("total", 0) == 0


@pytest.mark.parametrize("path", ["/smsoutbox/get", "/smsinbox/get"])
@pytest.mark.parametrize("number", ["+4915199999", "rival#+4915199999", "#+4915199999", "+49151*", "*"])
def test_another_accounts_numbers_find_nothing(rig: Rig, path: str, number: str) -> None:
    answer = rig.call(path, phone_number_filter=number, include_pending=1)
    assert (answer.code, answer.data) == (0, [])


def test_a_port_number_means_ones_own_port(rig: Rig) -> None:
    """Both accounts have a port 1; only rival has a port 4."""
    assert rig.send(spans=[1]).data[0]["port_name"] == "lte-1.1"
    assert len(rig.posted("acme-north")) == 1
    before = len(rig.posted("rival-east"))
    assert rig.send(spans=[4]).code == UNKNOWN_PORT.code
    assert len(rig.posted("rival-east")) == before


def test_a_request_id_of_another_account_neither_shows_nor_blocks(rig: Rig) -> None:
    answer = rig.send(dest_num="+4915199999", msg=SECRET, request_id="key0")
    assert answer.code == 0
    assert ("acme", answer.data[0]["id"]) in rig.outbox.rows
    assert ("rival", answer.data[0]["id"]) not in rig.outbox.rows


def test_settings_are_ones_own(rig: Rig) -> None:
    rig.call("/smsoutbox/set_config", url_host="acme.example", enable=0)
    (theirs,) = rig.call("/smsoutbox/get_config", "rival").data
    assert (theirs["url_host"], theirs["enable"], theirs["signing_secret_set"]) == ("rival.example", 1, 1)


def test_one_accounts_password_opens_no_other(rig: Rig) -> None:
    rig.accounts.put_account(Account(name="third", credential=credentials.encode("other word", n=2, r=1, p=1)))
    for path in OPERATIONS:
        assert rig.call(path, "acme").code != 1100
        assert rig.call(path, "third", password=PASSWORD).http in {401, 429}


@pytest.mark.parametrize("name", ["rival#slots", "#tally#x", "rival ", "RIVAL", "rival\0", "", "acme#rival", "~", "*"])
def test_a_name_that_is_part_of_a_key_is_no_account(rig: Rig, name: str) -> None:
    answer = rig.call("/smsoutbox/get", name)
    assert answer.http in {400, 401}
    assert answer.data == []
