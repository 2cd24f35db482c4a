"""The same octets through other people's codecs: python-gsmmodem, smspdudecoder and pdubuild.

Their known faults are left out by name where a strategy is built, so that everything else is compared to the letter.
"""

from datetime import datetime, timedelta, timezone
from typing import Any

from gsmmodem import pdu as gsmmodem
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pdubuild import build as pdubuild
from smspdudecoder.easy import read_incoming_sms, read_outgoing_sms

from edge_agent.modem import pdu
from edge_agent.modem.pdu import Concat, Deliver, StatusReport
from shared import segments
from tests.edge_agent.modem import reference_tpdu as reference
from tests.edge_agent.modem.reference_tpdu import ALPHABET

BASIC = ALPHABET.replace("\x1b", "")
EXTENDED = "^{}\\[~]|€"

digits = st.text(st.sampled_from("0123456789"), min_size=3, max_size=15)
zones = st.integers(-48, 56).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
times = st.datetimes(datetime(2000, 1, 1), datetime(2068, 12, 31), timezones=zones).map(
    lambda t: t.replace(microsecond=0)
)
bmp = st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF)
headers = st.sampled_from([b"", bytes([5, 0, 3, 0x42, 3, 2])])

# Faults of python-gsmmodem 0.13: "`" stands in its alphabet where "§" should; form feed is missing from its extension;
# any emoji breaks its UCS-2; it reads a zero septet that ends the last octet as nothing, so that a trailing "@" at 8n
# septets is lost.
gsmmodem_texts = st.text(st.sampled_from(BASIC.replace("§", "") + EXTENDED), max_size=400)
gsmmodem_unicode = st.text(bmp.filter(lambda c: c not in "`§"), max_size=69).map("ж".__add__)
gsmmodem_reads = gsmmodem_texts.filter(lambda text: not any(p.endswith("@") for p in segments.split(text).parts))

# Faults of smspdudecoder 2.2: it counts characters where it should count septets, so that beside an extension character
# the zero fill after 8n+7 septets becomes an "@" too many; an escape that seems to stand in a header eats a character.
smspdudecoder_texts = st.text(st.sampled_from(BASIC), max_size=400)

# Faults of pdubuild 0.0.4: "`" for "§"; no extension table; after 8n+7 septets it fills the last octet with a carriage
# return; it puts 67 UTF-16 units behind a header that leaves room for 66, and cuts between the halves of an emoji.
pdubuild_texts = st.text(st.sampled_from(BASIC.replace("§", "")), min_size=1, max_size=400)
pdubuild_unicode = st.text(bmp, min_size=1, max_size=66)
PDUBUILD_VALIDITY_S, PDUBUILD_REF = 63 * 7 * 86400, 0xB49F


def _encode(number: str, text: str, *, validity_s: int | None = None, report: bool = False) -> list[str]:
    submits = pdu.encode_message(number, text, ref=0, validity_s=validity_s, status_report=report)
    return [submit.hex for submit in submits]


@given(digits, gsmmodem_texts | gsmmodem_unicode, st.booleans())
@example("49170", "a" * 152 + "€" + "b" * 152 + "{", True)
def test_gsmmodem_writes_the_same_submit(number: str, text: str, report: bool) -> None:
    ours = pdu.encode_message("+" + number, text, ref=0, validity_s=None, status_report=report)
    theirs = gsmmodem.encodeSmsSubmitPdu("+" + number, text, requestStatusReport=report)
    assert [(submit.hex, submit.tpdu_length) for submit in ours] == [(str(made), made.tpduLength) for made in theirs]


@given(st.sampled_from([*range(300, 43_201, 300), *range(86_400 * 2, 86_400 * 31, 86_400)]))
def test_gsmmodem_writes_the_same_validity(seconds: int) -> None:
    validity = timedelta(seconds=seconds)
    (theirs,) = gsmmodem.encodeSmsSubmitPdu("+49170", "x", validity=validity, requestStatusReport=False)
    assert _encode("+49170", "x", validity_s=seconds) == [str(theirs)]


@given(digits, gsmmodem_reads | gsmmodem_unicode, st.booleans())
def test_gsmmodem_reads_our_submit(number: str, text: str, report: bool) -> None:
    read = [gsmmodem.decodeSmsPdu(made) for made in _encode("+" + number, text, report=report)]
    assert "".join(part["text"] for part in read) == text
    assert {part["number"] for part in read} == {"+" + number}


@given(digits, smspdudecoder_texts | st.text(st.characters(exclude_categories=["Cs"]), max_size=200).map("ж".__add__))
def test_smspdudecoder_reads_our_submit(number: str, text: str) -> None:
    read = [read_outgoing_sms(made) for made in _encode("+" + number, text, validity_s=86_400)]
    assert "".join(part["content"] for part in read) == text
    assert {part["recipient"] for part in read} == {"+" + number}


