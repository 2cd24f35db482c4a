from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import agent_token
from shared.enrolment import VALID_S, Answer
from shared.message import Enrolment
from shared.ports import Unavailable
from shared.usecases.connect_agent import admit, identify
from shared.usecases.enrol import trade
from shared.wire import Events
from tests.agent_bench import Bench, greeting
from tests.samples import NOW, agent

CODE = agent_token.AgentToken("acme", "site-1", "0" * 32)
NEW, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def bench() -> Bench:
    """An agent that was invited."""
    bench = Bench()
    invite(bench)
    return bench


def invite(bench: Bench, **differences: object) -> None:
    code = Enrolment(code=CODE.digest, until=bench.clock.now() + VALID_S)
    bench.accounts.agents[("acme", "site-1")] = agent(enrolment=code, **{"credential": "", **differences})


def traded(bench: Bench, credential: str = NEW) -> Answer:
    return trade("acme", "site-1", CODE.digest, credential, bench.ports)


def test_a_code_is_traded_once(bench: Bench) -> None:
    assert traded(bench) is Answer.TRADED
    assert bench.accounts.agents[("acme", "site-1")].credential == NEW
    assert traded(bench, OTHER) is Answer.USED
    assert bench.accounts.agents[("acme", "site-1")].credential == NEW


def test_a_trade_whose_answer_was_lost_is_told_again(bench: Bench) -> None:
    assert traded(bench) is traded(bench) is Answer.TRADED
    bench.clock.sleep(VALID_S + 1)
    assert traded(bench) is Answer.TRADED


def test_a_code_is_good_for_a_day(bench: Bench) -> None:
    bench.clock.sleep(VALID_S)
    assert traded(bench) is Answer.TRADED
    invite(bench)
    bench.clock.sleep(VALID_S + 1)
    assert traded(bench) is Answer.EXPIRED
    assert bench.accounts.agents[("acme", "site-1")].credential == ""


def test_a_code_that_was_replaced_or_taken_back_is_not_known(bench: Bench) -> None:
    later = replace(bench.accounts.agents[("acme", "site-1")], enrolment=Enrolment(code="f" * 64, until=NOW + VALID_S))
    bench.accounts.agents[("acme", "site-1")] = later
    assert traded(bench) is Answer.UNKNOWN
    bench.accounts.agents[("acme", "site-1")] = replace(later, enrolment=Enrolment())
    assert traded(bench) is Answer.UNKNOWN
    assert trade("acme", "nobody", CODE.digest, NEW, bench.ports) is Answer.UNKNOWN


@given(st.text(max_size=70))
def test_what_is_no_digest_is_never_put_in_force(credential: str) -> None:
    bench = Bench()
    invite(bench)
    answer = traded(bench, credential)
    assert bench.accounts.agents[("acme", "site-1")].credential == (credential if answer is Answer.TRADED else "")
    assert (answer is Answer.MALFORMED) == (len(credential) != 64 or not set(credential) <= set("0123456789abcdef"))


def test_enrolling_anew_ends_the_connection_and_the_credential_of_before(bench: Bench) -> None:
    old = agent_token.new("acme", "site-1")
    invite(bench, credential=old.digest, connection="c1", doubled_at=NOW)
    assert identify(f"Bearer {old}", bench.accounts) is not None  # until it is traded
    assert traded(bench) is Answer.TRADED
    assert bench.link.closed == ["c1"]
    assert identify(f"Bearer {old}", bench.accounts) is None
    assert bench.accounts.agents[("acme", "site-1")].doubled_at == 0.0


def test_a_connection_that_cannot_be_closed_does_not_undo_the_trade(bench: Bench) -> None:
    invite(bench, connection="c1")

    class Throttled(type(bench.link)):  # type: ignore[misc]
        def close(self, connection: str) -> None:
            raise Unavailable("throttled")

    bench.ports = replace(bench.ports, link=Throttled())
    assert traded(bench) is Answer.TRADED


def test_a_revoked_agent_that_is_invited_again_may_trade_and_connect(bench: Bench) -> None:
    invite(bench, revoked=True)
    token = agent_token.new("acme", "site-1")
    assert traded(bench, token.digest) is Answer.TRADED
    assert identify(f"Bearer {token}", bench.accounts) is not None


def test_the_door_tells_codes_from_credentials(bench: Bench) -> None:
    token = agent_token.new("acme", "site-1")
    assert admit(f"Enrol {CODE}", bench.accounts) == {"account": "acme", "agent": "site-1", "code": CODE.digest}
    assert admit(f"Bearer {CODE}", bench.accounts) is None  # a code is no credential
    traded(bench, token.digest)
    assert admit(f"Bearer {token}", bench.accounts) == {"account": "acme", "agent": "site-1"}
    assert admit(f"Enrol {token}", bench.accounts) is None  # a credential is no code


@pytest.mark.parametrize(
    "foreign", ["Enrol", "Enrol x", "Enrol acme.site-1.1", "Enrol acme.site-2." + "0" * 32, "Enrol .."]
)
def test_a_foreign_code_is_nobody(bench: Bench, foreign: str) -> None:
    assert admit(foreign, bench.accounts) is None


def test_an_agent_without_a_code_is_not_opened_by_an_empty_one(bench: Bench) -> None:
    bench.accounts.agents[("acme", "site-1")] = agent(credential="")
    assert admit("Enrol acme.site-1.", bench.accounts) is None
    assert admit("Bearer acme.site-1.", bench.accounts) is None


def test_what_a_revoked_agent_says_on_an_older_connection_is_not_listened_to() -> None:
    bench = Bench()
    older = bench.greeted("c1")
    bench.greeted("c2")
    bench.accounts.agents[("acme", "site-1")] = agent(revoked=True)
    (refusal,) = bench.say(older, Events(events=()))
    assert getattr(refusal, "code", "") == "revoked" and bench.link.closed == ["c1"]


def test_two_machines_with_one_identity_are_on_record_until_one_is_enrolled_anew(bench: Bench) -> None:
    bench.greeted("c1", boot_id="original")
    bench.greeted("c2", boot_id="clone")
    bench.say(bench.open("c3"), greeting(boot_id="original"))
    assert bench.accounts.agents[("acme", "site-1")].doubled_at == bench.clock.now()
    assert traded(bench) is Answer.TRADED
    assert bench.accounts.agents[("acme", "site-1")].doubled_at == 0.0
