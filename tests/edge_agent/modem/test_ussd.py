"""USSD against scripted modems."""

import asyncio

import pytest

from edge_agent.modem import ussd_text
from edge_agent.modem.quirks import PLAIN
from edge_agent.modem.ussd import Ussd, UssdFailed
from tests.edge_agent.modem.scripted import Ear, scripted
from tests.edge_agent.modem.virtual_time import run_virtually

ASK = '> AT+CSCS="GSM"\n< OK\n> AT+CUSD=1,"*100#",15\n'


def ask(script: str, code: str = "*100#") -> str:
    async def story() -> str:
        ear = Ear()
        channel, modem = await scripted(script, ear)
        ussd = Ussd(channel, PLAIN)
        ear.on_urc = ussd.on_urc  # type: ignore[method-assign]
        try:
            return await ussd.ask(code)
        finally:
            assert modem.done

    return run_virtually(story())


def test_the_networks_answer_comes_after_the_ok() -> None:
    assert ask(ASK + '< OK\n< +CUSD: 0,"Balance: 5 EUR",15') == "Balance: 5 EUR"


def test_or_before_it() -> None:
    assert ask(ASK + '< +CUSD: 0,"Balance: 5 EUR",15\n< OK') == "Balance: 5 EUR"


def test_an_answer_may_have_lines() -> None:
    assert ask(ASK + '< OK\n< +CUSD: 0,"Balance:\n< 5 EUR",15') == "Balance:\n5 EUR"


def test_a_menu_is_shown_and_left() -> None:
    assert ask(ASK + '< OK\n< +CUSD: 1,"1 Balance",15\n> AT+CUSD=2\n< OK') == "1 Balance"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("< +CME ERROR: 30", "no network service"),
        ("< OK\n< +CUSD: 4", "does not support"),
        ("< OK\n< +CUSD: 5", "in time"),
        ("< OK\n< +CUSD: 2", "ended it without an answer"),
        ("< OK\n> AT+CUSD=2\n< OK", "did not answer in time"),
    ],
)
def test_what_went_wrong_is_told_in_words(script: str, reason: str) -> None:
    with pytest.raises(UssdFailed, match=reason):
        ask(ASK + script)


def test_a_code_of_other_characters_is_not_even_asked() -> None:
    with pytest.raises(UssdFailed, match="digits"):
        ask("", '1",15;+CFUN=0')


def test_two_who_ask_at_once_get_their_own_answers() -> None:
    async def story() -> list[str]:
        ear = Ear()
        script = ASK + '< OK\n< +CUSD: 0,"one",15\n' + ASK.replace("100", "200") + '< OK\n< +CUSD: 0,"two",15'
        channel, _ = await scripted(script, ear)
        ussd = Ussd(channel, PLAIN)
        ear.on_urc = ussd.on_urc  # type: ignore[method-assign]
        return list(await asyncio.gather(ussd.ask("*100#"), ussd.ask("*200#")))

    assert run_virtually(story()) == ["one", "two"]


@pytest.mark.parametrize("code", ["*100#", "*1#", "*123456#", "*1234567#", "*100*1*2#"])
def test_a_packed_code_reads_back(code: str) -> None:
    assert ussd_text.decode(ussd_text.encode(code, packed=True), 15, packed=True) == code


def test_text_that_is_not_as_announced_is_given_as_it_stands() -> None:
    assert ussd_text.decode("12.34 EUR", 72, packed=True) == "12.34 EUR"
