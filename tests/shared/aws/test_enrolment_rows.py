"""The table and its stand-in do the same with codes, doubles and SIMs, whatever comes in whatever order."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.aws.account_table import AccountTable
from shared.message import Enrolment
from shared.ports import AccountStore
from tests.fakes import FakeAccounts, FakeClock
from tests.samples import NOW, account, agent, span

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CODES, CREDENTIALS, SIMS = ("c" * 64, "d" * 64, ""), ("1" * 64, "2" * 64), ("89a", "89b", "89c")


@pytest.fixture
def table(dynamodb: "DynamoDBClient") -> AccountTable:
    return AccountTable(dynamodb, "Config", FakeClock(NOW))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("trade"), st.sampled_from(CODES), st.sampled_from(CREDENTIALS), st.sampled_from([0, 5, 50])),
        st.tuples(st.just("double")),
        st.tuples(st.just("sim"), st.sampled_from(SIMS), st.booleans()),
    ),
    max_size=12,
)
_names = iter(range(10**6))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(STEPS)
def test_the_table_and_its_stand_in_agree(table: AccountTable, steps: list[tuple[object, ...]]) -> None:
    name, fake = f"acme{next(_names)}", FakeAccounts()
    invited = agent(account=name, credential="", revoked=True, enrolment=Enrolment(code=CODES[0], until=NOW + 10))
    told = []
    for store in (table, fake):
        store.put_account(account(name))
        store.put_agent(invited)
        told.append([_step(store, name, step) for step in steps])
    assert told[0] == told[1]


def _step(store: AccountStore, name: str, step: tuple[object, ...]) -> object:
    done: object = None
    match step:
        case ("trade", str(code), str(credential), int(late)):
            done = store.trade_code(name, "site-1", code=code, credential=credential, at=NOW + late)
        case ("double",):
            store.note_double(name, "site-1", at=NOW + 3)
            store.note_double(name, "site-2", at=NOW + 3)
        case ("sim", str(sim), bool(stale)):
            port = store.allot_ports(name, "site-1", [span()])["imei:1"]
            done = store.note_sim(port, "first", at=NOW + 1) if stale else None
            done = (done, store.note_sim(port, sim, at=NOW + 2))
    ports = store.allot_ports(name, "site-1", [span()])
    sims = [(p.iccid, p.iccid_before, p.sim_changed_at) for p in ports.values()]
    return done, store.agent(name, "site-1"), store.agent(name, "site-2"), sims


def test_the_first_sim_of_a_port_is_no_change_of_it(table: AccountTable) -> None:
    table.put_account(account())
    port = table.allot_ports("acme", "site-1", [span()])["imei:1"]
    assert table.note_sim(port, "89a", at=NOW)
    port = table.ports_of("acme", "site-1")["imei:1"]
    assert (port.iccid, port.iccid_before, port.sim_changed_at) == ("89a", "", 0.0)
    assert table.note_sim(port, "89b", at=NOW + 1)
    assert not table.note_sim(port, "89b", at=NOW + 2)  # another had seen it first
    port = table.ports_of("acme", "site-1")["imei:1"]
    assert (port.iccid, port.iccid_before, port.sim_changed_at) == ("89b", "89a", NOW + 1)
