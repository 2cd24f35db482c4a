"""The TPDU codec of 3GPP TS 23.040 and 23.038, all that the rest of the agent needs of it.

Out: `encode_message` (or `encode_submit` for one part). In: `decode`, and `join` for the parts of one text.
Text and numbers are never in an exception's message.
"""

from edge_agent.modem.pdu_address import Address
from edge_agent.modem.pdu_coding import Encoding
from edge_agent.modem.pdu_header import Concat, Header
from edge_agent.modem.pdu_inbound import Deliver, MalformedPdu, StatusReport, decode, join
from edge_agent.modem.pdu_status import Outcome
from edge_agent.modem.pdu_submit import SubmitPdu, encode_message, encode_submit

__all__ = [
    "Address",
    "Concat",
    "Deliver",
    "Encoding",
    "Header",
    "MalformedPdu",
    "Outcome",
    "StatusReport",
    "SubmitPdu",
    "decode",
    "encode_message",
    "encode_submit",
    "join",
]
