from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest

from shared.aws.account_table import AccountTable
from shared.aws.keys import watch_shard
from shared.message import Life, Port
from shared.outages import LOST_AFTER_S
from shared.presence import BACK_WITHIN_S, SILENT_AFTER_S
from tests.fakes import FakeClock
from tests.samples import NOW, account, agent, span

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def accounts(dynamodb: "DynamoDBClient", clock: FakeClock) -> AccountTable:
    return AccountTable(dynamodb, "Config", clock)


@pytest.fixture
def with_agent(accounts: AccountTable) -> AccountTable:
    accounts.put_account(account())
    accounts.put_agent(agent())
    return accounts


def test_a_name_is_taken_once(accounts: AccountTable) -> None:
    assert accounts.put_account(account(timezone="Europe/Berlin"))
    assert not accounts.put_account(account())
    found = accounts.account("acme")
    assert found is not None and found.timezone == "Europe/Berlin"
    assert accounts.put_agent(agent())
    assert not accounts.put_agent(agent(site="elsewhere"))
    assert accounts.agent("acme", "site-1") == agent()


def test_what_does_not_exist_is_none(accounts: AccountTable) -> None:
    assert accounts.account("nobody") is None
    assert accounts.snapshot("nobody") is None
    assert accounts.snapshot_of_ports("nobody", [1]) is None
    assert accounts.agent("nobody", "x") is None
    assert accounts.spans("nobody", "x") == ()
    assert accounts.push_settings("nobody") == {}


def test_an_account_is_remembered_for_seconds(
    accounts: AccountTable, dynamodb: "DynamoDBClient", clock: FakeClock
) -> None:
    accounts.put_account(account())
    accounts.account("acme")
    dynamodb.delete_item(TableName="Config", Key={"account": {"S": "acme"}, "sk": {"S": "ACCOUNT"}})
    assert accounts.account("acme") is not None
    clock.sleep(5)
    assert accounts.account("acme") is None


def test_a_snapshot_holds_all_of_an_account_and_nothing_of_another(with_agent: AccountTable) -> None:
    with_agent.put_agent(agent("site-2", account="other"))
    with_agent.allot_ports("acme", "site-1", [span("imei:1"), span("imei:2")])
    with_agent.save_spans("acme", "site-1", [span("imei:1"), span("imei:2")], at=NOW, whole=True)
    snapshot = with_agent.snapshot("acme")
    assert snapshot is not None
    assert set(snapshot.sites) == {"site-1"}
    assert [info.span for info in snapshot.sites["site-1"].spans] == ["imei:1", "imei:2"]
    assert {n: port.span for n, port in snapshot.ports.items()} == {1: "imei:1", 2: "imei:2"}


def test_a_send_with_given_ports_reads_only_their_sites(with_agent: AccountTable) -> None:
    with_agent.put_agent(agent("site-2"))
    with_agent.allot_ports("acme", "site-1", [span("imei:1")])
    with_agent.allot_ports("acme", "site-2", [span("imei:2")])
    with_agent.save_spans("acme", "site-2", [span("imei:2")], at=NOW, whole=True)
    snapshot = with_agent.snapshot_of_ports("acme", [2, 2, 99])
    assert snapshot is not None
    assert set(snapshot.ports) == {2} and set(snapshot.sites) == {"site-2"}
    assert snapshot.sites["site-2"].spans == (span("imei:2"),)


def test_settings_come_back_as_saved(accounts: AccountTable) -> None:
    assert accounts.save_push_settings("acme", {"enable": 1, "url_host": "a.example"}, before={})
    held = accounts.push_settings("acme")
    assert held == {"enable": 1, "url_host": "a.example"}
    assert accounts.save_push_settings("acme", {"enable": 1, "url_host": "ü.example"}, before=held)
    assert not accounts.save_push_settings("acme", {"enable": 0}, before=held)
    assert not accounts.save_push_settings("acme", {"enable": 0}, before={})
    assert accounts.save_push_settings("acme", {"enable": 0}, before=accounts.push_settings("acme"))
    assert accounts.push_settings("acme") == {"enable": 0}


