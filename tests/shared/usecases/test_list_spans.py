"""POST /sms/get_valid_spans: every span with the reason why one is not available."""

from dataclasses import replace

import pytest

from shared.lifecycle import State
from tests.api_rig import Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_one_row_a_span_over_all_sites_by_port_number(rig: Rig) -> None:
    rig.change_span("acme", "north", 2, operator="Testnet", signal_dbm=-71, imsi="262011234567890")
    ended, *_ = [rig.send(spans=[2]).data[0]["id"] for _ in range(4)]
    rig.end("acme", ended, State.SENT)
    rig.send("rival", spans=[2])
    rows = rig.call("/sms/get_valid_spans").data
    assert [(row["port"], row["site"], row["status"]) for row in rows] == [
        (1, "north", 1),
        (2, "north", 1),
        (3, "south", 1),
    ]
    assert rows[1] == {
        "port": 2,
        "port_name": "lte-1.2",
        "status": 1,
        "site": "north",
        "reason": "",
        "operator": "Testnet",
        "signal_dbm": -71,
        "imsi": "262011234567890",
        "queue": 3,
        "last_seen": "2025-06-15 15:06:40",
    }


@pytest.mark.parametrize("reason", ["SIM PIN required", "not registered", "daily limit reached"])
def test_a_span_that_is_not_available_says_why(rig: Rig, reason: str) -> None:
    rig.change_span("acme", "north", 1, available=False, reason=reason)
    row = rig.call("/sms/get_valid_spans").data[0]
    assert (row["status"], row["reason"]) == (0, reason)


def test_the_spans_of_an_offline_site_say_since_when(rig: Rig) -> None:
    rig.accounts.accounts["acme"] = replace(rig.accounts.accounts["acme"], timezone="Europe/Berlin")
    rig.take_offline("acme", "south")
    row = rig.call("/sms/get_valid_spans").data[2]
    assert (row["status"], row["reason"]) == (0, "agent offline since 2025-06-15 17:06:40")


def test_an_agent_that_was_never_there_a_revoked_one_and_a_disabled_port_say_so(rig: Rig) -> None:
    rig.take_offline("acme", "south")
    rig.accounts.agents["acme", "south"] = replace(rig.accounts.agents["acme", "south"], last_seen=0)
    rig.accounts.ports["acme", 1] = replace(rig.accounts.ports["acme", 1], disabled=True)
    reasons = [row["reason"] for row in rig.call("/sms/get_valid_spans").data]
    assert reasons == ["disabled by the operator", "", "agent never seen"]
    rig.accounts.agents["acme", "north"] = replace(rig.accounts.agents["acme", "north"], revoked=True)
    assert rig.call("/sms/get_valid_spans").data[1]["reason"] == "agent removed"


def test_a_port_stays_listed_when_its_modem_is_no_longer_there(rig: Rig) -> None:
    rig.accounts.save_spans("acme", "south", [], at=rig.clock.now(), whole=True)
    row = rig.call("/sms/get_valid_spans").data[2]
    assert (row["port"], row["status"], row["reason"]) == (3, 0, "no longer found by its agent")


def test_an_account_without_sites_has_no_rows(rig: Rig) -> None:
    rig.accounts.ports.clear()
    answer = rig.call("/sms/get_valid_spans")
    assert (answer.code, answer.data) == (0, [])
