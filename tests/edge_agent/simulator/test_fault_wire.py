"""Each fault by what a computer at the other end of the line sees of it, and by what the air's record says."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.simulator import conditions
from edge_agent.simulator.fault_rows import CATALOGUE
from edge_agent.simulator.faults import Chance, UnknownFault
from edge_agent.simulator.vendors import VENDORS
from tests.edge_agent.simulator.bench import ANSWER_S, BOOT_S, HELLO, REPORT_S, Bench

SENT = "\r\n+CMGS: 1\r\n\r\nOK\r\n"
OK = "\r\nOK\r\n"


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_every_fault_has_its_story_here() -> None:
    stories = Path(__file__).read_text()
    assert [name for name in CATALOGUE if f'"{name}"' not in stories] == []


# Prompt and answer


def test_without_a_prompt_the_modem_waits_for_a_pdu_all_the_same(bench: Bench) -> None:
    bench.arm("no_prompt")
    assert bench.ask("AT+CMGS=19") == ""
    assert bench.run(60) == b""
    assert bench.ask("AT") == ""
    assert bench.write(b"\x1b") == OK.encode()
    assert bench.submit() == SENT


def test_a_slow_prompt_comes_and_takes_what_was_typed_before_it(bench: Bench) -> None:
    bench.arm("slow_prompt", seconds=3.0)
    assert bench.ask("AT+CMGS=19") == ""
    assert bench.run(2.9) == b""
    assert bench.run(0.1) == b"\r\n> "
    bench.write(HELLO + b"\x1a")
    assert bench.run(ANSWER_S).decode() == SENT


def test_a_prompt_may_lack_its_space(bench: Bench) -> None:
    bench.arm("prompt_without_space")
    assert bench.ask("AT+CMGS=19") == "\r\n>\r\n"


@pytest.mark.parametrize(
    ("where", "seen"),
    [
        ("before", "\r\n+CREG: 1\r\n\r\n> "),
        ("inside", "\r\n\r\n+CREG: 1\r\n> "),
        ("after", "\r\n> \r\n+CREG: 1\r\n"),
    ],
)
def test_a_notice_stands_in_the_way_of_the_prompt(bench: Bench, where: str, seen: str) -> None:
    bench.arm("urc_in_prompt", where=where)
    assert bench.ask("AT+CMGS=19") == seen
    bench.write(HELLO + b"\x1a")
    assert bench.run(ANSWER_S).decode() == SENT


def test_a_notice_takes_the_place_of_the_prompt_by_chance(bench: Bench) -> None:
    bench.arm("urc_in_prompt", count=40)
    seen = {bench.ask("AT+CMGS=19") for _ in range(40) if bench.write(b"\x1b") is not None}
    assert len(seen) >= 3


# Silence


@pytest.mark.parametrize("seconds", [5.0, 60.0])
def test_a_modem_that_hangs_hears_nothing_for_its_time(bench: Bench, seconds: float) -> None:
    bench.arm("hang", seconds=seconds)
    assert bench.ask("AT") == ""
    assert bench.run(seconds - 0.1) == b""
    assert bench.ask("AT") == ""
    bench.run(0.2)
    assert bench.ask("AT") == OK


def test_a_modem_may_hang_for_ever_and_be_woken(bench: Bench) -> None:
    bench.arm("hang", seconds=None)
    bench.ask("AT")
    bench.run(86400)
    assert bench.ask("AT") == ""
    bench.modem.power.wake()
    assert bench.ask("AT") == OK


def test_a_hang_after_the_pdu_leaves_the_message_on_the_air_and_no_answer(bench: Bench) -> None:
    bench.arm("hang_after_pdu", seconds=5.0)
    assert bench.submit() == ""
    assert [record["text"] for record in bench.events("message")] == ["hello"]
    bench.run(5.1)
    assert bench.ask("AT") == OK


def test_a_report_may_tell_of_a_message_whose_answer_never_came(bench: Bench) -> None:
    bench.want_reports()
    bench.arm("hang_after_pdu", seconds=5.0)
    bench.submit()
    assert b"+CDS: " in bench.run(6)


def test_listing_may_hang_and_nothing_else_does(bench: Bench) -> None:
    bench.arm("cmgl_hangs", seconds=5.0)
    assert bench.ask("AT") == OK
    assert bench.ask("AT+CMGL=4") == ""
    assert bench.ask("AT") == ""
    bench.run(5.1)
    assert bench.ask("AT+CMGL=4") == OK


def test_a_late_answer_comes_before_the_next_commands(bench: Bench) -> None:
    bench.arm("late_answer", seconds=3.0, on="+CSQ")
    assert bench.ask("AT") == OK
    assert bench.ask("AT+CSQ") == ""
    assert bench.ask("AT+CGMI") == ""
    assert bench.run(3.0).decode() == f"\r\n+CSQ: 24,99\r\n{OK}\r\nTest Equipment\r\n{OK}"


def test_a_late_answer_to_a_submission_counts_from_its_own_delay(bench: Bench) -> None:
    bench.arm("late_answer", seconds=3.0, on="+CMGS")
    assert bench.submit() == ""
    assert bench.run(3.0).decode() == SENT


def test_the_first_command_after_idling_is_lost(bench: Bench) -> None:
    bench.run(10)
    bench.arm("first_command_lost", idle=5.0, count=1)
    assert bench.ask("AT") == ""
    assert bench.ask("AT") == OK


def test_a_command_that_comes_soon_enough_does_not_use_up_a_first_command_lost(bench: Bench) -> None:
    bench.run(10)
    assert bench.ask("AT") == OK
    bench.arm("first_command_lost", idle=5.0)
    assert bench.ask("AT") == OK
    bench.run(5)
    assert bench.ask("AT") == ""


def test_a_modem_that_falls_asleep_loses_the_first_command_of_each_time(bench: Bench) -> None:
    bench.arm("falls_asleep", idle=5.0)
    for _ in range(3):
        bench.run(6)
        assert bench.ask("AT") == ""
        bench.run(4)
        assert bench.ask("AT") == OK


def test_the_pin_question_may_lack_its_final_result(bench: Bench) -> None:
    bench.arm("cpin_without_ok")
    assert bench.ask("AT") == OK
    assert bench.ask("AT+CPIN?") == "\r\n+CPIN: READY\r\n"
    assert bench.ask("AT") == OK


# Refusals


def test_a_refusal_says_its_code_and_nothing_is_on_the_air(bench: Bench) -> None:
    bench.arm("refuse", code=21)
    assert bench.submit() == "\r\n+CMS ERROR: 21\r\n"
    assert (bench.events("submit"), len(bench.events("refused"))) == ([], 1)
    assert bench.submit() == SENT


@pytest.mark.parametrize(("on_air", "messages"), [(True, 1), (False, 0)])
def test_after_a_network_error_the_message_may_be_on_the_air(bench: Bench, on_air: bool, messages: int) -> None:
    bench.arm("refuse_network", code=500, on_air=on_air)
    assert bench.submit() == "\r\n+CMS ERROR: 500\r\n"
    assert len(bench.events("message")) == messages


def test_after_a_network_error_chance_decides(bench: Bench) -> None:
    bench.arm("refuse_network", count=40)
    for _ in range(40):
        assert bench.submit() == "\r\n+CMS ERROR: 38\r\n"
    assert 0 < len(bench.events("message")) < 40


def test_errors_in_words_follow_cmee(bench: Bench) -> None:
    bench.arm("busy", code=14, count=3)
    assert bench.ask("AT+CSQ") == "\r\nERROR\r\n"
    bench.modem.settings.cmee = 1
    assert bench.ask("AT+CSQ") == "\r\n+CME ERROR: 14\r\n"
    bench.modem.settings.cmee = 2
    assert bench.ask("AT+CSQ") == "\r\n+CME ERROR: SIM busy\r\n"
    assert bench.ask("AT+CMGS=400") == "\r\n+CMS ERROR: invalid PDU mode parameter\r\n"


def test_sms_may_not_be_ready(bench: Bench) -> None:
    bench.arm("sms_not_ready")
    assert bench.ask("AT+CSQ").startswith("\r\n+CSQ")
    assert bench.ask("AT+CMGS=19") == "\r\n+CMS ERROR: 314\r\n"
    assert bench.submit() == SENT


def test_a_command_may_be_called_unsupported(bench: Bench) -> None:
    bench.arm("command_not_support", on="+CNMI")
    assert bench.ask("AT") == OK
    assert bench.ask("AT+CNMI=2,1,0,1,0") == "\r\nCOMMAND NOT SUPPORT\r\n"


# The line


def test_a_storm_of_notices_surrounds_the_answer() -> None:
    bench = Bench("huawei")
    bench.arm("urc_storm", lines=300, seconds=3.0)
    assert bench.ask("AT") == OK
    seen = bench.run(3.0)
    assert seen.count(b"\r\n") == 600
    assert {line[:5] for line in seen.split(b"\r\n") if line} == {b"^RSSI", b"^HCSQ", b"^BOOT"}


def test_a_storm_goes_on_while_the_answer_never_comes() -> None:
    bench = Bench("huawei")
    bench.arm("urc_storm", lines=1000, seconds=100.0)
    bench.arm("hang", seconds=None)
    assert bench.ask("AT") == ""
    assert bench.run(101).count(b"\r\n") == 2000


def test_a_notice_comes_between_a_command_and_its_answer_with_the_same_prefix(bench: Bench) -> None:
    bench.arm("urc_between", count=2)
    assert bench.ask("AT+CREG?") == f"\r\n+CREG: 1\r\n\r\n+CREG: 0,1\r\n{OK}"
    assert bench.submit() == "\r\n+CREG: 1\r\n" + SENT


def test_a_notice_comes_in_one_piece_with_the_answer(bench: Bench) -> None:
    bench.arm("joined", on="+CMGS")
    bench.ask("AT+CMGS=19")
    bench.write(HELLO + b"\x1a")
    assert bench.pieces(1) == [(pytest.approx(ANSWER_S), f"{SENT}\r\n+CREG: 1\r\n".encode())]


def test_bytes_may_come_one_by_one_and_keep_their_order(bench: Bench) -> None:
    bench.arm("split_reads", gap=0.001, count=2)
    assert bench.ask("AT+CSQ") == ""
    assert bench.ask("AT") == ""
    pieces = bench.pieces(1)
    assert {len(piece) for _, piece in pieces} == {1}
    assert b"".join(piece for _, piece in pieces).decode() == f"\r\n+CSQ: 24,99\r\n{OK}{OK}"


def test_garbage_stands_before_the_answer(bench: Bench) -> None:
    bench.arm("garbage", length=40)
    bench.modem.feed(b"AT\r", 0.0)
    seen = bench.modem.take()
    assert seen.endswith(OK.encode())
    assert len(seen) == 44 + len(OK)


def test_the_echo_stays_though_it_was_turned_off() -> None:
    bench = Bench(echo=True)
    bench.arm("echo_stays")
    assert bench.ask("ATE0") == f"ATE0\r{OK}"
    assert bench.ask("AT") == f"AT\r{OK}"
    assert bench.ask("AT+CMGS=19") == "AT+CMGS=19\r\r\n> "
    assert bench.write(HELLO + b"\x1a") == HELLO


def test_lines_end_in_odd_ways(bench: Bench) -> None:
    bench.arm("odd_line_ends", ending="\r\r\n")
    assert bench.ask("AT+CSQ") == "\r\r\n+CSQ: 24,99\r\r\n\r\r\nOK\r\r\n"


def test_blank_lines_creep_in(bench: Bench) -> None:
    bench.arm("extra_blank_lines")
    assert bench.submit() == "\r\n\r\n+CMGS: 1\r\n\r\n\r\n\r\nOK\r\n\r\n"


# References and reports


@pytest.mark.parametrize("said", ["", "-1", "0"])
def test_the_reference_may_be_missing_from_the_answer(bench: Bench, said: str) -> None:
    bench.arm("missing_reference", reference=said)
    assert bench.submit() == f"\r\n+CMGS: {said}\r\n{OK}"
    assert [record["mr"] for record in bench.events("submit")] == [1]


def test_a_report_follows_the_answer_by_its_delay(bench: Bench) -> None:
    bench.want_reports()
    assert bench.submit() == SENT
    assert [when for when, _ in bench.pieces(1)] == [pytest.approx(ANSWER_S + REPORT_S)]
    assert [(record["mr"], record["to"], record["st"]) for record in bench.events("report")] == [(1, "+49171122334", 0)]


def test_a_report_may_overtake_the_answer(bench: Bench) -> None:
    bench.want_reports()
    bench.arm("report_before_answer")
    bench.ask("AT+CMGS=19")
    assert bench.write(HELLO + b"\x1a").startswith(b"\r\n+CDS: 25\r\n")
    assert bench.run(1).decode() == SENT


def _statuses(bench: Bench) -> list[object]:
    bench.want_reports()
    bench.submit()
    bench.run(60)
    return [record["st"] for record in bench.events("report")]


def test_a_report_may_be_lost(bench: Bench) -> None:
    bench.arm("report_lost")
    assert _statuses(bench) == []


def test_a_report_may_come_twice(bench: Bench) -> None:
    bench.arm("report_duplicate")
    assert _statuses(bench) == [0, 0]


def test_a_report_may_say_still_trying_first(bench: Bench) -> None:
    bench.arm("report_temporary_then_final", status=0x30)
    assert _statuses(bench) == [0x30, 0]


def test_a_report_may_tell_of_failure_in_the_end(bench: Bench) -> None:
    bench.arm("report_temporary_then_final")
    bench.arm("report_failed", status=0x41)
    assert _statuses(bench) == [0x20, 0x41]


def test_a_report_may_be_late(bench: Bench) -> None:
    bench.want_reports()
    bench.arm("report_late", seconds=30.0)
    bench.submit()
    assert [when for when, _ in bench.pieces(60)] == [pytest.approx(ANSWER_S + 30)]


def test_a_report_for_something_else_may_come_first(bench: Bench) -> None:
    bench.want_reports()
    bench.arm("report_of_stranger")
    bench.submit()
    bench.run(1)
    assert [record["mr"] for record in bench.events("report")] == [129, 1]


def test_a_report_may_name_the_recipient_without_its_type(bench: Bench) -> None:
    bench.want_reports()
    bench.arm("report_other_address")
    bench.submit()
    assert b"06010B819471112233F4" in bench.run(1)


def test_direct_reports_may_want_phase_two_and_an_acknowledgement(bench: Bench) -> None:
    bench.arm("cds_needs_cnma")
    assert bench.ask("AT+CNMI=2,1,0,1,0") == "\r\n+CMS ERROR: 302\r\n"
    assert bench.ask("AT+CSMS=1") == f"\r\n+CSMS: 1,1,1\r\n{OK}"
    bench.want_reports()
    bench.submit()
    bench.submit()
    assert bench.run(1).count(b"+CDS") == 1
    assert bench.run(1) == b""
    assert bench.ask("AT+CNMA").startswith(f"{OK}\r\n+CDS: 25\r\n")
    assert bench.ask("AT+CNMA") == OK
    assert bench.ask("AT+CNMA") == "\r\n+CMS ERROR: 340\r\n"


def test_without_acknowledgement_direct_routing_ends_and_the_report_comes_again(bench: Bench) -> None:
    bench.ask("AT+CSMS=1")
    bench.want_reports()
    bench.submit()
    bench.run(30)
    assert bench.ask("AT+CNMI?") == f"\r\n+CNMI: 2,0,0,0,0\r\n{OK}"


def test_direct_reports_may_be_refused(bench: Bench) -> None:
    bench.arm("ds_refused", values="1")
    assert bench.ask("AT+CNMI=2,1,0,1,0") == "\r\n+CMS ERROR: 303\r\n"
    assert bench.ask("AT+CNMI=2,1,0,2,0") == OK


def test_direct_reports_may_be_taken_and_never_come(bench: Bench) -> None:
    bench.arm("ds_ignored")
    bench.want_reports()
    bench.submit()
    assert bench.run(60) == b""
    assert [record["via"] for record in bench.events("report")] == ["none"]


def test_a_stored_report_may_be_announced_in_a_store_where_it_is_not(bench: Bench) -> None:
    bench.arm("cdsi_store_lies")
    bench.ask("AT+CNMI=2,1,0,2,0")
    bench.submit()
    assert bench.run(1) == b'\r\n+CDSI: "SM",0\r\n'
    assert bench.ask("AT+CMGR=0") == OK
    bench.ask('AT+CPMS="SR"')
    assert "06010B919471112233F4" in bench.ask("AT+CMGR=0")


# Inbound


def test_a_full_store_keeps_the_message_in_the_network_until_there_is_room() -> None:
    bench = Bench("huawei")
    bench.arm("sim_full")
    bench.modem.network.send("+4917012345", "hello")
    assert bench.modem.take() == b'\r\n^SMMEMFULL: "SM"\r\n'
    bench.modem.faults.clear("sim_full")
    assert bench.ask("AT+CMGD=0,4") == f'{OK}\r\n+CMTI: "SM",0\r\n'


def test_a_full_store_is_told_once_and_holds_up_no_report() -> None:
    bench = Bench("huawei")
    bench.want_reports()
    bench.arm("sim_full")
    bench.modem.network.send("+4917012345", "hello")
    bench.modem.take()
    assert bench.submit() == SENT
    assert bench.run(1).startswith(b"\r\n+CDS: ")
    conditions.clear(bench.modem)
    assert bench.modem.take() == b'\r\n+CMTI: "SM",0\r\n'


def test_what_was_not_acknowledged_before_a_reset_comes_after_it(bench: Bench) -> None:
    bench.ask("AT+CSMS=1;+CNMI=2,2,0,1,0")
    bench.modem.network.send("+4917012345", "hello")
    bench.modem.power.reboot()
    bench.run(5)
    assert [record["via"] for record in bench.events("deliver")] == ["cmt", "cmti"]


def test_a_message_may_be_kept_in_another_store_than_chosen(bench: Bench) -> None:
    bench.arm("stored_elsewhere")
    bench.modem.network.send("+4917012345", "hello")
    assert bench.modem.take() == b'\r\n+CMTI: "ME",0\r\n'


@pytest.mark.parametrize(
    "how", ["truncated", "long_address", "long_text", "false_header", "noise", "bad_time", "empty", None]
)
def test_a_malformed_message_comes_as_it_is(bench: Bench, how: str | None) -> None:
    bench.arm("malformed_inbound", how=how)
    bench.modem.network.send("+4917012345", "hello")
    good = bench.modem.network
    good.send("+4917012345", "hello")
    broken, sound = bench.events("deliver")
    assert (broken["malformed"], sound["malformed"]) == (True, False)
    assert broken["pdu"] != sound["pdu"]
    assert f"{broken['pdu']}\r\n" in bench.ask("AT+CMGR=0")


# Its life


def test_a_reboot_answers_nothing_and_loses_the_settings() -> None:
    bench = Bench("quectel")
    bench.want_reports()
    bench.arm("reboot_mid_command")
    assert bench.ask("AT+CSQ") == ""
    assert bench.ask("AT") == ""
    lines = [line for line in bench.run(BOOT_S + 0.5).decode().split("\r\n") if line]
    assert lines == ["RDY", "+CFUN: 1", "+CPIN: READY", "+QUSIM: 1", "+QIND: SMS DONE"]
    assert bench.ask("AT+CNMI?") == f"AT+CNMI?\r\r\n+CNMI: 2,1,0,0,0\r\n{OK}"


def test_a_reboot_after_the_pdu_leaves_the_message_on_the_air(bench: Bench) -> None:
    bench.want_reports()
    bench.arm("reboot_after_pdu")
    assert bench.submit() == ""
    assert len(bench.events("message")) == 1
    assert bench.run(BOOT_S - 0.1) == b""
    assert b"+CPIN: READY" in bench.run(BOOT_S)
    assert [record["via"] for record in bench.events("report")] == ["none"]


def test_sms_is_not_ready_while_the_modem_boots() -> None:
    bench = Bench("quectel")
    bench.modem.power.reboot()
    bench.run(BOOT_S)
    bench.ask("ATE0")
    assert bench.ask("AT+CMGS=19").endswith("+CMS ERROR: 314\r\n")
    bench.run(1)
    assert bench.submit() == SENT


def test_a_wrong_pin_is_counted_and_the_third_locks_the_sim(bench: Bench) -> None:
    bench.ask("AT+CMEE=1")
    bench.arm("sim_pin", pin="1234")
    assert bench.ask("AT+CPIN?") == f"\r\n+CPIN: SIM PIN\r\n{OK}"
    assert bench.ask("AT+CMGS=19") == "\r\n+CMS ERROR: 311\r\n"
    assert bench.ask("AT+CIMI") == "\r\n+CME ERROR: 11\r\n"
    assert bench.ask("AT+CREG?") == f"\r\n+CREG: 0,0\r\n{OK}"
    assert [bench.ask("AT+CPIN=0000") for _ in range(3)] == [
        "\r\n+CME ERROR: 16\r\n",
        "\r\n+CME ERROR: 16\r\n",
        "\r\n+CME ERROR: 12\r\n",
    ]
    assert bench.ask("AT+CPIN?") == f"\r\n+CPIN: SIM PUK\r\n{OK}"
    assert bench.ask('AT+CPIN="1234"') == "\r\n+CME ERROR: 12\r\n"
    assert bench.ask('AT+CPIN="12345678","4321"') == OK


def test_the_right_pin_opens_the_sim_and_the_network(bench: Bench) -> None:
    bench.arm("sim_pin", pin="1234")
    bench.ask("AT+CREG=1")
    assert bench.ask('AT+CPIN="1234"') == OK
    assert bench.run(1) == b"\r\n+CPIN: READY\r\n\r\n+CREG: 1\r\n"
    assert bench.submit() == SENT


def test_without_a_sim_there_is_no_sms(bench: Bench) -> None:
    bench.ask("AT+CMEE=1")
    bench.arm("sim_missing")
    assert bench.ask("AT+CPIN?") == "\r\n+CME ERROR: 10\r\n"
    assert bench.ask("AT+CMGS=19") == "\r\n+CMS ERROR: 310\r\n"


@pytest.mark.parametrize(("name", "stat"), [("not_registered", 2), ("registration_denied", 3)])
def test_without_a_network_nothing_is_sent_and_the_change_is_told(bench: Bench, name: str, stat: int) -> None:
    bench.ask("AT+CREG=1")
    bench.arm(name)
    assert bench.modem.take() == f"\r\n+CREG: {stat}\r\n".encode()
    assert bench.ask("AT+COPS?") == f"\r\n+COPS: 0\r\n{OK}"
    assert bench.submit() == "\r\n+CMS ERROR: 331\r\n"
    assert bench.events("submit") == []


@pytest.mark.parametrize("name", ["unplug", "replug", "usb_eio"])
def test_the_plug_is_pulled_in_place_of_an_answer(bench: Bench, name: str) -> None:
    bench.arm(name)
    assert bench.ask("AT") == ""
    assert [wish.power_lost for wish in bench.modem.wishes] == [name != "usb_eio"]


def test_the_plug_is_pulled_with_the_message_on_the_air(bench: Bench) -> None:
    bench.arm("unplug_after_pdu", seconds=2.0, link="modem7")
    assert bench.submit() == ""
    assert len(bench.events("message")) == 1
    assert [(wish.seconds, wish.link) for wish in bench.modem.wishes] == [(2.0, "modem7")]


# How faults are armed


def test_a_fault_strikes_as_often_as_it_was_armed(bench: Bench) -> None:
    bench.arm("busy", count=2)
    assert [bench.ask("AT") for _ in range(3)] == ["\r\nERROR\r\n", "\r\nERROR\r\n", OK]


def test_chance_strikes_about_as_often_as_said_and_the_same_way_for_the_same_seed() -> None:
    def answers(seed: int) -> list[str]:
        bench = Bench(seed=seed)
        bench.modem.faults.risk(Chance("busy", 0.25))
        return [bench.ask("AT") for _ in range(400)]

    first = answers(1)
    assert first == answers(1) != answers(2)
    assert 60 < first.count("\r\nERROR\r\n") < 140


@pytest.mark.parametrize("seed", range(8))
def test_with_five_percent_of_everything_the_modem_lives_and_its_record_is_true(seed: int) -> None:
    bench = Bench(list(VENDORS)[seed], seed=seed)
    for name in CATALOGUE:
        bench.modem.faults.risk(Chance(name, 0.05))
    confirmed = 0
    for _ in range(200):
        bench.ask("ATE0;+CNMI=2,1,0,1,0")
        bench.run(0.5)
        bench.ask("AT+CMGS=19")
        bench.run(5)
        bench.write(HELLO + b"\x1a")
        confirmed += b"+CMGS:" in bench.run(10)
        bench.write(b"\x1b")
        bench.modem.wishes.clear()
    assert 0 < confirmed <= len(bench.events("message"))
    conditions.clear(bench.modem)
    bench.run(30)
    bench.write(b"\x1b")
    assert bench.ask("ATE0").endswith(OK)
    assert bench.submit().startswith("\r\n+CMGS: ")


def test_a_cleared_fault_is_gone(bench: Bench) -> None:
    bench.arm("busy", count=2)
    bench.arm("hang")
    bench.modem.faults.clear()
    assert bench.ask("AT") == OK


@pytest.mark.parametrize(("name", "params"), [("hnag", {}), ("hang", {"second": 3.0})])
def test_a_misspelt_fault_is_refused_and_told_what_there_is(bench: Bench, name: str, params: dict[str, float]) -> None:
    with pytest.raises(UnknownFault, match=r"hang|seconds"):
        bench.arm(name, **params)


@given(st.binary(max_size=300), st.lists(st.integers(1, 40)))
def test_no_noise_and_no_chunking_makes_the_modem_unusable(noise: bytes, cuts: list[int]) -> None:
    bench = Bench()
    at = 0
    for size in cuts:
        bench.write(noise[at : at + size])
        at += size
    bench.write(noise[at:])
    bench.write(b"\x1b\r")
    bench.run(10)
    bench.ask("ATE0")
    assert bench.ask("AT").endswith(OK)
