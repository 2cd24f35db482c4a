"""The simulated network's reading of SMS-SUBMIT, against PDUs written out by hand from 3GPP TS 23.040 and 23.038."""

import pytest
from gsmmodem import pdu as gsmmodem

from edge_agent.simulator import air_encode
from edge_agent.simulator.air_codec import Concat, PduRefused, parse_pdu, parse_submit, relative_seconds

TO = "0B919471112233F4"  # +49171122334
HELLO = "05E8329BFD06"


def submit(rest: str, first: str = "01", to: str = TO, pid: str = "00", reference: str = "00"):  # type: ignore[no-untyped-def]
    """From TP-DCS on, with everything before it in order."""
    return parse_submit(bytes.fromhex(first + reference + to + pid + rest))


def test_the_standards_own_example_is_read() -> None:
    read = submit("00" + HELLO)
    assert (read.to, read.encoding, read.text, read.concat) == ("+49171122334", "gsm7", "hello", None)
    assert (read.validity, read.wants_report) == (None, False)


@pytest.mark.parametrize(
    ("field", "number"),
    [
        ("0B919471112233F4", "+49171122334"),
        ("04811032", "0123"),
        ("05811032F4", "01234"),
        ("05A11032F4", "01234"),
        ("0481BADC", "*#ab"),
        ("06D0C1A110", "ACB"),
    ],
)
def test_addresses_of_every_type_are_read(field: str, number: str) -> None:
    assert submit("00" + HELLO, to=field).to == number


@pytest.mark.parametrize(
    ("scheme", "encoding"),
    [("00", "gsm7"), ("10", "gsm7"), ("F0", "gsm7"), ("F1", "gsm7"), ("50", "gsm7"), ("C8", "gsm7"), ("D0", "gsm7")],
)
def test_schemes_of_the_default_alphabet(scheme: str, encoding: str) -> None:
    assert (submit(scheme + HELLO).encoding, submit(scheme + HELLO).text) == (encoding, "hello")


@pytest.mark.parametrize("scheme", ["08", "18", "48", "E0"])
def test_schemes_of_ucs2_keep_surrogate_pairs(scheme: str) -> None:
    assert submit(scheme + "06" + "0416D83DDE00").text == "Ж😀"


@pytest.mark.parametrize("scheme", ["04", "F4", "F7"])
def test_schemes_of_eight_bits(scheme: str) -> None:
    assert (submit(scheme + "02" + "41FF").encoding, submit(scheme + "02" + "41FF").text) == ("8bit", "Aÿ")


def test_extension_characters_take_two_septets() -> None:
    septets = bytes([0x1B, 0x65, 0x1B, 0x28, 0x1B, 0x0A, 0x1B, 0x41])
    data = air_encode.gsm_text.pack(septets)
    assert submit("00" + "08" + data.hex()).text == "€{\fA"


def test_a_cut_escape_and_a_cut_surrogate_are_not_repaired() -> None:
    assert submit("00" + "01" + "1B").text == "\N{REPLACEMENT CHARACTER}"
    assert submit("08" + "02" + "D83D").text == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("header", "concat"),
    [
        ("050003A70301", Concat(0xA7, 3, 1)),
        ("06080412340502", Concat(0x1234, 5, 2)),
        ("0470020000", None),
        ("050003A70304", None),
        ("050003A70300", None),
        ("0A00030102010003020202", Concat(2, 2, 2)),
    ],
)
def test_the_last_valid_concatenation_counts(header: str, concat: Concat | None) -> None:
    body = bytes.fromhex(header) + "x".encode("utf-16-be")
    assert submit("08" + f"{len(body):02X}" + body.hex(), first="41").concat == concat


def test_text_behind_a_header_starts_at_a_septet() -> None:
    (first, second) = air_encode.delivers("1", "a" * 160 + "b", air_encode.timestamp(0, 0), 9)
    for part, text in ((first, "a" * 153), (second, "a" * 7 + "b")):
        user_data = part[3 + 1 + 2 + 7 :]
        assert submit("00" + user_data.hex(), first="41").text == text


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 300),
        (143, 43200),
        (144, 45000),
        (167, 86400),
        (168, 2 * 86400),
        (196, 30 * 86400),
        (197, 35 * 86400),
        (255, 63 * 7 * 86400),
    ],
)
def test_relative_validity_has_four_ranges(value: int, seconds: int) -> None:
    assert relative_seconds(value) == seconds
    assert submit("00" + f"{value:02X}" + HELLO, first="11").validity == seconds


