"""The AT dialogue, sans-IO: answers, notices, prompts, deadlines."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.modem import commands
from edge_agent.modem.commands import Command
from edge_agent.modem.engine import Phase
from edge_agent.modem.reply import Lost, Outcome, Prompted, Rebooted, Synced, Urc
from tests.edge_agent.modem.engine_bench import SIGNAL, SUBMIT, Bench, bytewise

REPORT = "07911326040000F0060A03911234210131624404102101316244041000"[:56]


def test_an_answer_is_its_lines_and_its_final_result() -> None:
    bench = Bench()
    bench.start(SIGNAL)
    bench.say(b"\r\n+CSQ: 20,99\r\n\r\nOK\r\n")
    assert bench.written == b"AT+CSQ\r"
    assert (bench.reply.ok, bench.reply.lines) == (True, ("+CSQ: 20,99",))


@pytest.mark.parametrize(
    ("line", "code", "text"),
    [
        (b"ERROR", "ERROR", "the modem answered ERROR"),
        (b"+CMS ERROR: 38", "CMS 38", "network out of order"),
        (b"+CME ERROR: 14", "CME 14", "SIM busy"),
        (b"+CME ERROR:14", "CME 14", "SIM busy"),
        (b"+CME ERROR: SIM busy", "CME 14", "SIM busy"),
        (b"+CMS ERROR: Network timeout", "CMS 332", "network timeout"),
        (b"+CMS ERROR: 773", "CMS 773", "code 773, which is the maker's own"),
        (b"+CMS ERROR", "CMS", "the modem gave no cause"),
        (b"COMMAND NOT SUPPORT", "COMMAND NOT SUPPORT", "the modem answered COMMAND NOT SUPPORT"),
    ],
)
def test_every_kind_of_refusal_ends_the_command_in_words(line: bytes, code: str, text: str) -> None:
    bench = Bench()
    bench.start(SIGNAL)
    bench.say(b"\r\n" + line + b"\r\n")
    assert bench.reply.outcome is Outcome.ERROR
    assert bench.reply.error is not None
    assert (bench.reply.error.code, bench.reply.error.text) == (code, text)
    assert bench.engine.phase is Phase.IDLE


def test_an_echo_is_no_answer() -> None:
    bench = Bench()
    bench.start(commands.IMEI)
    bench.say(b"AT+CGSN\r\r\n490154203237518\r\n\r\nOK\r\n")
    assert bench.reply.lines == ("490154203237518",)


def test_a_notice_between_a_command_and_its_answer_is_told_apart() -> None:
    bench = Bench()
    bench.start(SIGNAL)
    bench.say(b'\r\n+CMTI: "SM",3\r\n\r\n+CSQ: 20,99\r\n\r\nOK\r\n\r\nRING\r\n')
    assert bench.reply.lines == ("+CSQ: 20,99",)
    assert bench.urcs == [Urc('+CMTI: "SM",3'), Urc("RING")]


def test_a_word_that_is_a_notice_is_no_part_of_a_bare_answer() -> None:
    bench = Bench()
    bench.start(commands.MODEL)
    bench.say(b"\r\nRING\r\n\r\nEC25\r\n\r\nSMS Ready\r\n\r\nOK\r\n")
    assert bench.reply.lines == ("EC25",)
    assert bench.urcs == [Urc("RING"), Urc("SMS Ready")]


def test_a_notice_of_two_lines_may_be_split_anywhere() -> None:
    bench = Bench()
    bench.say(*bytewise(f"\r\n+CDS: 20\r\n{REPORT}\r\n".encode()))
    assert bench.urcs == [Urc("+CDS: 20", REPORT)]


def test_a_report_in_the_middle_of_reading_a_message_is_told_apart() -> None:
    bench = Bench()
    bench.start(commands.read_message(3))
    bench.say(b"\r\n+CMGR: 0,,5\r\n", f"+CDS: 20\r\n{REPORT}\r\n".encode(), b"000102030405\r\n\r\nOK\r\n")
    assert bench.reply.lines == ("+CMGR: 0,,5", "000102030405")
    assert bench.urcs == [Urc("+CDS: 20", REPORT)]


def test_a_report_whose_pdu_was_lost_does_not_swallow_the_message_being_read() -> None:
    bench = Bench()
    bench.start(commands.read_message(3))
    bench.say(b"\r\n+CDS: 20\r\n\r\n+CMGR: 0,,5\r\n000102030405\r\n\r\nOK\r\n")
    assert bench.reply.lines == ("+CMGR: 0,,5", "000102030405")


def test_a_pdu_that_is_not_hex_is_kept_as_it_came() -> None:
    bench = Bench()
    bench.say(b"\r\n+CMT: ,24\r\n0791?!garbled\r\n")
    assert bench.urcs == [Urc("+CMT: ,24", "0791?!garbled")]


def test_a_ussd_answer_may_have_lines() -> None:
    bench = Bench()
    bench.say(b'\r\n+CUSD: 0,"Balance\r\n1 EUR\n> more",15\r\n\r\nRING\r\n')
    assert bench.urcs == [Urc('+CUSD: 0,"Balance\n1 EUR\n> more",15'), Urc("RING")]


def test_a_ussd_answer_that_never_ends_does_not_swallow_a_final_result() -> None:
    bench = Bench()
    bench.start(SIGNAL)
    bench.say(b'\r\n+CUSD: 0,"Balance\r\n\r\nOK\r\n')
    assert bench.reply.ok


def test_a_pin_answer_without_its_ok_is_complete_after_a_moment() -> None:
    bench = Bench()
    bench.start(commands.PIN_STATE)
    bench.say(b"\r\n+CPIN: READY\r\n")
    bench.wait(commands.SETTLE)
    assert (bench.reply.ok, bench.reply.lines) == (True, ("+CPIN: READY",))
    assert bench.engine.phase is Phase.IDLE


# Submission


def test_the_pdu_waits_for_the_prompt_and_for_its_release() -> None:
    bench = Bench()
    bench.start(SUBMIT)
    bench.say(b"\r\n> ")
    assert bench.of(Prompted)
    assert bench.written == b"AT+CMGS=19\r"
    bench.release()
    assert bench.written == b"AT+CMGS=19\r0011\x1a"
    bench.say(b"\r\n+CMGS: 7\r\n\r\nOK\r\n")
    assert (bench.reply.ok, bench.reply.payload_sent, bench.reply.lines) == (True, True, ("+CMGS: 7",))


@pytest.mark.parametrize("prompt", [b"\r\n> ", b"\r\n>\r\n", b">", b"\r\n+CREG: 1\r\n\r\n> ", b"\r\n>\r\nRING\r\n "])
def test_every_shape_of_prompt_is_seen(prompt: bytes) -> None:
    bench = Bench()
    bench.start(SUBMIT)
    bench.say(*bytewise(prompt))
    assert len(bench.of(Prompted)) == 1


USSD = b'\r\n+CUSD: 0,"Balance 5 EUR\r\n> more\r\n>",15\r\n'


@pytest.mark.parametrize("before", range(0, len(USSD), 3))
def test_a_line_of_a_ussd_answer_is_no_prompt_whenever_it_began(before: int) -> None:
    bench = Bench()
    bench.say(USSD[:before])
    bench.start(SUBMIT)
    bench.say(*bytewise(USSD[before:]))
    assert not bench.of(Prompted)
    bench.say(b"\r\n> ")
    assert len(bench.of(Prompted)) == 1
    assert bench.urcs == [Urc('+CUSD: 0,"Balance 5 EUR\n> more\n>",15')]


def test_a_ussd_answer_in_one_read_with_the_prompt_is_told_apart() -> None:
    bench = Bench()
    bench.start(SUBMIT)
    bench.say(USSD + b"\r\n> ")
    assert len(bench.of(Prompted)) == 1
    assert bench.urcs == [Urc('+CUSD: 0,"Balance 5 EUR\n> more\n>",15')]


def test_blank_lines_do_not_lose_the_reference() -> None:
    bench = Bench()
    bench.start(SUBMIT)
    bench.say(b"\r\n> ")
    bench.release()
    bench.say(b"0011\x1a\r\n\r\n\r\r\n+CMGS: 7\r\n\r\n\r\n\r\nOK\r\n")
    assert bench.reply.lines == ("+CMGS: 7",)


def test_a_prompt_that_never_comes_is_left_with_esc_and_never_with_ctrl_z() -> None:
    bench = Bench()
    bench.start(SUBMIT)
    bench.wait(commands.PROMPT)
    assert (bench.reply.outcome, bench.reply.payload_sent) == (Outcome.NO_PROMPT, False)
    assert bench.written == b"AT+CMGS=19\r\x1b"
    bench.say(b"\r\n> ")  # too late
    bench.wait(10.0)
    assert b"\x1a" not in bench.written
    assert b"0011" not in bench.written


def test_a_refusal_instead_of_the_prompt_ends_it_at_once() -> None:
    bench = Bench()
    bench.start(SUBMIT)
    bench.say(b"\r\n+CMS ERROR: 310\r\n")
    assert (bench.reply.outcome, bench.reply.payload_sent) == (Outcome.ERROR, False)
    bench.start(SIGNAL)
    bench.say(b"\r\n> \r\n+CSQ: 1,99\r\n\r\nOK\r\n")
    assert bench.replies[1].lines == ("+CSQ: 1,99",)


def test_a_prompt_is_left_when_the_caller_withdraws() -> None:
    bench = Bench()
    bench.start(SUBMIT)
    bench.say(b"\r\n> ")
    bench.events += bench.engine.abandon(bench.now, "withdrawn")
    assert (bench.reply.outcome, bench.reply.payload_sent) == (Outcome.ABANDONED, False)
    assert bench.engine.data_to_send() == b"\x1b"


def test_a_modem_that_leaves_its_prompt_while_the_pdu_is_held_back_gets_no_pdu() -> None:
    bench = Bench()
    bench.start(SUBMIT)
    bench.say(b"\r\n> ", b"\r\nOK\r\n")
    assert (bench.reply.outcome, bench.reply.payload_sent) == (Outcome.NO_PROMPT, False)
    assert b"0011" not in bench.written


def test_an_ok_before_the_reference_is_not_the_end() -> None:
    bench = Bench()
    bench.start(SUBMIT)
    bench.say(b"\r\n> ")
    bench.release()
    bench.say(b"\r\nOK\r\n")
    assert not bench.replies
    bench.say(b"\r\n+CMGS: 9\r\n\r\nOK\r\n")
    assert bench.reply.lines == ("+CMGS: 9",)


def test_an_ok_without_any_reference_counts_after_a_moment() -> None:
    bench = Bench()
    bench.start(SUBMIT)
    bench.say(b"\r\n> ")
    bench.release()
    bench.say(b"\r\nOK\r\n")
    bench.wait(commands.REFERENCE)
    assert (bench.reply.ok, bench.reply.lines) == (True, ())


# Deadlines and late answers


def test_notices_do_not_prolong_a_deadline() -> None:
    bench = Bench()
    bench.start(SIGNAL)
    for _ in range(60):
        bench.wait(0.1)
        bench.say(b"\r\n^RSSI: 18\r\n")
    assert bench.replies[0].outcome is Outcome.TIMEOUT


def test_after_a_timeout_nothing_starts_until_the_modem_answered_at() -> None:
    bench = Bench()
    bench.start(SIGNAL)
    bench.wait(5.0)
    assert bench.reply.outcome is Outcome.TIMEOUT
    with pytest.raises(RuntimeError):
        bench.start(SIGNAL)
    bench.synchronise()
    assert bench.of(Synced)


def test_a_late_answer_is_never_taken_for_the_next_command() -> None:
    bench = Bench()
    bench.start(SIGNAL)
    bench.wait(5.0)
    bench.wait(0.35)  # AT was written, and now the answer to AT+CSQ arrives before AT's own
    bench.say(b"\r\n+CSQ: 3,99\r\n\r\nOK\r\n")
    bench.wait(0.1)
    bench.say(b"\r\nOK\r\n")
    assert not bench.of(Synced)
    bench.synchronise()
    bench.start(SIGNAL)
    bench.say(b"\r\n+CSQ: 21,99\r\n\r\nOK\r\n")
    assert bench.replies[-1].lines == ("+CSQ: 21,99",)


def test_a_late_reference_is_not_taken_for_another_submission() -> None:
    bench = Bench()
    bench.start(SUBMIT)
    bench.say(b"\r\n+CMGS: 4\r\n\r\nOK\r\n")
    assert not bench.replies
    bench.say(b"\r\n> ")
    bench.release()
    bench.say(b"\r\n+CMGS: 5\r\n\r\nOK\r\n")
    assert bench.reply.lines == ("+CMGS: 5",)


def test_a_late_reference_takes_its_final_result_along() -> None:
    bench = Bench()
    bench.start(SIGNAL)
    bench.say(b"\r\n+CMGS: 4\r\n\r\nOK\r\n\r\n+CSQ: 9,99\r\n\r\nOK\r\n")
    assert bench.reply.lines == ("+CSQ: 9,99",)


def test_a_reference_that_came_is_told_though_its_ok_did_not() -> None:
    bench = Bench()
    bench.start(SUBMIT)
    bench.say(b"\r\n> ")
    bench.release()
    bench.say(b"\r\n+CMGS: 4\r\n")
    bench.wait(commands.AFTER_CMGS)
    assert (bench.reply.outcome, bench.reply.lines) == (Outcome.TIMEOUT, ("+CMGS: 4",))


def test_a_modem_that_answers_nothing_is_lost_in_the_end() -> None:
    bench = Bench()
    bench.engine.resynchronise(bench.now)
    bench.wait(60.0)
    assert bench.of(Lost)
    assert bench.engine.phase is Phase.DEAD


def test_an_error_in_answer_to_at_asks_once_more() -> None:
    bench = Bench(synced=False)
    bench.engine.resynchronise(bench.now)
    bench.wait(0.31)
    bench.say(b"\r\nERROR\r\n")
    bench.synchronise()


# Restarts


@pytest.mark.parametrize("line", ["RDY", "^SYSSTART", "*ATREADY: 1"])
def test_a_restart_ends_the_command_in_flight_at_once(line: str) -> None:
    bench = Bench()
    bench.start(SUBMIT)
    bench.say(b"\r\n> ")
    bench.release()
    bench.say(f"\r\n{line}\r\n".encode())
    assert (bench.reply.outcome, bench.reply.payload_sent) == (Outcome.REBOOTED, True)
    assert bench.of(Rebooted)


def test_an_echo_that_is_back_means_a_restart_and_no_pdu_goes_out() -> None:
    bench = Bench()
    bench.start(SIGNAL)
    bench.say(b"\r\n+CSQ: 9,99\r\n\r\nOK\r\n")
    bench.start(SUBMIT)
    bench.say(b"AT+CMGS=19\r\r\n> ")
    assert (bench.replies[1].outcome, bench.replies[1].payload_sent) == (Outcome.REBOOTED, False)
    assert bench.of(Rebooted)
    assert not bench.of(Prompted)


def test_an_echo_that_stays_is_no_restart() -> None:
    bench = Bench()
    bench.start(SIGNAL)
    bench.say(b"AT+CSQ\r\r\n+CSQ: 9,99\r\n\r\nOK\r\n")
    bench.start(SUBMIT)
    bench.say(b"AT+CMGS=19\r\r\n> ")
    bench.release()
    bench.say(b"0011\x1a\r\n+CMGS: 5\r\n\r\nOK\r\n")
    assert bench.replies[1].lines == ("+CMGS: 5",)
    assert not bench.of(Rebooted)


# Properties

NOTICES = st.sampled_from(
    [b"+CREG: 1", b'+CREG: 5,"00C3","1A2B"', b"RING", b'+CMTI: "SM",1', b"^RSSI: 12", b"+CDS: 20\r\n" + REPORT.encode()]
)
PIECES = st.lists(st.integers(1, 7), min_size=1, max_size=30)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[at : at + size])
        at += size
    return pieces


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(NOTICES, max_size=4), st.lists(NOTICES, max_size=4), st.lists(NOTICES, max_size=4), PIECES)
def test_notices_anywhere_never_change_an_answer(
    before: list[bytes], between: list[bytes], after: list[bytes], sizes: list[int]
) -> None:
    said = [*before, b"+CSQ: 20,99", *between, b"OK", *after]
    bench = Bench()
    bench.start(SIGNAL)
    bench.say(*cut(b"".join(b"\r\n" + line + b"\r\n" for line in said), sizes))
    assert bench.reply.lines == ("+CSQ: 20,99",)
    assert len(bench.urcs) == len(before) + len(between) + len(after)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(NOTICES, max_size=3), st.lists(NOTICES, max_size=3), PIECES)
def test_notices_around_a_prompt_never_spoil_a_submission(
    before: list[bytes], after: list[bytes], sizes: list[int]
) -> None:
    bench = Bench()
    bench.start(SUBMIT)
    prompt = b"".join(b"\r\n" + line + b"\r\n" for line in before) + b"\r\n> "
    bench.say(*cut(prompt, sizes))
    bench.release()
    answer = b"".join(b"\r\n" + line + b"\r\n" for line in [*after, b"+CMGS: 77", *before, b"OK"])
    bench.say(*cut(answer, sizes))
    assert (bench.reply.ok, bench.reply.lines) == (True, ("+CMGS: 77",))


@settings(deadline=None)  # a busy machine is no failure
@given(st.data(), st.sampled_from([None, SIGNAL, SUBMIT, Command("AT+CGMI", "+CGMI:", bare=True)]))
def test_100_kb_of_noise_leave_the_engine_usable(data: st.DataObject, command: Command | None) -> None:
    unit = data.draw(st.binary(min_size=1, max_size=400))
    noise = unit * (100_000 // len(unit))
    step = data.draw(st.integers(50, 5000))
    bench = Bench()
    if command is not None:
        bench.start(command)
    for at in range(0, len(noise), step):
        bench.say(noise[at : at + step])
        bench.wait(0.05)
        if bench.engine.phase is Phase.HELD:
            bench.release()
    bench.say(b"\r\n")
    bench.wait(commands.SUBMIT)
    if bench.engine.phase is not Phase.IDLE:
        bench.engine.resynchronise(bench.now)
        bench.engine.data_to_send()
        bench.synchronise()
    bench.events.clear()
    bench.start(SIGNAL)
    bench.say(b"\r\n+CSQ: 20,99\r\n\r\nOK\r\n")
    assert bench.reply.lines == ("+CSQ: 20,99",)
