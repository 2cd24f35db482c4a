"""Schedule, every minute: expire what is overdue, tell of sites that stay away."""

from shared.aws import wiring
from shared.aws.telemetry import swept

wiring.at_cold_start(wiring.sweeper)


def handler(_event: object, _context: object) -> None:
    swept(wiring.sweeper().run())
