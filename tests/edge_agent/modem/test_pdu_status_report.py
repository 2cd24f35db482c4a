"""SMS-STATUS-REPORT, and what its TP-Status means."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.modem import pdu
from edge_agent.modem.pdu import Outcome, StatusReport
from tests.edge_agent.modem import reference_tpdu as reference

RECIPIENT = reference.address("491701234567", 0x91)
SENT = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
DONE = datetime(2026, 1, 2, 12, 0, 7, tzinfo=timezone(timedelta(hours=-3)))


def report(status: int) -> StatusReport:
    written = reference.write_status_report(7, RECIPIENT, reference.timestamp(SENT), reference.timestamp(DONE), status)
    message = pdu.decode(written)
    assert isinstance(message, StatusReport)
    return message


@given(st.integers(0, 255), st.text(st.sampled_from("0123456789"), min_size=1, max_size=20), st.integers(0, 255))
def test_a_report_reads_as_it_was_written(reference_number: int, number: str, status: int) -> None:
    for kind, prefix in ((0x91, "+"), (0x81, ""), (0xA1, "")):
        raw = reference.write_status_report(
            reference_number,
            reference.address(number, kind),
            reference.timestamp(SENT),
            reference.timestamp(DONE),
            status,
        )
        message = pdu.decode(raw)
        assert isinstance(message, StatusReport)
        assert (message.tp_mr, message.recipient.number) == (reference_number, prefix + number)
        assert (message.scts, message.discharge) == (SENT, DONE)
        assert (message.status, message.raw) == (status, raw)


@pytest.mark.parametrize("tail", ["", "00", "FF", "0700000548656C6C6F", "FF00"])
def test_what_follows_the_status_changes_nothing(tail: str) -> None:
    raw = reference.write_status_report(
        7, RECIPIENT, reference.timestamp(SENT), reference.timestamp(DONE), 0x41, tail=bytes.fromhex(tail)
    )
    message = pdu.decode(raw)
    assert isinstance(message, StatusReport)
    assert message.status == 0x41


@pytest.mark.parametrize("first", [0x02, 0x06, 0x22, 0x26, 0x46])
def test_a_report_is_known_by_its_type_whatever_its_flags(first: int) -> None:
    raw = reference.write_status_report(
        7, RECIPIENT, reference.timestamp(SENT), reference.timestamp(DONE), 0, first=first
    )
    assert isinstance(pdu.decode(raw), StatusReport)


def test_a_report_without_service_centre_is_understood_when_told_so() -> None:
    raw = reference.write_status_report(7, RECIPIENT, reference.timestamp(SENT), reference.timestamp(DONE), 0)[16:]
    message = pdu.decode(raw, smsc=False)
    assert isinstance(message, StatusReport)
    assert message.recipient.number == "+491701234567"


@pytest.mark.parametrize("octets", ["00000000000000", "FFFFFFFFFFFFFF"])
def test_a_discharge_time_nobody_knows_spoils_nothing(octets: str) -> None:
    raw = reference.write_status_report(7, RECIPIENT, reference.timestamp(SENT), bytes.fromhex(octets), 0x30)
    message = pdu.decode(raw)
    assert isinstance(message, StatusReport)
    assert (message.scts, message.discharge, message.outcome) == (SENT, None, Outcome.TRYING)


@pytest.mark.parametrize(
    ("status", "outcome", "words"),
    [
        (0x00, Outcome.DELIVERED, "received by the phone"),
        (0x01, Outcome.UNCONFIRMED, "unable to confirm delivery"),
        (0x02, Outcome.FAILED, "replaced"),
        (0x10, Outcome.UNCONFIRMED, "own code 0x10"),
        (0x1F, Outcome.UNCONFIRMED, "own code 0x1F"),
        (0x20, Outcome.TRYING, "congestion; the service centre is still trying"),
        (0x21, Outcome.TRYING, "phone busy"),
        (0x22, Outcome.TRYING, "no response"),
        (0x25, Outcome.TRYING, "error in the phone"),
        (0x30, Outcome.TRYING, "own code 0x30"),
        (0x40, Outcome.FAILED, "remote procedure error"),
        (0x41, Outcome.FAILED, "incompatible destination"),
        (0x43, Outcome.FAILED, "not obtainable"),
        (0x46, Outcome.FAILED, "validity period expired"),
        (0x47, Outcome.FAILED, "deleted by its sender"),
        (0x49, Outcome.FAILED, "does not know"),
        (0x50, Outcome.FAILED, "own code 0x50"),
        (0x60, Outcome.FAILED, "congestion; the service centre has given up"),
        (0x65, Outcome.FAILED, "error in the phone; the service centre has given up"),
        (0x70, Outcome.FAILED, "own code 0x70; the service centre has given up"),
    ],
)
def test_each_status_has_its_outcome_and_its_sentence(status: int, outcome: Outcome, words: str) -> None:
    message = report(status)
    assert message.outcome is outcome
    assert words in message.words


@pytest.mark.parametrize("status", [0x03, 0x0F, 0x26, 0x2F, 0x4A, 0x4F, 0x66, 0x6F, 0x80, 0xFF])
def test_a_reserved_status_is_read_as_service_rejected(status: int) -> None:
    message = report(status)
    assert message.outcome is Outcome.FAILED
    assert "service rejected" in message.words
    assert message.status == status
