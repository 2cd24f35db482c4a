"""What the network side of a modem looks like at one moment: registration, signal, operator."""

from dataclasses import dataclass

from edge_agent.modem import answers, commands
from edge_agent.modem.answers import Registration
from edge_agent.modem.channel import Channel

# Circuit-switched first: SMS has been there for longest. LTE-only modems register with EPS alone.
_DOMAINS = (commands.REGISTERED_CS, commands.REGISTERED_EPS, commands.REGISTERED_PS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Whether messages can go out, and why not."""

    registered: bool
    answered: bool = True  # False: nothing was learnt, the modem was out of step
    reason: str = ""
    signal_dbm: int | None = None
    roaming: bool = False


async def look(channel: Channel) -> Network:
    """Registration and signal: two quick commands where all is well."""
    signal = answers.signal_dbm((await channel.request(commands.SIGNAL)).lines)
    first: Registration | None = None
    answered = False
    for command in _DOMAINS:
        reply = await channel.request(command)
        told = answers.registration(reply.lines)
        if told is not None and told.registered:
            return Network(registered=True, signal_dbm=signal, roaming=told.roaming)
        first = first or told
        answered = answered or reply.ok
    reason = first.in_words if first else "the modem does not tell its registration"
    return Network(registered=False, answered=answered, reason=reason, signal_dbm=signal)


async def operator(channel: Channel) -> tuple[str, str]:
    """Name and technology."""
    await channel.request(commands.OPERATOR_FORMAT)
    return answers.operator((await channel.request(commands.OPERATOR)).lines)
