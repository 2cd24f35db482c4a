"""SMS-DELIVER: what a second codec writes, read by ours."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.modem import pdu
from edge_agent.modem.pdu import Concat, Deliver
from tests.edge_agent.modem import reference_tpdu as reference
from tests.edge_agent.modem.reference_tpdu import ALPHABET, EXTENSION

SENDER = reference.address("491701234567", 0x91)
NOON = reference.timestamp(datetime(2026, 1, 2, 12, 0, tzinfo=UTC))

gsm_texts = st.text(st.sampled_from([*ALPHABET.replace("\x1b", ""), *EXTENSION.values()]), max_size=70)
any_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=33)
zones = st.integers(-79, 79).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
times = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=zones).map(
    lambda t: t.replace(microsecond=0)
)
refs = st.integers(0, 255)
headers = st.one_of(
    st.just(b""),
    refs.map(lambda ref: bytes([5, 0, 3, ref, 3, 2])),
    refs.map(lambda ref: bytes([6, 8, 4, 1, ref, 3, 2])),
    refs.map(lambda ref: bytes([11, 5, 4, 0x0B, 0x84, 0x23, 0xF0, 0, 3, ref, 3, 2])),
)


def deliver(raw: str, *, smsc: bool = True) -> Deliver:
    message = pdu.decode(raw, smsc=smsc)
    assert isinstance(message, Deliver)
    return message


def text_deliver(text: str, header: bytes = b"", *, ucs2: bool = False) -> Deliver:
    return deliver(reference.write_text_deliver(SENDER, NOON, text, header, ucs2=ucs2))


def raw_deliver(
    user_data: bytes, *, length: int | None = None, dcs: int = 0, first: int = 0x04, pid: int = 0
) -> Deliver:
    length = len(user_data) if length is None else length
    return deliver(reference.write_deliver(SENDER, NOON, user_data, length=length, dcs=dcs, first=first, pid=pid))


@pytest.mark.parametrize(
    ("raw", "number", "text", "when"),
    [
        (
            "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07",
            "+31641600986",
            "How are you?",
            "2002-08-26T19:37:41+02:00",
        ),
        (
            "0791448720003023240DD0E474D81C0EBB010000111011315214000BE474D81C0EBB5DE3771B",
            "diafaan",
            "diafaan.com",
            "2011-01-11T13:25:41+00:00",
        ),
    ],
)
def test_messages_from_public_examples_read_as_published(raw: str, number: str, text: str, when: str) -> None:
    message = deliver(raw)
    assert (message.originator.number, message.text) == (number, text)
    assert message.timestamp is not None
    assert message.timestamp.replace(tzinfo=None) == datetime.fromisoformat(when).replace(tzinfo=None)


@given(gsm_texts, headers, times)
def test_a_message_in_the_alphabet_reads_as_it_was_written(text: str, header: bytes, when: datetime) -> None:
    message = deliver(reference.write_text_deliver(SENDER, reference.timestamp(when), text, header))
    assert (message.text, message.encoding) == (text, "gsm7")
    assert message.timestamp == when
    assert message.timestamp.utcoffset() == when.utcoffset()
    assert not message.truncated


@given(any_texts, headers)
def test_a_message_in_unicode_reads_as_it_was_written(text: str, header: bytes) -> None:
    message = text_deliver(text, header, ucs2=True)
    assert (message.text, message.encoding) == (text, "ucs2")
    assert (message.concat is None) == (header == b"")


@pytest.mark.parametrize("length", [7, 8, 15, 16, 152, 153, 159, 160])
def test_an_at_sign_at_the_end_is_neither_lost_nor_made_up(length: int) -> None:
    for text in ("a" * length, "a" * (length - 1) + "@"):
        assert text_deliver(text).text == text


@pytest.mark.parametrize(
    ("header", "concat", "ports"),
    [
        ("05000342 0302", Concat(0x42, 3, 2, 8), None),
        ("0608041234 0302", Concat(0x1234, 3, 2, 16), None),
        ("06050415820B84", None, (0x1582, 0x0B84)),
        ("040402 2D2E", None, (0x2D, 0x2E)),
        ("0B 0504 1582 0000 0003 42 0302", Concat(0x42, 3, 2, 8), (0x1582, 0)),
        ("0A 000301 0201 000342 0302", Concat(0x42, 3, 2, 8), None),  # twice: the last counts
        ("0B 0804 1234 0302 0003420302", Concat(0x42, 3, 2, 8), None),
        ("050003420300", None, None),  # part 0
        ("050003420304", None, None),  # part 4 of 3
        ("050003420001", None, None),  # of none
        ("0400024203", None, None),  # an element too short for its kind
        ("03700142", None, None),  # an element nobody knows
        ("0270 00", None, None),  # an element without a value
        ("0500044203 02", None, None),  # an element that runs out of the header: all of it is skipped
        ("0170", None, None),  # half an element
        ("00", None, None),  # an empty header
    ],
)
def test_headers_say_what_they_say_and_never_spoil_the_text(
    header: str, concat: Concat | None, ports: tuple[int, int] | None
) -> None:
    for ucs2 in (False, True):
        message = text_deliver("Text 123", bytes.fromhex(header), ucs2=ucs2)
        assert (message.concat, message.ports, message.text) == (concat, ports, "Text 123")


@pytest.mark.parametrize(
    ("originator", "number", "kind"),
    [
        (reference.address("491701234567", 0x91), "+491701234567", "international"),
        (reference.address("01701234567", 0xA1), "01701234567", "national"),
        (reference.address("00491701234567", 0x81), "00491701234567", "unknown"),
        (reference.address("72404", 0x81), "72404", "unknown"),
        (reference.address("333", 0xB1), "333", "network specific"),
        (reference.address("4242", 0xC8), "4242", "subscriber"),
        (reference.address("1", 0xE1), "1", "abbreviated"),
        (reference.address("*100#ab", 0x81), "*100#ab", "unknown"),
        (reference.address("", 0x91), "", "international"),
        (reference.alphanumeric("A"), "A", "alphanumeric"),
        (reference.alphanumeric("Vodafon"), "Vodafon", "alphanumeric"),
        (reference.alphanumeric("Vodafone"), "Vodafone", "alphanumeric"),
        (reference.alphanumeric("Design@Home"), "Design@Home", "alphanumeric"),
        (reference.alphanumeric("Where@"), "Where@", "alphanumeric"),
        (reference.alphanumeric("1234567@"), "1234567@", "alphanumeric"),
        (reference.alphanumeric("Käufer [1]"), "Käufer [1]", "alphanumeric"),
        (b"\x00\xd0", "", "alphanumeric"),
        (b"\x04\x91\x21\xf3", "+123", "international"),  # a fill counted as a digit
    ],
)
def test_senders_of_every_kind_are_read(originator: bytes, number: str, kind: str) -> None:
    message = deliver(reference.write_text_deliver(originator, NOON, "Hello"))
    assert (message.originator.number, message.originator.kind, message.text) == (number, kind, "Hello")


@given(st.text(st.sampled_from(ALPHABET.replace("\x1b", "")), max_size=11))
def test_a_sender_by_name_is_read_at_any_length(name: str) -> None:
    assert deliver(reference.write_text_deliver(reference.alphanumeric(name), NOON, "x")).originator.number == name


@pytest.mark.parametrize(
    ("smsc", "number"),
    [("00", ""), ("0191", ""), ("07919417016700F0", "+49711076000"), ("0481214365", "123456"), ("0381F1F1", "1")],
)
def test_the_service_centre_is_read_where_it_is_given(smsc: str, number: str) -> None:
    raw = reference.write_text_deliver(SENDER, NOON, "Hello")
    message = deliver(smsc + raw[16:])
    assert (message.smsc, message.text) == (number, "Hello")


def test_a_modem_that_leaves_the_service_centre_out_is_understood_when_told_so() -> None:
    raw = reference.write_text_deliver(SENDER, NOON, "Hello")[16:]
    message = deliver(raw, smsc=False)
    assert (message.smsc, message.text, message.originator.number) == ("", "Hello", "+491701234567")


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("99309251619580", datetime(2099, 3, 29, 15, 16, 59, tzinfo=timezone(timedelta(hours=2)))),
        ("9930925161958A", datetime(2099, 3, 29, 15, 16, 59, tzinfo=timezone(timedelta(hours=-7)))),
        ("62101021000032", datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone(timedelta(hours=5, minutes=45)))),
        ("6210102100004B", datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone(-timedelta(hours=8, minutes=30)))),
        ("6210102100005B", datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone(-timedelta(hours=8, minutes=45)))),
        ("00000000000000", None),
        ("FFFFFFFFFFFFFF", None),
        ("62201300000000", None),  # 31 February
        ("62101042000000", None),  # 24 o'clock
        ("621010210000F2", None),  # a zone that is no number
        ("A2101021000000", None),
    ],
)
def test_times_are_read_with_their_zone_or_not_at_all(octets: str, expected: datetime | None) -> None:
    message = deliver(reference.write_text_deliver(SENDER, bytes.fromhex(octets), "Hello"))
    assert message.timestamp == expected
    assert message.text == "Hello"
    if expected and message.timestamp:
        assert message.timestamp.utcoffset() == expected.utcoffset()


@pytest.mark.parametrize(
    ("dcs", "encoding", "message_class"),
    [
        *((0x00, "gsm7", None), (0x04, "8bit", None), (0x08, "ucs2", None), (0x0C, "gsm7", None)),
        *(
            (0x10, "gsm7", 0),
            (0x11, "gsm7", 1),
            (0x12, "gsm7", 2),
            (0x13, "gsm7", 3),
            (0x14, "8bit", 0),
            (0x18, "ucs2", 0),
        ),
        *((0x20, "8bit", None), (0x28, "8bit", None)),  # compressed
        *((0x40, "gsm7", None), (0x48, "ucs2", None), (0x58, "ucs2", 0)),  # to be deleted by itself
        *((0x80, "gsm7", None), (0x94, "gsm7", None), (0xB8, "gsm7", None)),  # reserved
        *((0xC8, "gsm7", None), (0xD8, "gsm7", None), (0xE0, "ucs2", None), (0xE8, "ucs2", None)),  # message waiting
        *((0xF0, "gsm7", 0), (0xF1, "gsm7", 1), (0xF4, "8bit", 0), (0xF7, "8bit", 3), (0xF8, "gsm7", 0)),
    ],
)
def test_the_coding_scheme_gives_alphabet_and_class(dcs: int, encoding: str, message_class: int | None) -> None:
    message = raw_deliver(b"\x00a\x00b", dcs=dcs, length=4)
    assert (message.encoding, message.message_class, message.dcs) == (encoding, message_class, dcs)


def test_data_is_kept_as_it_is_and_is_no_text() -> None:
    header = bytes([6, 5, 4, 0x0B, 0x84, 0x23, 0xF0])
    message = raw_deliver(header + b"\x00\xff\x80wap", dcs=0x04, first=0x44)
    assert (message.data, message.text, message.ports) == (b"\x00\xff\x80wap", "", (0x0B84, 0x23F0))


@pytest.mark.parametrize(
    ("user_data", "text"),
    [("D83D", "\ufffd"), ("0041DE00", "A\ufffd"), ("004100", "A\ufffd"), ("FEFF0041", "\ufeffA"), ("D83DDE00", "😀")],
)
def test_broken_unicode_becomes_text_that_can_be_stored(user_data: str, text: str) -> None:
    message = raw_deliver(bytes.fromhex(user_data), dcs=0x08)
    assert message.text == text
    message.text.encode()


@pytest.mark.parametrize(
    ("septets", "text"),
    [
        ([0x1B, 0x65], "€"),
        ([0x41, 0x1B], "A "),  # an escape to nothing
        ([0x1B, 0x1B, 0x41], " A"),  # §6.2.1.1: another extension table, still to be defined
        ([0x1B, 0x41], "A"),  # not in the extension: the character of the alphabet
        ([0x1B, 0x0A], "\f"),
        ([0x1B, 0x00, 0x0A], "@\n"),
        ([0x1B, 0x3C, 0x1B, 0x3E], "[]"),
    ],
)
def test_escapes_are_read_as_the_standard_says(septets: list[int], text: str) -> None:
    assert raw_deliver(reference.packed(septets), length=len(septets)).text == text


def test_a_user_data_cut_short_is_read_as_far_as_it_goes_and_marked() -> None:
    raw = reference.write_text_deliver(SENDER, NOON, "Hello, world")
    message = deliver(raw[:-8])
    assert message.truncated
    assert "Hello, world".startswith(message.text)
    assert len(message.text) >= 7


def test_what_follows_the_user_data_is_ignored() -> None:
    raw = reference.write_text_deliver(SENDER, NOON, "Hello")
    assert deliver(raw + "FFFF00").text == "Hello"
    assert deliver(raw + "FFFF00").identity == deliver(raw).identity


def test_the_reserved_message_type_is_read_as_a_deliver() -> None:
    message = raw_deliver(reference.packed(reference.to_septets("Hello")), length=5, first=0x07)
    assert message.text == "Hello"


def test_the_protocol_identifier_is_told() -> None:
    assert raw_deliver(b"", pid=0x40).pid == 0x40


def test_the_raw_pdu_is_kept() -> None:
    raw = reference.write_text_deliver(SENDER, NOON, "Hello")
    assert deliver(raw).raw == raw


def test_a_message_in_a_log_shows_neither_text_nor_numbers() -> None:
    shown = repr(text_deliver("Hello"))
    assert not [secret for secret in ("Hello", "4917", "C8329BFD06", "1947") if secret in shown]


def test_the_same_pdu_has_the_same_identity_however_it_is_handed_over() -> None:
    raw = reference.write_text_deliver(SENDER, NOON, "Hello")
    more_to_come = raw[:16] + "00" + raw[18:]  # TP-MMS is about the queue, not the message
    other_centre = "00" + raw[16:]
    assert {deliver(again).identity for again in (raw, raw.lower(), more_to_come, other_centre)} == {
        deliver(raw).identity
    }


def test_messages_that_differ_in_anything_have_identities_of_their_own() -> None:
    later = reference.timestamp(datetime(2026, 1, 2, 12, 0, 1, tzinfo=UTC))
    other = reference.address("491701234568", 0x91)
    raws = [
        reference.write_text_deliver(SENDER, NOON, "Hello"),
        reference.write_text_deliver(SENDER, NOON, "Hello!"),
        reference.write_text_deliver(SENDER, later, "Hello"),
        reference.write_text_deliver(other, NOON, "Hello"),
        reference.write_text_deliver(SENDER, NOON, "Hello", ucs2=True),
        reference.write_text_deliver(SENDER, NOON, "Hello", bytes([5, 0, 3, 1, 2, 1])),
        reference.write_text_deliver(SENDER, NOON, "Hello", bytes([5, 0, 3, 1, 2, 2])),
    ]
    assert len({deliver(raw).identity for raw in raws}) == len(raws)


def test_an_identity_is_the_same_on_every_machine() -> None:
    raw = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
    assert deliver(raw).identity == "a18b60dd0ca64e723c1daa549b5ce09d"


def _parts(cut: list[str], *, ucs2: bool = False) -> list[Deliver]:
    headers = [bytes([5, 0, 3, 9, len(cut), seq]) for seq in range(1, len(cut) + 1)]
    return [text_deliver(text, header, ucs2=ucs2) for text, header in zip(cut, headers, strict=True)]


def test_parts_join_to_their_text() -> None:
    assert pdu.join(_parts(["one ", "{two} ", "three"])) == "one {two} three"
    assert pdu.join([]) == ""


def test_a_surrogate_pair_the_sender_cut_in_two_is_whole_again_when_joined() -> None:
    header = bytes([5, 0, 3, 9, 2])
    first = raw_deliver(header + b"\x01" + bytes.fromhex("0416D83D"), dcs=8, first=0x44)
    second = raw_deliver(header + b"\x02" + bytes.fromhex("DE000416"), dcs=8, first=0x44)
    assert (first.text, second.text) == ("Ж\ufffd", "\ufffdЖ")
    assert pdu.join([first, second]) == "Ж😀Ж"


def test_an_escape_the_sender_cut_from_its_code_is_whole_again_when_joined() -> None:
    parts = []
    for seq, septets in ((1, [0x41, 0x1B]), (2, [0x65, 0x42])):
        header = bytes([5, 0, 3, 9, 2, seq])
        parts.append(raw_deliver(header + reference.packed(septets, 1), length=7 + 2, first=0x44))
    assert [part.text for part in parts] == ["A ", "eB"]
    assert pdu.join(parts) == "A€B"


def test_parts_in_different_alphabets_are_joined_each_in_its_own() -> None:
    assert (
        pdu.join([text_deliver("one "), text_deliver("два ", ucs2=True), text_deliver("[three]")]) == "one два [three]"
    )