@given(digits, pdubuild_texts)
def test_pdubuild_writes_the_same_submit_in_the_alphabet(number: str, text: str) -> None:
    assume(len(text) > 160 or len(text) <= 152)  # at 152 it begins to cut, not at 160
    parts = [text[at : at + 152] for at in range(0, len(text), 152)]
    assume(not any((len(part) + 8 * (len(parts) > 1)) % 8 == 7 for part in parts))
    ours = pdu.encode_message(
        "+" + number, text, ref=PDUBUILD_REF, validity_s=PDUBUILD_VALIDITY_S, status_report=False, ref_bits=16
    )
    assert [submit.hex[2:] for submit in ours] == _pdubuild("+" + number, text, "gsm7")


@given(digits, pdubuild_unicode)
def test_pdubuild_writes_the_same_submit_in_unicode(number: str, text: str) -> None:
    concat = Concat(PDUBUILD_REF, 1, 1, 16)  # it always writes a header
    ours = pdu.encode_submit("+" + number, text, encoding="ucs2", concat=concat, validity_s=PDUBUILD_VALIDITY_S)
    assert [ours.hex[2:]] == _pdubuild("+" + number, text, "ucs2")


def _pdubuild(number: str, text: str, encoding: str) -> list[str]:
    return [made[len("039121F3") :] for made in pdubuild("+123", number, text, encoding)]


def _deliver(number: str, text: str, when: datetime, header: bytes, *, ucs2: bool) -> tuple[str, Deliver]:
    originator = reference.address(number, 0x91)
    raw = reference.write_text_deliver(originator, reference.timestamp(when), text, header, ucs2=ucs2)
    message = pdu.decode(raw)
    assert isinstance(message, Deliver)
    return raw, message


def _agrees(message: Deliver, number: str, text: str, when: datetime, smsc: str | None) -> None:
    assert (message.originator.number, message.text, message.timestamp) == (number, text, when)
    assert smsc in (None, message.smsc)


@given(digits, gsmmodem_reads.map(lambda text: segments.split(text).parts[0]), times, headers)
def test_gsmmodem_reads_a_deliver_as_we_do(number: str, text: str, when: datetime, header: bytes) -> None:
    raw, ours = _deliver(number, text, when, header, ucs2=False)
    theirs: dict[str, Any] = gsmmodem.decodeSmsPdu(raw)
    _agrees(ours, theirs["number"], theirs["text"], theirs["time"], theirs["smsc"])
    assert ours.timestamp is not None
    assert ours.timestamp.utcoffset() == theirs["time"].utcoffset()


@given(digits, st.text(bmp, max_size=66), times, headers)
def test_gsmmodem_reads_a_deliver_in_unicode_as_we_do(number: str, text: str, when: datetime, header: bytes) -> None:
    assume(not header or text)  # it counts the header into the length of the text, and reads on where nothing is
    raw, ours = _deliver(number, text, when, header, ucs2=True)
    theirs: dict[str, Any] = gsmmodem.decodeSmsPdu(raw)
    _agrees(ours, theirs["number"], theirs["text"], theirs["time"], theirs["smsc"])


@given(digits, st.text(st.sampled_from(BASIC), max_size=152), times, headers)
def test_smspdudecoder_reads_a_deliver_as_we_do(number: str, text: str, when: datetime, header: bytes) -> None:
    raw, ours = _deliver(number, text, when, header, ucs2=False)
    theirs: dict[str, Any] = read_incoming_sms(raw)
    _agrees(ours, theirs["sender"], theirs["content"], theirs["date"], None)


@given(digits, st.text(st.characters(exclude_categories=["Cs"]), max_size=33), times, headers)
def test_smspdudecoder_reads_a_deliver_in_unicode_as_we_do(
    number: str, text: str, when: datetime, header: bytes
) -> None:
    raw, ours = _deliver(number, text, when, header, ucs2=True)
    theirs: dict[str, Any] = read_incoming_sms(raw)
    _agrees(ours, theirs["sender"], theirs["content"], theirs["date"], None)


@given(st.integers(0, 255), digits, times, times, st.integers(0, 255))
def test_gsmmodem_reads_a_status_report_as_we_do(
    tp_mr: int, number: str, sent: datetime, done: datetime, status: int
) -> None:
    recipient = reference.address(number, 0x91)
    raw = reference.write_status_report(tp_mr, recipient, reference.timestamp(sent), reference.timestamp(done), status)
    ours, theirs = pdu.decode(raw), gsmmodem.decodeSmsPdu(raw)
    assert isinstance(ours, StatusReport)
    assert (ours.tp_mr, ours.recipient.number, ours.status) == (theirs["reference"], theirs["number"], theirs["status"])
    assert (ours.scts, ours.discharge) == (theirs["time"], theirs["discharge"])
