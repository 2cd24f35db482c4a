"""Simulated AT modems on ptys, with a record of what they sent over the air and faults on request.

Rule: it reads the standards by itself. Nothing here imports the agent's modem side or the shared codecs, so that one
misreading can't hide on both ends of the line.
"""

from edge_agent.simulator.simulator import Simulator
from edge_agent.simulator.state import Traits

__all__ = ["Simulator", "Traits"]
