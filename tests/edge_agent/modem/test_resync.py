"""Getting back in step with modems that are slow, and that keep or lose what is typed meanwhile."""

import pytest

from edge_agent.modem import commands
from edge_agent.modem.commands import Command
from edge_agent.modem.engine import Engine, Phase
from edge_agent.modem.reply import Answered, Lost, Outcome, Synced

WAITS = (1.0, 2.0, 4.0, 8.0, 15.0)
TICK = 0.01
ANSWERS = {
    "AT": ["OK"],
    "AT+CMEE?": ["+CMEE: 1", "OK"],
    "AT+CMGF?": ["+CMGF: 0", "OK"],
    "AT+CGMI": ["SIMCOM", "OK"],
    "AT+CGMM": ["SIM800", "OK"],
    "AT+CSQ": ["+CSQ: 9,99", "OK"],
    "AT+CGSN": ["490154203237518", "OK"],
}
ASKED = (commands.MAKER, commands.MODEL, commands.SIGNAL, commands.IMEI)
SAID = [("SIMCOM",), ("SIM800",), ("+CSQ: 9,99",), ("490154203237518",)]


class SlowModem:
    """Takes a time for each command, one after the other; ESC means nothing to it."""

    def __init__(self, takes: float, *, keeps: bool = True, deaf_until: float = 0.0) -> None:
        self.answers = {line: list(said) for line, said in ANSWERS.items()}
        self.slower: dict[str, float] = {}
        self._takes, self._keeps, self._deaf_until = takes, keeps, deaf_until
        self._typed = ""
        self._working: list[tuple[float, str]] = []

    def hear(self, data: bytes, now: float) -> None:
        *lines, self._typed = (self._typed + data.decode().replace("\x1b", "")).split("\r")
        for line in lines:
            if now < self._deaf_until or (self._working and not self._keeps):
                continue
            begun = max(now, self._working[-1][0] if self._working else now)
            self._working.append((begun + self.slower.get(line, self._takes), line))

    def say(self, now: float) -> bytes:
        said = b""
        while self._working and self._working[0][0] <= now:
            _, line = self._working.pop(0)
            said += b"".join(f"\r\n{part}\r\n".encode() for part in self.answers[line])
        return said


def talk(modem: SlowModem, asked: tuple[Command, ...] = ASKED, *, first: Command | None = None) -> list[Answered]:
    """What is answered after getting in step, or to `first`, which goes before all."""
    engine, now, told = Engine(WAITS), 0.0, list[Answered]()
    waiting = list(asked)
    if first is None:
        engine.resynchronise(now)
    else:
        engine.phase = Phase.IDLE
        waiting.insert(0, first)
    while (waiting or engine.phase is not Phase.IDLE) and now < 200.0:
        if engine.phase is Phase.IDLE:
            engine.start(waiting.pop(0), now)
        modem.hear(engine.data_to_send(), now)
        now += TICK
        events = [*engine.receive(modem.say(now), now), *engine.tick(now)]
        assert not any(isinstance(event, Lost) for event in events)
        told += [event for event in events if isinstance(event, Answered)]
    return told


def lines(told: list[Answered]) -> list[tuple[str, ...]]:
    return [answered.reply.lines for answered in told]


@pytest.mark.parametrize("takes", [0.0, 0.2, 0.5, 0.9, 1.2, 1.5, 2.0, 2.9, 4.4])
@pytest.mark.parametrize("keeps", [True, False])
def test_every_command_of_a_slow_modem_gets_its_own_answer(takes: float, keeps: bool) -> None:
    assert lines(talk(SlowModem(takes, keeps=keeps))) == SAID


@pytest.mark.parametrize("takes", [0.02, 0.6, 1.5, 2.5])
@pytest.mark.parametrize("late", [5.1, 5.5, 6.0, 7.0, 9.0, 14.0])
def test_a_late_answer_is_nobody_elses_however_slow_the_modem_is(takes: float, late: float) -> None:
    modem = SlowModem(takes)
    modem.answers["AT+COPS?"] = ['+COPS: 0,0,"Testnet",7', "OK"]
    modem.slower["AT+COPS?"] = late
    first, *rest = talk(modem, first=Command("AT+COPS?", "+COPS:"))
    assert first.reply.outcome is Outcome.TIMEOUT
    assert lines(rest) == SAID


@pytest.mark.parametrize("deaf", [0.5, 2.0, 6.0, 16.0])
@pytest.mark.parametrize("takes", [0.02, 1.5])
def test_what_a_modem_never_heard_is_not_waited_for(deaf: float, takes: float) -> None:
    assert lines(talk(SlowModem(takes, deaf_until=deaf))) == SAID


@pytest.mark.parametrize("said", ["ERROR", "+CME ERROR: 100", "COMMAND NOT SUPPORT"])
def test_a_modem_that_does_not_know_the_question_is_in_step_too(said: str) -> None:
    modem = SlowModem(1.5)
    modem.answers["AT+CMEE?"] = [said]
    assert lines(talk(modem)) == SAID


def test_a_refused_submission_that_ends_late_is_not_the_answer_to_the_question() -> None:
    engine = Engine(WAITS)
    engine.resynchronise(0.0)
    engine.tick(0.3)
    engine.receive(b"\r\nOK\r\n", 0.31)
    engine.receive(b"\r\n+CMS ERROR: 500\r\n", 0.32)
    assert engine.tick(0.32 + 0.3) == []
    assert engine.data_to_send().endswith(b"\x1bAT\r")
    assert engine.phase is Phase.RESYNC


def test_an_answer_to_the_question_of_an_earlier_round_is_not_that_to_this_one() -> None:
    engine = Engine(WAITS)
    engine.resynchronise(0.0)
    now = 0.0
    for said in (b"\r\nOK\r\n", b"\r\nOK\r\n", b"\r\n+CMEE: 1\r\n\r\nOK\r\n"):
        while not engine.data_to_send().endswith(b"\r"):
            assert engine.deadline is not None
            now = engine.deadline
            engine.tick(now)
        engine.receive(said, now)
    assert engine.tick(now + 1.0) == []
    assert [type(event) for event in engine.receive(b"\r\n+CMGF: 0\r\n\r\nOK\r\n", now + 1.0)] == []
    assert [type(event) for event in engine.tick(now + 1.3)] == [Synced]