# ---------------------------------------------------------------------------------------------------- presence


def test_a_newer_connection_takes_over_and_an_older_one_never_does(with_agent: AccountTable) -> None:
    life = Life(boot_id="b1", previous_boot_id="b0", journal_id="j1", version="1.0")
    assert with_agent.connected("acme", "site-1", connection="c2", since=NOW + 2, at=NOW + 3, life=life)
    assert not with_agent.connected("acme", "site-1", connection="c1", since=NOW + 1, at=NOW + 4)
    assert with_agent.connected("acme", "site-1", connection="c2", since=NOW + 2, at=NOW + 5)
    found = with_agent.agent("acme", "site-1")
    assert found == agent(connection="c2", connected_at=NOW + 2, last_seen=NOW + 5, life=life)


def test_an_agent_that_was_never_enrolled_cannot_connect(with_agent: AccountTable) -> None:
    assert not with_agent.connected("acme", "ghost", connection="c1", since=NOW, at=NOW)
    assert with_agent.agent("acme", "ghost") is None


def test_a_late_disconnect_never_unseats_the_newer_connection(with_agent: AccountTable) -> None:
    with_agent.connected("acme", "site-1", connection="c1", since=NOW, at=NOW)
    with_agent.connected("acme", "site-1", connection="c2", since=NOW + 1, at=NOW + 1)
    assert not with_agent.disconnected("acme", "site-1", connection="c1", at=NOW + 2)
    assert with_agent.disconnected("acme", "site-1", connection="c2", at=NOW + 3)
    assert not with_agent.disconnected("acme", "site-1", connection="c2", at=NOW + 4)
    found = with_agent.agent("acme", "site-1")
    assert found is not None and (found.connection, found.last_seen) == ("", NOW + 3)


def test_who_is_silent_is_due_once_and_told_of_once(with_agent: AccountTable) -> None:
    with_agent.connected("acme", "site-1", connection="c1", since=NOW, at=NOW)
    assert with_agent.unheard(NOW + SILENT_AFTER_S) == []
    due = NOW + SILENT_AFTER_S + 1
    assert with_agent.unheard(due) == [("acme", "site-1")]
    missed = with_agent.missed("acme", "site-1", before=due)
    assert missed is not None and missed.connection == "c1"
    again = with_agent.missed("acme", "site-1", before=due)  # as after a crash: it was not told yet
    assert again is not None and again.last_seen == missed.last_seen
    assert with_agent.unheard(due) == [("acme", "site-1")]
    with_agent.missed_told("acme", "site-1")
    assert with_agent.missed("acme", "site-1", before=due) is None
    assert with_agent.unheard(due) == []
    found = with_agent.agent("acme", "site-1")
    assert found is not None and (found.connection, found.offline_told) == ("", True)


def test_who_was_heard_of_meanwhile_is_not_missed(with_agent: AccountTable) -> None:
    with_agent.connected("acme", "site-1", connection="c1", since=NOW, at=NOW)
    due = NOW + SILENT_AFTER_S + 1
    with_agent.seen("acme", "site-1", at=due)
    assert with_agent.missed("acme", "site-1", before=due) is None


def test_a_closed_connection_is_told_of_only_when_the_site_stays_away(with_agent: AccountTable) -> None:
    with_agent.connected("acme", "site-1", connection="c1", since=NOW, at=NOW)
    with_agent.disconnected("acme", "site-1", connection="c1", at=NOW + 10)
    assert with_agent.unheard(NOW + 10 + BACK_WITHIN_S) == []
    assert with_agent.unheard(NOW + 11 + BACK_WITHIN_S) == [("acme", "site-1")]
    with_agent.connected("acme", "site-1", connection="c2", since=NOW + 20, at=NOW + 20)
    assert with_agent.unheard(NOW + 11 + BACK_WITHIN_S) == []


