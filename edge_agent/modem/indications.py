"""Negotiates how a modem tells what it receives (AT+CSMS, AT+CNMI; 27.005 §3.2.1, §3.4.1).

Preferred: messages stored and announced (they survive a crash of ours), reports direct (no commands a report). Phase 2
before phase 2+, for then the modem acknowledges by itself; in phase 2+ every direct one wants AT+CNMA.
"""

from dataclasses import dataclass

from edge_agent.modem import answers, commands
from edge_agent.modem.channel import Channel
from edge_agent.modem.commands import Command


@dataclass(frozen=True, slots=True)
class Indications:
    """What is in force."""

    messages: int  # <mt>
    reports: int  # <ds>
    acknowledge: bool  # direct ones want AT+CNMA
    restore: tuple[Command, ...]  # sets it again


# (phase, <mt>, <ds>), best first. <ds> falls back 1 → 2 → 0. Direct messages only in phase 2+, where the network sends
# again what we did not acknowledge; the last ones are for modems that tell nothing and have their stores read.
_DIRECT_REPORTS = ((commands.PHASE_2, 1, 1), (commands.PHASE_2_PLUS, 1, 1), (commands.PHASE_2_PLUS, 2, 1))
_STORED_REPORTS = (
    (commands.PHASE_2, 1, 2),
    (commands.PHASE_2_PLUS, 1, 2),
    (commands.PHASE_2_PLUS, 2, 2),
    (commands.PHASE_2, 1, 0),
    (commands.PHASE_2_PLUS, 2, 0),
    (commands.PHASE_2, 0, 0),
)


async def negotiate(channel: Channel, *, direct_reports: bool = True) -> Indications:
    """Never fails: a modem that accepts nothing is read by sweeps alone."""
    reply = await channel.request(commands.INDICATIONS)
    allowed = answers.values(reply.lines[-1]) if reply.lines else []
    phase, understood = commands.AT, False
    for wanted, mt, ds in (*(_DIRECT_REPORTS if direct_reports else ()), *_STORED_REPORTS):
        chosen = _values(allowed, mt, ds)
        if chosen is None:
            continue
        if wanted is not phase:
            phase, understood = wanted, (await channel.request(wanted)).ok
        if await _accepted(channel, chosen):
            acknowledge = understood and phase is commands.PHASE_2_PLUS
            return Indications(mt, ds, acknowledge, (phase, commands.indicate(*chosen)))
    return Indications(0, 0, False, ())


def _values(allowed: list[frozenset[int]], mt: int, ds: int) -> tuple[int, ...] | None:
    """All five parameters, <mode> and <bfr> as the modem allows; None when it does not allow <mt> or <ds>."""
    chosen: list[int] = []
    for position, choices in enumerate(((2, 1, 3, 0), (mt,), (0,), (ds,), (0, 1))):
        possible = allowed[position] if position < len(allowed) else frozenset(choices)
        fit = next((choice for choice in choices if choice in possible), None)
        if fit is None:
            return None
        chosen.append(fit)
    return tuple(chosen)


async def _accepted(channel: Channel, chosen: tuple[int, ...]) -> bool:
    """Said OK to, and still in force when asked: some modems say OK to a <ds> and keep another."""
    if not (await channel.request(commands.indicate(*chosen))).ok:
        return False
    lines = (await channel.request(commands.INDICATIONS_NOW)).lines
    told = [answers.number(field) for field in answers.fields(lines[-1])] if lines else []
    return len(told) < 4 or (told[1], told[3]) == (chosen[1], chosen[3])
