"""What a healthy simulated modem answers: commands, settings, stores, routing, USSD, vendors."""

import pytest
from gsmmodem import pdu as gsmmodem

from edge_agent.simulator.air_encode import number_field
from edge_agent.simulator.at_line import Call, NotACommand, parse
from edge_agent.simulator.identity import identity_of, luhn
from edge_agent.simulator.state import Traits
from edge_agent.simulator.vendors import VENDORS
from tests.edge_agent.simulator.bench import ANSWER_S, HELLO, TRAITS, Bench

OK = "\r\nOK\r\n"
BALANCE_PACKED = gsmmodem.packSeptets(gsmmodem.encodeGsm7("Balance: 12.34 EUR")).hex().upper()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_commands_share_a_line() -> None:
    assert parse('E0V1+CMEE=1;+COPS=3,0;+CUSD=1,"*1;2#",15;+CSQ') == [
        Call("E", "", ("0",)),
        Call("V", "", ("1",)),
        Call("+CMEE", "=", ("1",)),
        Call("+COPS", "=", ("3", "0")),
        Call("+CUSD", "=", ("1", "*1;2#", "15")),
        Call("+CSQ", "", ()),
    ]
    assert parse("&FS0=1") == [Call("&F", ""), Call("S0", "=", ("1",))]
    assert parse("") == []
    with pytest.raises(NotACommand):
        parse("?!")


def test_a_line_ends_at_its_first_error(bench: Bench) -> None:
    assert bench.ask("AT+CSQ;+NONE;+CGSN") == "\r\nERROR\r\n"
    assert bench.ask("AT+CMEE=2;+CMEE?") == f"\r\n+CMEE: 2\r\n{OK}"
    assert bench.ask("AT+CMEE=7") == "\r\n+CME ERROR: Incorrect parameters\r\n"


def test_what_stands_before_the_prefix_is_ignored(bench: Bench) -> None:
    assert bench.write(b"\x1b\x00garbage at\r") == OK.encode()
    assert bench.ask("garbage") == ""


def test_the_echo_is_what_was_typed() -> None:
    bench = Bench(echo=True)
    assert bench.ask("at+csq") == f"at+csq\r\r\n+CSQ: 24,99\r\n{OK}"


def test_modems_are_told_apart_and_stay_themselves() -> None:
    them = [identity_of(index) for index in range(200)]
    assert len({one.imei for one in them}) == len({one.sim.iccid for one in them}) == 200
    assert all(luhn(one.imei[:-1]) == one.imei[-1] for one in them)
    assert identity_of(7) == them[7]


def test_escape_takes_a_submission_back(bench: Bench) -> None:
    bench.ask("AT+CMGS=19")
    assert bench.write(HELLO[:10] + b"\x1b") == OK.encode()
    assert bench.air.records == []


def test_a_pdu_half_written_waits_for_its_end_however_long(bench: Bench) -> None:
    bench.ask("AT+CMGS=19")
    bench.write(HELLO[:10])
    assert bench.run(3600) == b""
    assert bench.ask("AT") == ""
    assert bench.write(b"\x1a") == b""
    assert bench.run(ANSWER_S) == b"\r\n+CMS ERROR: 304\r\n"
    assert len(bench.events("refused")) == 1


@pytest.mark.parametrize(("octets", "pdu"), [(18, HELLO), (20, HELLO), (19, HELLO[:-1]), (19, b"XY" + HELLO[2:])])
def test_a_pdu_that_is_none_is_refused(bench: Bench, octets: int, pdu: bytes) -> None:
    assert bench.submit(pdu, octets) == "\r\n+CMS ERROR: 304\r\n"
    assert bench.events("submit") == []


def test_text_mode_is_not_simulated_and_says_so(bench: Bench) -> None:
    bench.ask("AT+CMGF=1")
    assert bench.ask('AT+CMGS="+49171"') == "\r\n+CMS ERROR: 305\r\n"


def test_references_wrap_at_256(bench: Bench) -> None:
    answers = [bench.submit() for _ in range(257)]
    assert answers[254] == f"\r\n+CMGS: 255\r\n{OK}"
    assert answers[255] == f"\r\n+CMGS: 0\r\n{OK}"
    assert [record["mr"] for record in bench.events("submit")][-2:] == [0, 1]