def test_a_sites_return_makes_it_a_site_that_is_online(with_agent: AccountTable) -> None:
    with_agent.connected("acme", "site-1", connection="c1", since=NOW, at=NOW)
    with_agent.missed("acme", "site-1", before=NOW + SILENT_AFTER_S + 1)
    with_agent.connected("acme", "site-1", connection="c2", since=NOW + 9000, at=NOW + 9000)
    with_agent.missed_told("acme", "site-1")  # which is late by now
    found = with_agent.agent("acme", "site-1")
    assert found is not None and not found.offline_told
    assert with_agent.count_expected() == 1


def test_looking_for_the_silent_costs_the_same_however_many_sites_there_are(
    accounts: AccountTable, dynamodb: "DynamoDBClient"
) -> None:
    counts = []
    for n in (0, 40):
        for i in range(n):
            accounts.put_agent(agent(f"site-{i}"))
            accounts.connected("acme", f"site-{i}", connection=f"c{i}", since=NOW, at=NOW)
        asked = _Counting(dynamodb)
        assert AccountTable(asked.client, "Config", FakeClock()).unheard(NOW + 60) == []
        counts.append(asked.calls)
    assert counts[0] == counts[1]


def test_the_watch_is_spread_over_its_shards() -> None:
    assert {watch_shard("acme", f"site-{n}") for n in range(200)} == {str(n) for n in range(8)}


# ---------------------------------------------------------------------------------------------------- spans


def test_a_hello_that_tells_nothing_new_writes_nothing(with_agent: AccountTable) -> None:
    told = [span("imei:1", signal_dbm=-71, queue=3), span("imei:2")]
    assert len(with_agent.save_spans("acme", "site-1", told, at=0, whole=True)) == 2
    wandered = [span("imei:1", signal_dbm=-79, queue=0, next_at=NOW), span("imei:2")]
    assert with_agent.save_spans("acme", "site-1", wandered, at=0, whole=True) == ()
    assert with_agent.spans("acme", "site-1")[0].signal_dbm == -71


def test_what_a_person_would_act_on_is_told_as_before_and_now(with_agent: AccountTable) -> None:
    with_agent.save_spans("acme", "site-1", [span("imei:1"), span("imei:2")], at=0, whole=True)
    down = span("imei:2", available=False, reason="SIM PIN required")
    assert with_agent.save_spans("acme", "site-1", [down], at=NOW, whole=False) == ((span("imei:2"), down),)
    assert with_agent.spans("acme", "site-1") == (span("imei:1"), down)


def test_a_word_that_was_overtaken_does_not_count(with_agent: AccountTable) -> None:
    with_agent.save_spans("acme", "site-1", [span("imei:1"), span("imei:2")], at=0, whole=True)
    down = span("imei:1", available=False, reason="not registered")
    with_agent.save_spans("acme", "site-1", [span("imei:1")], at=NOW + 2, whole=False)
    assert with_agent.save_spans("acme", "site-1", [down], at=NOW + 1, whole=False) == ()
    assert with_agent.spans("acme", "site-1") == (span("imei:1"), span("imei:2"))


def test_two_words_at_once_both_count(with_agent: AccountTable, dynamodb: "DynamoDBClient") -> None:
    first, second = span("imei:1", operator="A"), span("imei:2", operator="B")
    racing = _Interposed(
        dynamodb, "update_item", lambda: with_agent.save_spans("acme", "site-1", [second], at=NOW, whole=False)
    )
    AccountTable(racing.client, "Config", FakeClock()).save_spans("acme", "site-1", [first], at=NOW, whole=False)
    assert {info.span: info.operator for info in with_agent.spans("acme", "site-1")} == {"imei:1": "A", "imei:2": "B"}


