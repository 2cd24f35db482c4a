from dataclasses import replace

import pytest

from shared.ports import Unavailable
from shared.usecases import administration_agents as agents
from shared.usecases import administration_spans as spans
from shared.usecases.administration import Refused
from shared.usecases.connect_agent import admit
from shared.wire import Refused as RefusedFrame
from shared.wire import SpanInfo
from tests.admin.conftest import Office
from tests.samples import NOW, span

DIGEST = "a" * 64


def test_an_invited_agent_has_a_code_of_which_only_a_digest_is_kept(office: Office) -> None:
    office.with_site()
    code = agents.add_agent(office.desk, "acme", "site-2", site="Attic")
    assert admit(f"Enrol {code}", office.accounts) == {"account": "acme", "agent": "site-2", "code": code.digest}
    rows = office.client.scan(TableName="Config")["Items"]
    assert code.secret not in str(rows)
    with pytest.raises(Refused, match="agents rotate"):
        agents.add_agent(office.desk, "acme", "site-2", site="elsewhere")
    with pytest.raises(Refused, match="no account"):
        agents.add_agent(office.desk, "nobody", "site-2", site="")


def test_a_new_code_leaves_the_credential_in_force_and_the_old_code_worthless(office: Office) -> None:
    office.with_site()
    first = agents.rotate_agent(office.desk, "acme", "site-1")
    assert office.accounts.trade_code("acme", "site-1", code=first.digest, credential=DIGEST, at=office.clock.now())
    second = agents.rotate_agent(office.desk, "acme", "site-1")
    assert office.agent().credential == DIGEST and not office.agent().enrolment.traded_at
    assert not office.accounts.trade_code(
        "acme", "site-1", code=first.digest, credential="b" * 64, at=office.clock.now()
    )
    assert office.accounts.trade_code("acme", "site-1", code=second.digest, credential="b" * 64, at=office.clock.now())
    assert office.agent().credential == "b" * 64


def test_revoking_voids_credential_and_code_and_closes_the_connection(office: Office) -> None:
    office.with_site()
    code = agents.rotate_agent(office.desk, "acme", "site-1")
    office.later()
    assert agents.revoke_agent(office.desk, "acme", "site-1")
    (frame,) = office.link.posted["c1"]
    assert isinstance(frame, RefusedFrame) and frame.code == "revoked"
    assert office.link.closed == ["c1"]
    assert office.agent().revoked and admit(f"Enrol {code}", office.accounts) is None
    assert office.agent().connection == "c1"  # what connections say is not the operator's to write
    assert [entry[0] for entry in office.audit()][-2:] == ["agents rotate", "agents revoke"]


def test_revoking_can_be_repeated_when_the_connection_could_not_be_closed(office: Office) -> None:
    office.with_site()
    office.link.faults.then(Unavailable("throttled"))
    with pytest.raises(Refused, match="run this again"):
        agents.revoke_agent(office.desk, "acme", "site-1")
    assert office.agent().revoked
    assert agents.revoke_agent(office.desk, "acme", "site-1")
    assert office.link.closed == ["c1"]


def test_revoking_a_site_that_is_away_is_done_by_the_table_alone(office: Office) -> None:
    office.with_site()
    office.accounts.disconnected("acme", "site-1", connection="c1", at=NOW + 1)
    assert not agents.revoke_agent(office.desk, "acme", "site-1")
    assert office.agent().revoked and office.link.posted["c1"] == []


def test_an_agent_that_connects_while_the_operator_writes_loses_nothing(office: Office) -> None:
    office.with_site()
    seen = office.agent()
    office.accounts.connected("acme", "site-1", connection="c2", since=NOW + 9, at=NOW + 9)
    assert office.store.change_agent(seen, replace(seen, site="Bonn"), office.desk.entry("agents test"))
    assert (office.agent().site, office.agent().connection) == ("Bonn", "c2")


def test_a_span_is_named_switched_and_capped(office: Office) -> None:
    office.with_site()
    spans.name_span(office.desk, "acme", 1, "left one")
    office.later()
    spans.switch_span(office.desk, "acme", 1, on=False)
    office.later()
    spans.cap_span(office.desk, "acme", 1, day=100, month=None)
    office.later()
    snapshot = office.accounts.snapshot("acme")
    assert snapshot
    port = snapshot.ports[1]
    assert (port.name, port.disabled, port.parts_per_day, port.parts_per_month) == ("left one", True, 100, 0)
    assert snapshot.ports[2].name == "lte-1.2"
    assert [entry[0] for entry in office.audit()][-3:] == ["spans name", "spans disable", "spans cap"]


def test_the_operators_name_stays_until_the_sites_own_configuration_says_another(office: Office) -> None:
    office.with_site()
    spans.name_span(office.desk, "acme", 1, "left one")
    assert office.accounts.allot_ports("acme", "site-1", [span("imei:1")])["imei:1"].name == "left one"
    told = [SpanInfo(span="imei:1", available=True, name="roof")]
    assert office.accounts.allot_ports("acme", "site-1", told)["imei:1"].name == "roof"


@pytest.mark.parametrize("site", ["", " ", "x" * 81, "Berlin\nroof", "\x1b[2J", "\u202eniilreB"])
def test_a_site_whose_place_would_break_lists_is_refused(office: Office, site: str) -> None:
    office.with_site()
    with pytest.raises(Refused, match="printable"):
        agents.add_agent(office.desk, "acme", "site-2", site=site)
    assert office.accounts.agent("acme", "site-2") is None


@pytest.mark.parametrize("name", ["", " ", "x" * 41, "a\nb", "a\0"])
def test_a_name_that_would_break_lists_is_refused(office: Office, name: str) -> None:
    office.with_site()
    with pytest.raises(Refused, match="printable"):
        spans.name_span(office.desk, "acme", 1, name)


def test_what_is_not_there_or_changes_nothing_is_refused(office: Office) -> None:
    office.with_site()
    with pytest.raises(Refused, match="spans list"):
        spans.name_span(office.desk, "acme", 7, "x")
    with pytest.raises(Refused, match="nothing would change"):
        spans.name_span(office.desk, "acme", 1, "lte-1.1")
    with pytest.raises(Refused, match="enabled already"):
        spans.switch_span(office.desk, "acme", 1, on=True)
    with pytest.raises(Refused, match="--day or --month"):
        spans.cap_span(office.desk, "acme", 1, day=None, month=None)
    with pytest.raises(Refused, match="agents list"):
        agents.rotate_agent(office.desk, "acme", "site-9")
