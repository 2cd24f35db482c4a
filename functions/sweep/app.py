"""Schedule, every minute: expire what is overdue, tell of sites that stay away."""

import shared.aws.cold_start as cold_start  # before all others: it is about their imports
from shared.aws import wiring
from shared.aws.telemetry import swept

cold_start.at_cold_start(wiring.sweeper)


def handler(_event: object, _context: object) -> None:
    swept(wiring.sweeper().run())
