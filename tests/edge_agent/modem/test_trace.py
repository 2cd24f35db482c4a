"""The trace for people: nothing personal is in it."""

import pytest

from edge_agent.modem.trace import redact


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"AT+CSQ\r", r"AT+CSQ\r"),
        (b'AT+CPMS="SM"\r', r'AT+CPMS="SM"\r'),
        (b"0031000B919471112233F40000FF04D4F29C0E\x1a", r"<19 octets>\x1a"),
        (b"\r\n+CGSN: 490154203237518\r\n", r"\r\n+CGSN: <15 digits>\r\n"),
        (b'+CUSD: 0,"Balance: 12 EUR",15', '+CUSD: 0,"<15 characters>",15'),
        (b'+CMT: "+491711234567",,24', '+CMT: "<13 characters>",,24'),
        (b"\x00\xff>", r"\x00ÿ>"),
    ],
)
def test_what_is_personal_is_replaced_by_its_length(said: bytes, shown: str) -> None:
    assert redact(said) == shown