def test_a_span_that_stays_down_is_due_until_it_was_told_and_again_when_it_is_back(
    with_agent: AccountTable, clock: FakeClock
) -> None:
    down, site = span("imei:2", available=False, reason="SIM PIN required"), ("acme", "site-1")
    with_agent.save_spans(*site, [span("imei:1"), span("imei:2")], at=0, whole=True)
    assert with_agent.spans_due(NOW + 9e9) == []
    with_agent.save_spans(*site, [down], at=NOW, whole=False)
    due = NOW + LOST_AFTER_S
    assert with_agent.spans_due(due) == [] and with_agent.spans_due(due + 1) == [site]
    assert with_agent.count_expected() == 0  # agents are counted, not spans
    clock.sleep(LOST_AFTER_S)
    assert with_agent.span_news(*site, at=due) == (down,)
    with_agent.note_told(*site, [down], at=due, done=False)
    assert with_agent.spans_due(due + 1) == [site]
    with_agent.note_told(*site, [down], at=due, done=True)
    assert with_agent.spans_due(NOW + 9e9) == [] and with_agent.span_news(*site, at=NOW + 9e9) == ()
    with_agent.save_spans(*site, [span("imei:2")], at=NOW + 300, whole=False)
    assert with_agent.spans_due(due) == [site] and with_agent.span_news(*site, at=due) == (span("imei:2"),)
    with_agent.note_told(*site, [span("imei:2")], at=due, done=False)
    with_agent.note_told(*site, [span("imei:2")], at=due, done=True)
    assert with_agent.spans_due(NOW + 9e9) == []
    assert with_agent.spans(*site) == (span("imei:1"), span("imei:2"))


def test_what_was_put_off_is_due_again_with_the_next_word_even_if_that_says_nothing_new(
    with_agent: AccountTable,
) -> None:
    down, site = span("imei:2", available=False, reason="SIM PIN required"), ("acme", "site-1")
    with_agent.save_spans(*site, [span("imei:2")], at=0, whole=True)
    with_agent.save_spans(*site, [down], at=0, whole=True)
    with_agent.put_off_spans(*site, until=NOW + 9000)
    assert with_agent.spans_due(NOW + 8999) == [] and with_agent.spans_due(NOW + 9001) == [site]
    with_agent.save_spans(*site, [down], at=0, whole=True)
    assert with_agent.spans_due(NOW + LOST_AFTER_S + 1) == [site]
    with_agent.note_told(*site, [down], at=NOW, done=True)
    with_agent.put_off_spans(*site, until=NOW)  # of nothing
    assert with_agent.spans_due(NOW + 9e9) == []


def test_what_is_noted_of_spans_and_what_is_heard_of_them_at_once_both_count(
    with_agent: AccountTable, dynamodb: "DynamoDBClient"
) -> None:
    down, site = span("imei:2", available=False, reason="SIM PIN required"), ("acme", "site-1")
    with_agent.save_spans(*site, [span("imei:2")], at=0, whole=True)
    with_agent.save_spans(*site, [down], at=NOW, whole=False)
    racing = _Interposed(
        dynamodb,
        "update_item",
        lambda: with_agent.save_spans(*site, [span("imei:2")], at=NOW + 1, whole=False),
    )
    AccountTable(racing.client, "Config", FakeClock()).note_told(*site, [down], at=NOW, done=True)
    assert with_agent.span_news(*site, at=NOW) == (span("imei:2"),)  # it is told of as back


def test_nothing_is_noted_of_spans_that_are_no_more(with_agent: AccountTable) -> None:
    with_agent.note_told("acme", "site-1", [span("imei:2", available=False)], at=NOW, done=True)
    with_agent.put_off_spans("acme", "site-1", until=NOW)
    assert with_agent.spans_due(NOW + 9e9) == []


# ---------------------------------------------------------------------------------------------------- ports


