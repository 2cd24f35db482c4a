"""The agent's codec and the simulator's, two readings of one standard: what one writes the other reads, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.modem import pdu
from edge_agent.simulator import air_encode, gsm_text
from edge_agent.simulator.air import Air, Record
from edge_agent.simulator.air_codec import PduRefused, parse_pdu, parse_submit

numbers = st.text(st.sampled_from("0123456789"), min_size=1, max_size=15).map("+".__add__)
basic = gsm_text.ALPHABET.replace("\x1b", "")
gsm7_texts = st.text(st.sampled_from(basic + "".join(gsm_text.EXTENSION.values())), min_size=1, max_size=500)
any_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)
STAMP = air_encode.timestamp(1_700_000_000, 8)


@given(numbers, gsm7_texts | any_texts, st.integers(0, 255), st.sampled_from([8, 16]))
def test_the_air_holds_what_the_agent_was_given(number: str, text: str, ref: int, bits: int) -> None:
    air, who = Air(), Record(imei="1")
    for part in pdu.encode_message(number, text, ref=ref, validity_s=86400, status_report=True, ref_bits=bits):
        submit = parse_pdu(part.hex.encode(), part.tpdu_length)
        assert (submit.to, submit.wants_report, submit.validity) == (number, True, 86400)
        air.submit(who, "", 0, submit)
    assert [record["text"] for record in air.records if record["event"] == "message"] == [text]


@given(numbers, gsm7_texts | any_texts, st.booleans(), st.integers(1, 255))
def test_the_agent_reads_what_the_network_sends(number: str, text: str, wide: bool, ref: int) -> None:
    parts = [pdu.decode(t.hex(), smsc=False) for t in air_encode.delivers(number, text, STAMP, ref, wide=wide)]
    delivers = [part for part in parts if isinstance(part, pdu.Deliver)]
    assert pdu.join(delivers) == text
    assert {str(part.originator.number) for part in delivers} == {number}


@given(numbers, st.integers(0, 255), st.sampled_from([0x00, 0x01, 0x20, 0x30, 0x41, 0x46, 0x63]))
def test_the_agent_reads_the_networks_reports(number: str, reference: int, status: int) -> None:
    tpdu = air_encode.status_report(reference, air_encode.number_field(number), status, STAMP, STAMP)
    report = pdu.decode((air_encode.service_centre("+491710760000") + tpdu).hex())
    assert isinstance(report, pdu.StatusReport)
    assert (report.tp_mr, report.recipient.number, report.status) == (reference, number, status)


@pytest.mark.parametrize("quarters", [-48, -22, -1, 0, 8, 23, 56])
def test_both_tell_the_same_time_in_every_zone(quarters: int) -> None:
    (tpdu,) = air_encode.delivers("12345", "x", air_encode.timestamp(1_700_000_000, quarters), 1)
    deliver = pdu.decode(tpdu.hex(), smsc=False)
    assert isinstance(deliver, pdu.Deliver)
    assert deliver.timestamp is not None
    assert deliver.timestamp.timestamp() == 1_700_000_000


@given(st.text(st.sampled_from("ABCDEFGhijkl 0123"), min_size=1, max_size=11).filter(lambda name: name.strip("0123 ")))
def test_both_read_the_same_name_of_a_sender(name: str) -> None:
    (tpdu,) = air_encode.delivers(name, "x", STAMP, 1)
    deliver = pdu.decode(tpdu.hex(), smsc=False)
    assert isinstance(deliver, pdu.Deliver)
    assert deliver.originator.number == name


@given(st.binary(max_size=200))
def test_octets_that_are_no_submit_are_refused_by_name(octets: bytes) -> None:
    try:
        parse_submit(octets)
    except PduRefused as refused:
        assert str(refused)
