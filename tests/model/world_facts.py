"""Names and times that all of the model agree on."""

ACCOUNT = "acme"
EPOCH = 1_750_000_000.0
HEARTBEAT_S = 60.0


def epoch(now: float) -> float:
    """Epoch seconds of a moment of the model's time."""
    return EPOCH + now
