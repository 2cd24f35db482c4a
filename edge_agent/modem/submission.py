"""What the reply to AT+CMGS says with certainty about the part: on the air, not on the air, or unknown. Pure."""

from edge_agent.modem.reply import Reply
from edge_agent.span import NotSubmitted, Refusal, Submission, Taken, Unknown

_HIGHEST_REFERENCE = 255  # TP-MR is one octet (23.040 §9.2.3.6)


def judge(reply: Reply) -> Submission:
    """Errs towards Unknown, since a part that may be on the air must not be sent again."""
    reference = _reference(reply)
    if reference is not None or (reply.ok and reply.payload_sent):
        return Taken(reference if reference is not None and 0 <= reference <= _HIGHEST_REFERENCE else None)
    if not reply.payload_sent:
        return _before_payload(reply)
    error = reply.error
    if error is not None and not error.outcome_unknown:
        return Refusal(error.code, error.text, error.elsewhere)
    return Unknown(reply.in_words)


def _before_payload(reply: Reply) -> Submission:
    error = reply.error
    if error is not None and not error.elsewhere:
        return Refusal(error.code, error.text, elsewhere=False)
    return NotSubmitted(reply.in_words)


def _reference(reply: Reply) -> int | None:
    """TP-MR as the modem told it, -1 included; None when there is no readable `+CMGS:` line."""
    if not reply.payload_sent:
        return None
    for line in reply.lines:
        told = line.removeprefix("+CMGS:").partition(",")[0].strip()
        if told.removeprefix("-").isdecimal():
            return int(told[:9])
    return None


class References:
    """Which TP-MR can be believed. Some modems always tell 0, which is also a true value once in 256."""

    def __init__(self) -> None:
        self._last: int | None = None

    def believed(self, submission: Submission) -> Submission:
        """0 is believed only where counting leads there: after 255."""
        if not isinstance(submission, Taken) or submission.mr is None:
            return submission
        last, self._last = self._last, submission.mr
        if submission.mr == 0 and last != _HIGHEST_REFERENCE:
            return Taken(None)
        return submission
