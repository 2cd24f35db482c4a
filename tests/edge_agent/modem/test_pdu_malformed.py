"""Whatever a modem hands over, it is a message or MalformedPdu, never anything else."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_agent.modem import pdu
from edge_agent.modem.pdu import Deliver, MalformedPdu, StatusReport

DELIVER = "07911326040000F0440B911346610089F600002080629173140813050003420302" + "8E69F719D4AE83E6E93C"
REPORT = "07911326060032F006C80B911326880736F4111011719551401110117195714000"


def _survives(raw: str, *, smsc: bool = True) -> None:
    try:
        message = pdu.decode(raw, smsc=smsc)
    except MalformedPdu as malformed:
        assert malformed.raw == raw
        assert str(malformed) == malformed.reason
        assert malformed.reason
        return
    assert message.raw == raw
    if isinstance(message, StatusReport):
        assert message.words and message.outcome and message.recipient.kind
    else:
        _can_be_stored(message)


def _can_be_stored(message: Deliver) -> None:
    (message.text + message.originator.number + message.smsc + message.identity + message.originator.kind).encode()
    assert message.message_class in (None, 0, 1, 2, 3)
    assert pdu.join([message, message]).encode() is not None


@settings(max_examples=1500)
@given(st.binary(max_size=200), st.booleans())
@example(b"", True)
@example(b"\x00", True)
@example(b"\xff", False)
def test_any_bytes_whatever(octets: bytes, smsc: bool) -> None:
    _survives(octets.hex(), smsc=smsc)


@settings(max_examples=1500)
@given(
    st.sampled_from([DELIVER, REPORT]),
    st.lists(st.tuples(st.integers(0, 60), st.binary(min_size=1, max_size=3)), max_size=4),
    st.integers(0, 80),
)
def test_a_good_pdu_gone_bad_anywhere(raw: str, changes: list[tuple[int, bytes]], length: int) -> None:
    octets = bytearray.fromhex(raw)
    for at, new in changes:
        octets[at : at + len(new)] = new
    _survives(octets[:length].hex())


@given(st.text(max_size=60))
@example("0")
@example("07911326040000F0040B9113466100\ud800")
@example("+CMT: ,24")
def test_any_text_whatever(raw: str) -> None:
    _survives(raw)


@pytest.mark.parametrize("raw", [DELIVER, REPORT])
def test_a_pdu_that_breaks_off_before_the_user_data_is_malformed(raw: str) -> None:
    needed = 2 * 27 if raw is DELIVER else len(raw)
    for length in range(0, needed, 2):
        with pytest.raises(MalformedPdu, match="too early"):
            pdu.decode(raw[:length])


def test_a_header_longer_than_the_user_data_is_malformed() -> None:
    with pytest.raises(MalformedPdu, match="too early"):
        pdu.decode(DELIVER[:54] + "7F00")


def test_what_only_goes_out_is_malformed_as_input() -> None:
    with pytest.raises(MalformedPdu, match="SUBMIT"):
        pdu.decode("0001000B916407281553F800000AE8329BFD4697D9EC37")


def test_the_exception_does_not_print_the_message() -> None:
    with pytest.raises(MalformedPdu) as malformed:
        pdu.decode(DELIVER + "0")
    assert DELIVER not in repr(malformed.value) + str(malformed.value)
    assert malformed.value.raw == DELIVER + "0"