def test_parts_become_a_message_when_the_last_one_is_in(bench: Bench) -> None:
    head = b"0041000B919471112233F4000808050003A702"
    assert bench.submit(head + b"02042F", 21).endswith(OK)
    assert bench.events("message") == []
    bench.submit(head + b"010416", 21)
    (message,) = bench.events("message")
    assert (message["text"], message["parts"]) == ("ЖЯ", 2)


def test_parts_of_a_message_that_never_became_whole_do_not_get_into_the_next(bench: Bench) -> None:
    head = b"0041000B919471112233F4000808050003A703"
    for part in (b"010041", b"030043", b"010061", b"020062", b"030063"):
        bench.submit(head + part, 21)
    assert [record["text"] for record in bench.events("message")] == ["abc"]


def test_without_routing_a_report_is_dropped(bench: Bench) -> None:
    bench.submit()
    assert bench.run(1) == b""
    assert [record["via"] for record in bench.events("report")] == ["none"]


def test_a_network_without_reports_sends_none() -> None:
    bench = Bench(traits=Traits(reports=False))
    bench.want_reports()
    bench.submit()
    assert bench.run(60) == b""
    assert bench.events("report") == []


def test_notices_wait_until_the_prompt_is_closed(bench: Bench) -> None:
    bench.want_reports()
    bench.submit()
    bench.ask("AT+CMGS=19")
    assert bench.run(5) == b""
    assert bench.write(b"\x1b").startswith(b"\r\n+CDS: ")


def test_notices_are_kept_while_cnmi_buffers_them(bench: Bench) -> None:
    bench.ask("AT+CNMI=0,1,0,1,0")
    bench.submit()
    assert bench.run(1) == b""
    assert bench.ask("AT+CNMI=2,1,0,1,0").startswith("\r\n+CDS: ")


def test_a_message_is_stored_listed_read_and_deleted(bench: Bench) -> None:
    bench.modem.network.send("+4917012345", "hello")
    assert bench.modem.take() == b'\r\n+CMTI: "SM",0\r\n'
    assert "\r\n+CMGL: 0,0,,23\r\n0791947101670000040A9194711032540000" in bench.ask("AT+CMGL=4")
    assert bench.ask("AT+CMGL=0") == OK
    assert bench.ask("AT+CMGR=0").startswith("\r\n+CMGR: 1,,23\r\n")
    assert bench.ask("AT+CPMS?").startswith('\r\n+CPMS: "SM",1,30,')
    assert bench.ask("AT+CMGD=0") == OK
    assert bench.ask("AT+CMGL=4") == OK
    assert bench.ask("AT+CMGD=99") == "\r\n+CMS ERROR: 321\r\n"


def test_a_message_may_come_directly(bench: Bench) -> None:
    bench.ask("AT+CNMI=2,2,0,0,0")
    bench.modem.network.send("+4917012345", "hello")
    assert bench.modem.take().startswith(b"\r\n+CMT: ,23\r\n0791947101670000040A91")
    assert bench.ask("AT+CMGL=4") == OK


def test_a_long_message_comes_in_the_order_asked_for(bench: Bench) -> None:
    bench.modem.network.send("Bank", "a" * 400, order=(3, 1, 1))
    assert [record["part"] for record in bench.events("deliver")] == [[3, 3], [1, 3], [1, 3]]
    assert number_field("Bank").hex().upper() in bench.ask("AT+CMGR=2")


def test_a_store_takes_what_it_has_room_for() -> None:
    bench = Bench("quectel")
    for number in range(25):
        bench.modem.network.send("123", f"{number}")
    assert len(bench.events("deliver")) == 23
    assert b'+QIND: "smsfull","ME"' in bench.modem.take()
    bench.ask("AT+CMGD=0,4")
    assert len(bench.events("deliver")) == 25


def test_the_stores_survive_a_reset_and_the_settings_do_not(bench: Bench) -> None:
    bench.ask("AT+CREG=1;+CNMI=2,2;+CMEE=2")
    bench.modem.network.send("123", "direct")
    bench.ask("AT+CNMI=2,1")
    bench.modem.network.send("123", "stored")
    bench.modem.take()
    assert bench.ask("AT+CFUN=1,1") == OK
    bench.run(3)
    assert bench.ask("AT+CMEE?").endswith(f"+CMEE: 0\r\n{OK}")
    assert "+CMGL: 0,0" in bench.ask("AT+CMGL=4")


