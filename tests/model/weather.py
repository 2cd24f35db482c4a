"""How bad it is: the chances of everything that may go wrong by itself between two steps of a history."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Chances, each time anew."""

    # At each call of a table, a queue or a connection by a function:
    throttled: float = 0.0  # it is refused
    unanswered: float = 0.0  # it is done, and the function learns that it failed
    dies: float = 0.0  # the function's process is gone, before or after it
    overlaps: float = 0.0  # another invocation runs in between
    remembered: float = 0.0  # a warm function answers from memory
    # For each frame:
    lost: float = 0.0
    repeated: float = 0.0
    late: float = 0.0  # by seconds, so that others overtake it
    # For each part that is handed to a modem:
    trouble: float = 0.0
    # For each report and received message:
    report_lost: float = 0.0
    again: float = 0.0  # the network or the modem says it again
    # For each commit of the journal:
    slow_disk: float = 0.0


CALM = Weather(late=0.01, slow_disk=0.1)
ROUGH = Weather(
    throttled=0.02,
    unanswered=0.02,
    dies=0.03,
    overlaps=0.10,
    remembered=0.5,
    lost=0.05,
    repeated=0.10,
    late=0.10,
    trouble=0.25,
    report_lost=0.05,
    again=0.10,
    slow_disk=0.3,
)
WILD = Weather(
    throttled=0.06,
    unanswered=0.06,
    dies=0.10,
    overlaps=0.30,
    remembered=0.8,
    lost=0.20,
    repeated=0.30,
    late=0.30,
    trouble=0.5,
    report_lost=0.10,
    again=0.30,
    slow_disk=0.6,
)
