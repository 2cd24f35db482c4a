"""HTTP API: every path of the API that customers call. What each does: shared/usecases/operations.py."""

import shared.aws.cold_start as cold_start  # before all others: it is about their imports
from shared import http_call
from shared.aws import wiring
from shared.envelope import HttpAnswer
from shared.http_call import HttpEvent
from shared.usecases.answer_call import answer

cold_start.at_cold_start(wiring.api)


def handler(event: HttpEvent, _context: object) -> HttpAnswer:
    """An HTTP API event (payload format 2.0) → its answer."""
    ports = wiring.api()
    return answer(http_call.read(event, ports.path_prefix), ports)