def test_a_span_keeps_its_port_whatever_else_comes_and_goes(with_agent: AccountTable) -> None:
    first = with_agent.allot_ports("acme", "site-1", [span("imei:1"), span("imei:2")])
    assert _numbers(first) == {"imei:1": 1, "imei:2": 2}
    later = with_agent.allot_ports("acme", "site-1", [span("imei:9"), span("imei:2", device="ttyUSB7")])
    assert _numbers(later) == {"imei:1": 1, "imei:2": 2, "imei:9": 3}
    assert _numbers(with_agent.ports_of("acme", "site-1")) == {"imei:1": 1, "imei:2": 2, "imei:9": 3}


def test_ports_of_one_site_are_read_apart_from_those_between_them_and_far_from_them(with_agent: AccountTable) -> None:
    with_agent.allot_ports("acme", "site-1", [span("imei:1")])
    with_agent.allot_ports("acme", "site-2", [span("imei:1"), span("imei:2")])
    with_agent.allot_ports("acme", "site-1", [span("imei:2")])
    assert _numbers(with_agent.ports_of("acme", "site-1")) == {"imei:1": 1, "imei:2": 4}
    assert _numbers(with_agent.ports_of("acme", "site-2")) == {"imei:1": 2, "imei:2": 3}
    with_agent.allot_ports("acme", "site-2", [span(f"imei:{n}") for n in range(3, 30)])
    with_agent.allot_ports("acme", "site-1", [span("imei:3")])
    assert _numbers(with_agent.ports_of("acme", "site-1")) == {"imei:1": 1, "imei:2": 4, "imei:3": 32}


def test_the_same_modem_at_another_site_has_another_port(with_agent: AccountTable) -> None:
    with_agent.allot_ports("acme", "site-1", [span("imei:1")])
    assert _numbers(with_agent.allot_ports("acme", "site-2", [span("imei:1")])) == {"imei:1": 2}


def test_port_names_are_the_configurations_or_made_of_technology_board_and_place(with_agent: AccountTable) -> None:
    ports = with_agent.allot_ports("acme", "site-1", [span("imei:1"), span("imei:2", name="roof")])
    other = with_agent.allot_ports("acme", "site-2", [span("imei:3", technology="")])
    assert [ports["imei:1"].name, ports["imei:2"].name, other["imei:3"].name] == ["lte-1.1", "roof", "gsm-2.1"]
    again = with_agent.allot_ports("acme", "site-1", [span("imei:2", name="cellar"), span("imei:1")])
    assert (again["imei:1"].name, again["imei:2"].name) == ("lte-1.1", "cellar")


def test_the_operators_name_stays_until_the_configuration_says_another(
    with_agent: AccountTable, dynamodb: "DynamoDBClient"
) -> None:
    with_agent.allot_ports("acme", "site-1", [span("imei:1", name="roof")])
    dynamodb.update_item(
        TableName="Config",
        Key={"account": {"S": "acme"}, "sk": {"S": "PORT#000001"}},
        UpdateExpression="SET #name = :name",
        ExpressionAttributeNames={"#name": "name"},
        ExpressionAttributeValues={":name": {"S": "the operator's"}},
    )
    kept = with_agent.allot_ports("acme", "site-1", [span("imei:1", name="roof")])
    assert kept["imei:1"].name == "the operator's"
    assert with_agent.allot_ports("acme", "site-1", [span("imei:1", name="attic")])["imei:1"].name == "attic"


def test_a_port_named_before_its_technology_was_known_gets_its_proper_name_once(with_agent: AccountTable) -> None:
    with_agent.allot_ports("acme", "site-1", [span("imei:1", technology=""), span("imei:2", technology="")])
    known = with_agent.allot_ports("acme", "site-1", [span("imei:2", technology="lte")])
    assert [known["imei:1"].name, known["imei:2"].name] == ["gsm-1.1", "lte-1.2"]
    assert with_agent.ports_of("acme", "site-1") == known
    later = with_agent.allot_ports("acme", "site-1", [span("imei:2", technology="nr")])
    assert later["imei:2"].name == "lte-1.2"