def test_without_radio_there_is_no_network(bench: Bench) -> None:
    bench.ask("AT+CREG=1;+CFUN=4")
    assert bench.ask("AT+CREG?;+CSQ;+CFUN?") == f"\r\n+CREG: 1,0\r\n+CSQ: 99,99\r\n+CFUN: 4\r\n{OK}"
    assert bench.submit() == "\r\n+CMS ERROR: 331\r\n"
    bench.ask("AT+CFUN=1")
    assert b"+CREG: 1" in bench.run(1)
    assert bench.submit().endswith(OK)


@pytest.mark.parametrize(
    ("vendor", "asked", "answer"),
    [
        ("plain", "*100#", '+CUSD: 0,"Balance: 12.34 EUR",15'),
        ("plain", "*101#", '+CUSD: 0,"04110430043B0430043D0441003A002000350036002E003700380020044004430431",72'),
        ("plain", "*999#", "+CUSD: 4"),
        ("huawei", "AA180C3602", f'+CUSD: 0,"{BALANCE_PACKED}",15'),
    ],
)
def test_ussd_answers_come_unsolicited(vendor: str, asked: str, answer: str) -> None:
    bench = Bench(vendor)
    assert bench.ask(f'AT+CUSD=1,"{asked}",15') == OK
    assert bench.run(1).decode() == f"\r\n{answer}\r\n"


def test_ussd_follows_the_character_set(bench: Bench) -> None:
    asked, answer = "*100#".encode("utf-16-be").hex(), "Balance: 12.34 EUR".encode("utf-16-be").hex().upper()
    assert bench.ask(f'AT+CSCS="UCS2";+CUSD=1,"{asked}",15') == OK
    assert bench.run(1).decode() == f'\r\n+CUSD: 0,"{answer}",15\r\n'


def test_ussd_may_ask_back(bench: Bench) -> None:
    bench.ask('AT+CUSD=1,"*102#",15')
    assert bench.run(1) == b'\r\n+CUSD: 1,"1 Balance\n2 Tariff",15\r\n'
    bench.ask('AT+CUSD=1,"1",15')
    assert bench.run(1) == b'\r\n+CUSD: 0,"Balance: 12.34 EUR",15\r\n'


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendor_tells_who_it_is_sends_and_comes_back_from_a_reset(vendor: str) -> None:
    bench, row = Bench(vendor), VENDORS[vendor]
    assert bench.ask("AT+CGMI;+CGMM") == f"\r\n{row.maker}\r\n{row.model}\r\n{OK}"
    assert bench.ask("AT+CGSN") == f"\r\n{identity_of(0).imei}\r\n{OK}"
    own = row.queries[0]
    assert identity_of(0).sim.iccid in bench.ask(f"AT{own.command}{own.form}")
    assert bench.ask("AT+NONE") == f"\r\n{row.unknown}\r\n"
    assert bench.ask("AT+CNMI=?") == f"\r\n+CNMI: {row.cnmi}\r\n{OK}"
    assert bench.ask("AT+CFUN=1,1") == OK
    bench.run(TRAITS.boot + 1)
    bench.ask("ATE0")
    assert bench.submit().endswith(OK)


def test_a_vendor_refuses_the_values_it_does_not_list() -> None:
    bench = Bench("cinterion")
    assert bench.ask("AT+CNMI=2,1,0,1,1") == "\r\n+CMS ERROR: 303\r\n"
    assert bench.ask("AT+CNMI=2,1,0,0,0") == "\r\n+CMS ERROR: 303\r\n"
    assert bench.ask("AT+CNMI=2,1,0,0,1") == OK


def test_quectel_announces_stored_reports_in_the_wrong_store() -> None:
    bench = Bench("quectel")
    bench.ask("AT+CNMI=2,1,0,2,0")
    bench.submit()
    assert bench.run(1) == b'\r\n+CDSI: "SM",0\r\n'
    bench.ask('AT+CPMS="SR"')
    assert "+CMGR: 0,,25" in bench.ask("AT+CMGR=0")


def test_hundreds_of_reports_may_be_outstanding() -> None:
    bench = Bench(traits=Traits(answer_delay=0.0, report_delay=60.0))
    bench.want_reports()
    for _ in range(300):
        bench.ask("AT+CMGS=19")
        assert bench.write(HELLO + b"\x1a").endswith(OK.encode())
    assert bench.run(61).count(b"+CDS") == 300
