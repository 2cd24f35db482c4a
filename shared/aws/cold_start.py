"""How a function starts: imports this module before all others, and calls `at_cold_start` after its last import.

A start makes some hundred thousand objects, and all of them stay. Looking for garbage among them costs a tenth of it;
so the collector rests until everything stands, and from then on looks only at what is younger.
"""

import gc
import os
from collections.abc import Callable

_IN_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME" in os.environ

if _IN_LAMBDA:
    gc.disable()
    # Else the first request waits while pydantic asks every package in the layer whether it is a plugin.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"


def at_cold_start(build: Callable[[], object]) -> None:
    """In Lambda, builds now: the init phase lends a whole processor, and what is missing should show at once.

    Elsewhere nothing: a test may import a handler without an environment.
    """
    if not _IN_LAMBDA:
        return
    from shared.aws.telemetry import start_logging

    start_logging()
    build()
    gc.freeze()
    gc.enable()
