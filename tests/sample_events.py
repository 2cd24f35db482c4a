"""The events of events/: one for every kind that each function gets, in the shapes that AWS documents."""

import json
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parent.parent / "events"
# Folder → function of the template.
FUNCTIONS = {
    "agent_auth": "AgentAuth",
    "agent_socket": "AgentSocket",
    "push": "Push",
    "sms_api": "SmsApi",
    "sweep": "Sweep",
}


def sample(name: str) -> dict[str, Any]:
    """`sms_api/send` → what is in events/sms_api/send.json."""
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def names(folder: str = "*") -> list[str]:
    return sorted(path.relative_to(EVENTS).with_suffix("").as_posix() for path in EVENTS.glob(f"{folder}/*.json"))