def test_absolute_validity_is_a_timestamp_with_its_zone() -> None:
    assert submit("00" + "52217141650080" + HELLO, first="19").validity == "2025-12-17T14:56:00+02:00"
    assert submit("00" + "5221714165008A" + HELLO, first="19").validity == "2025-12-17T14:56:00-07:00"


REFUSED = {
    "a deliver": "04" + "00" + TO + "0000" + HELLO,
    "no octets": "",
    "text too short": "0100" + TO + "0000" + HELLO[:-2],
    "text too long": "0100" + TO + "0000" + HELLO + "00",
    "half a character": "0100" + TO + "0008" + "03" + "041604",
    "161 septets": "0100" + TO + "0000" + "A1" + "00" * 141,
    "141 octets": "0100" + TO + "0004" + "8D" + "00" * 141,
    "a header longer than the text": "4100" + TO + "0004" + "02" + "0500",
    "a header without octets": "4100" + TO + "0004" + "00",
    "an element longer than its header": "4100" + TO + "0004" + "04" + "03000500",
    "a national table": "4100" + TO + "0004" + "05" + "0424010141",
    "an empty address": "0100" + "0091" + "0000" + HELLO,
    "21 digits": "0100" + "1591" + "11" * 11 + "0000" + HELLO,
    "a reserved address type": "0100" + "02F111" + "0000" + HELLO,
    "an address type without its first bit": "0100" + "021111" + "0000" + HELLO,
    "a filler among digits": "0100" + "03911FF1" + "0000" + HELLO,
    "a digit for the filler": "0100" + "0391" + "1112" + "0000" + HELLO,
    "compressed text": "0100" + TO + "0020" + HELLO,
    "a reserved alphabet": "0100" + TO + "000C" + HELLO,
    "a reserved group": "0100" + TO + "0080" + HELLO,
    "an enhanced validity": "0900" + TO + "0000" + "00" * 7 + HELLO,
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_standard_does_not_know_is_refused(name: str) -> None:
    with pytest.raises(PduRefused):
        parse_submit(bytes.fromhex(REFUSED[name]))


@pytest.mark.parametrize(
    ("digits", "octets"),
    [
        ("0001000B919471112233F4000005E8329BFD06", 19),
        ("0001000B919471112233F4000005E8329BFD06", 17),
        ("0101000B919471112233F4000005E8329BFD06", 18),
        ("0001000B919471112233F4000005E8329BFD0", 18),
        ("0001000B919471112233F4000005E8329BFDXX", 18),
        ("", 18),
    ],
)
def test_a_pdu_that_does_not_fit_its_announced_length_is_refused(digits: str, octets: int) -> None:
    with pytest.raises(PduRefused):
        parse_pdu(digits.encode(), octets)


def test_a_service_centre_in_front_does_not_count() -> None:
    assert parse_pdu(b"07919471016700000100" + TO.encode() + b"0000" + HELLO.encode(), 18).text == "hello"


@pytest.mark.parametrize("text", ["", "hello @", "Grüße, 5 € {1}", "Привет", "x" * 160, "y" * 161 + "€", "я" * 71])
def test_another_programs_submit_is_read(text: str) -> None:
    made = gsmmodem.encodeSmsSubmitPdu("+49171122334", text, requestStatusReport=True)
    read = [parse_pdu(str(part).encode(), part.tpduLength) for part in made]
    assert "".join(part.text for part in read) == text
    assert all(part.wants_report and part.to == "+49171122334" for part in read)


@pytest.mark.parametrize("text", ["hello", "Grüße, 5 € {1}", "Привет", "x" * 160])
def test_another_program_reads_a_deliver(text: str) -> None:
    (tpdu,) = air_encode.delivers("+4917012345", text, air_encode.timestamp(1_700_000_000, -22), 1)
    read = gsmmodem.decodeSmsPdu("00" + tpdu.hex().upper())
    assert (read["number"], read["text"]) == ("+4917012345", text)
    assert read["time"].timestamp() == 1_700_000_000
