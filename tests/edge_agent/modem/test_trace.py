"""The trace for people: nothing personal is in it, however the bytes come."""

import pytest

from edge_agent.modem.trace import Redactor, Trace, shown

NUMBER = "+491711234567"
PDU = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("AT+CSQ", "AT+CSQ"),
        ('AT+CPMS="SM"', 'AT+CPMS="SM"'),
        ('AT+CSCS="GSM"', 'AT+CSCS="GSM"'),
        ("0031000B919471112233F40000FF04D4F29C0E\x1a", r"<19 octets>\x1a"),
        ("+CGSN: 490154203237518", "+CGSN: <15 digits>"),
        ("89490200001234567F", "<9 octets>"),
        ('+CUSD: 0,"Balance: 12 EUR",15', '+CUSD: 0,"<15 characters>",15'),
        ('+CUSD: 0,"HELLO",15', '+CUSD: 0,"<5 characters>",15'),
        ('+CUSD: 0,"say "hello" now",15', '+CUSD: 0,"<15 characters>",15'),
        (f'+CMT: "{NUMBER}",,24', '+CMT: "<13 characters>",,24'),
        ("\x00\xff>", r"\x00ÿ>"),
    ],
)
def test_what_is_personal_is_replaced_by_its_length(said: str, seen: str) -> None:
    assert shown(Redactor().line(said)) == seen


class Log:
    """What a trace of one port has logged."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO", "edge_agent.modem.trace")
        self._caplog = caplog
        self.trace = Trace("/dev/x")

    def hear(self, data: bytes, chunk: int = 1000) -> None:
        for at in range(0, len(data), chunk):
            self.trace.received(data[at : at + chunk])

    @property
    def lines(self) -> list[str]:
        return [record.getMessage().removeprefix("/dev/x ") for record in self._caplog.records]


def bare(lines: list[str]) -> list[str]:
    """Without line ends, of which as many are shown as come in one piece."""
    return [line.replace(r"\r", "").replace(r"\n", "") for line in lines]


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 8, 16, 31, 64, 1000])
def test_however_a_line_is_cut_it_is_shown_whole_and_redacted(chunk: int, caplog: pytest.LogCaptureFixture) -> None:
    log = Log(caplog)
    log.hear(f'\r\n+CMT: "{NUMBER}",,24\r\n{PDU}\r\n\r\n490154203237518\r\n\r\nOK\r\n'.encode(), chunk)
    assert bare(log.lines) == ['< +CMT: "<13 characters>",,24', "< <38 octets>", "< <15 digits>", "< OK"]


def test_a_received_pdu_is_not_shown_whatever_noise_has_cut_it(caplog: pytest.LogCaptureFixture) -> None:
    log = Log(caplog)
    log.hear(f"\r\n+CMGR: 0,,24\r\n{PDU[:40]}\xa5{PDU[40:]}\r\n\r\nOK\r\n".encode("latin-1"))
    assert bare(log.lines) == ["< +CMGR: 0,,24", "< <77 characters>", "< OK"]


def test_a_ussd_answer_of_several_lines_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    log = Log(caplog)
    log.hear(b'\r\n+CUSD: 1,"Balance:\r\n12 EUR\r\n> more",15\r\n\r\n+CREG: 1\r\n')
    assert bare(log.lines) == ['< +CUSD: 1,"<8 characters>', "< <6 characters>", "< <10 characters>", "< +CREG: 1"]


def test_a_message_is_not_shown_by_a_modem_in_text_mode_either(caplog: pytest.LogCaptureFixture) -> None:
    log = Log(caplog)
    log.hear(f'\r\n+CMGR: "REC READ","{NUMBER}",,"26"\r\nmeet me\r\n+at eight\r\n\r\nOK\r\n\r\n+CSQ: 9,99\r\n'.encode())
    header = '< +CMGR: "<8 characters>","<13 characters>",,"26"'
    assert bare(log.lines) == [header, "< <7 characters>", "< <9 characters>", "< OK", "< +CSQ: 9,99"]


def test_a_prompt_is_shown_before_what_is_written_for_it(caplog: pytest.LogCaptureFixture) -> None:
    log = Log(caplog)
    log.trace.sent(b"AT+CMGS=17\r", secret=False)
    log.hear(b"\r\n> ")
    log.trace.sent(PDU.encode() + b"\x1a", secret=False)
    log.hear(b"\r\n+CMGS: 7\r\n")
    assert log.lines == [r"> AT+CMGS=17\r", "< > ", r"> <38 octets>\x1a", r"< +CMGS: 7\r\n"]


def test_half_a_line_is_not_shown_because_something_is_written(caplog: pytest.LogCaptureFixture) -> None:
    log = Log(caplog)
    log.hear(f'\r\n+CMT: "{NUMBER[:7]}'.encode())
    log.trace.sent(b"AT\r", secret=False)
    log.hear(f'{NUMBER[7:]}",,24\r\n'.encode())
    assert bare(log.lines) == ["> AT", '< +CMT: "<13 characters>",,24']


def test_a_line_that_never_ends_is_told_by_its_length(caplog: pytest.LogCaptureFixture) -> None:
    log = Log(caplog)
    log.hear(b"1" * 10_000, 64)
    log.hear(b"\r\nOK\r\n12345")
    log.trace.end()
    log.trace.end()
    assert bare(log.lines) == ["< <10000 characters>", "< OK", "< <5 characters>"]


def test_a_pin_is_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    log = Log(caplog)
    log.trace.sent(b'AT+CPIN="4711"\r', secret=True)
    log.hear(b'AT+CPIN="4711"\r\r\nOK\r\n', 5)
    assert bare(log.lines) == ["> (secret)", '< AT+CPIN="<4 characters>"', "< OK"]