def test_more_spans_than_one_transaction_takes_get_ports(with_agent: AccountTable) -> None:
    many = [span(f"imei:{n}") for n in range(90)]
    assert sorted(_numbers(with_agent.allot_ports("acme", "site-1", many)).values()) == list(range(1, 91))


def test_two_that_allot_at_once_never_give_a_span_two_ports(
    with_agent: AccountTable, dynamodb: "DynamoDBClient"
) -> None:
    spans = [span("imei:1"), span("imei:2")]
    racing = _Interposed(
        dynamodb, "transact_write_items", lambda: with_agent.allot_ports("acme", "site-1", [span("imei:2")])
    )
    ports = AccountTable(racing.client, "Config", FakeClock()).allot_ports("acme", "site-1", spans)
    assert ports == with_agent.allot_ports("acme", "site-1", spans)
    assert {port.number: port.name for port in ports.values()} == {1: "lte-1.1", 2: "lte-1.2"}
    snapshot = with_agent.snapshot("acme")
    assert snapshot is not None
    assert sorted(port.span for port in snapshot.ports.values()) == ["imei:1", "imei:2"]


@pytest.mark.parametrize("method", ["query", "batch_get_item", "transact_write_items"])
def test_two_modems_that_are_found_at_once_share_no_name(
    with_agent: AccountTable, dynamodb: "DynamoDBClient", method: str
) -> None:
    racing = _Interposed(dynamodb, method, lambda: with_agent.allot_ports("acme", "site-1", [span("imei:2")]))
    ports = AccountTable(racing.client, "Config", FakeClock()).allot_ports("acme", "site-1", [span("imei:1")])
    assert {port.number: (port.span, port.name) for port in ports.values()} == {
        1: ("imei:2", "lte-1.1"),
        2: ("imei:1", "lte-1.2"),
    }


@pytest.mark.parametrize("method", ["batch_get_item", "transact_write_items"])
def test_two_sites_that_enrol_together_share_no_port_and_no_board(
    with_agent: AccountTable, dynamodb: "DynamoDBClient", method: str
) -> None:
    def enrol(client: "DynamoDBClient", site: str) -> None:
        AccountTable(client, "Config", FakeClock()).allot_ports("acme", site, [span(f"{site}-{n}") for n in range(4)])

    racing = _Interposed(dynamodb, method, lambda: enrol(dynamodb, "site-2"))
    enrol(racing.client, "site-1")
    snapshot = with_agent.snapshot("acme")
    assert snapshot is not None
    assert sorted(snapshot.ports) == list(range(1, 9))
    assert len({port.name for port in snapshot.ports.values()}) == 8


def _numbers(ports: Any) -> dict[str, int]:
    typed: dict[str, Port] = dict(ports)
    return {identity: port.number for identity, port in typed.items()}


class _Interposed:
    """A client with whom, before the first call of one method, something else happens."""

    def __init__(self, real: "DynamoDBClient", method: str, before: Callable[[], object]) -> None:
        self._real, self._method = real, method
        self._before: list[Callable[[], object]] = [before]
        self.client = cast("DynamoDBClient", self)

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            if name == self._method and self._before:
                self._before.pop()()
            return getattr(self._real, name)(**request)

        return call


class _Counting:
    def __init__(self, real: "DynamoDBClient") -> None:
        self._real, self.calls = real, 0
        self.client = cast("DynamoDBClient", self)

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.calls += 1
            return getattr(self._real, name)(**request)

        return call


def test_one_spans_port_is_read_by_itself(accounts: AccountTable) -> None:
    ports = accounts.allot_ports("acme", "site-1", [span("imei:1"), span("imei:2")])
    assert accounts.port_of("acme", "site-1", "imei:2") == ports["imei:2"]
    assert accounts.port_of("acme", "site-1", "imei:9") is None
