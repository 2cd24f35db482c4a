"""From a command line to the handlers of its commands, and to one final result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.simulator import commands_general, commands_network, commands_sms
from edge_agent.simulator.at_line import Call, NotACommand, parse
from edge_agent.simulator.results import AtError, cme

if TYPE_CHECKING:
    from edge_agent.simulator.modem import Modem

HANDLERS = commands_general.HANDLERS | commands_network.HANDLERS | commands_sms.HANDLERS


def run(modem: Modem, body: str) -> None:
    """V.250 §5.4.3: in order, up to the first error. A handler that answers None sees to the answer itself."""
    lines: list[str] = []
    try:
        for call in parse(body):
            said = _handle(modem, call)
            if said is None:
                return
            lines += said
    except AtError as error:
        modem.fail(error)
    except NotACommand:
        modem.answer([], modem.vendor.unknown)
    except ValueError:
        modem.fail(cme(50))
    else:
        modem.answer(lines)


def _handle(modem: Modem, call: Call) -> list[str] | None:
    for query in modem.vendor.queries:
        if call.name == query.command:
            return commands_general.own_query(modem, query, call)
    handler = HANDLERS.get(call.name)
    if handler is None:
        raise NotACommand(call.name)
    return handler(modem, call)
