import logging
from dataclasses import replace

import pytest

from shared import agent_token
from shared.ports import Unavailable
from shared.usecases.connect_agent import identify
from tests.fakes import FakeAccounts
from tests.samples import agent

TOKEN = agent_token.AgentToken("acme", "site-1", "s3cret-" * 7)  # fixed: it stands in the names of tests
ENROLLED = agent(credential=TOKEN.digest)


@pytest.fixture
def accounts() -> FakeAccounts:
    accounts = FakeAccounts()
    accounts.put_agent(ENROLLED)
    return accounts


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer  {TOKEN} "])
def test_a_credential_tells_whose_it_is(accounts: FakeAccounts, header: str) -> None:
    assert identify(header, accounts) == ENROLLED


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer x",
        f"Basic {TOKEN}",
        str(TOKEN),
        f"Bearer {TOKEN}x",
        f"Bearer acme.site-2.{TOKEN.secret}",
        f"Bearer other.site-1.{TOKEN.secret}",
        f"Bearer acme#slots.site-1.{TOKEN.secret}",
        f"Bearer acme.site-1.{TOKEN.digest}",
        "Bearer acme.site-1.",
        "Bearer ..",
    ],
)
def test_what_does_not_fit_is_nobody(accounts: FakeAccounts, header: str) -> None:
    assert identify(header, accounts) is None


def test_a_revoked_agent_is_nobody(accounts: FakeAccounts) -> None:
    accounts.agents[("acme", "site-1")] = replace(ENROLLED, revoked=True)
    assert identify(f"Bearer {TOKEN}", accounts) is None


def test_a_table_that_cannot_be_read_is_no_verdict_on_the_credential(accounts: FakeAccounts) -> None:
    accounts.faults.then(Unavailable("throttled"))
    with pytest.raises(Unavailable):
        identify(f"Bearer {TOKEN}", accounts)


def test_no_secret_reaches_the_log(accounts: FakeAccounts, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = agent_token.new("acme", "site-1")
    identify(f"Bearer {wrong}", accounts)
    assert caplog.records and wrong.secret not in str([record.__dict__ for record in caplog.records])
    assert wrong.secret not in repr(wrong)


def test_tokens_differ_and_only_their_digest_is_kept() -> None:
    other = agent_token.new("acme", "site-1")
    assert other.secret != agent_token.new("acme", "site-1").secret and len(other.secret) >= 43
    assert TOKEN.fits(TOKEN.digest) and not other.fits(TOKEN.digest)
    assert TOKEN.secret not in TOKEN.digest
