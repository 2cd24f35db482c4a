"""What holds for every test."""

from hypothesis import settings

# How long an example takes says more of the machine's load than of the code; pytest's own time-out ends what hangs.
settings.register_profile("spanbridge", deadline=None)
settings.load_profile("spanbridge")
