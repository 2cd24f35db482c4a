"""A site of a stack: serial ports, simulated or real, and a real edge agent process on them."""

from __future__ import annotations

import json
import signal
import stat
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local_cloud.layout import CHECKOUT, Layout
from local_cloud.process import Child, StartError, start_any

_SIMULATOR_START_S = 30.0


@dataclass(frozen=True)
class SiteOptions:
    """`modems`: serial ports to use; none of them means simulated ones, `simulate` in number."""

    modems: Sequence[str] = ()
    simulate: int = 4
    simulator_options: Sequence[str] = ()
    agent_options: str = ""  # more TOML for the agent's configuration

    @property
    def count(self) -> int:
        return len(self.modems) or self.simulate


class Site:
    def __init__(self, layout: Layout, options: SiteOptions) -> None:
        self._layout, self._options = layout, options
        check_devices(options.modems)
        self.simulator: Child | None = None
        self.agent: Child | None = None

    @property
    def config(self) -> Path:
        return self._layout.agent / "agent.toml"

    @property
    def command(self) -> list[str]:
        """What starts the agent; a person can type it too."""
        return [sys.executable, "-m", "edge_agent", "run", "--config", str(self.config)]

    @property
    def children(self) -> list[Child]:
        return [child for child in (self.agent, self.simulator) if child]

    def start_simulator(self) -> None:
        if self._options.modems:
            return
        options = ["--count", self._options.simulate, "--link-dir", self._layout.links, "--air", self._layout.air]
        command = [sys.executable, "-m", "edge_agent.simulator", *options, *self._options.simulator_options]
        self.simulator = start_any("simulator", command, self._layout.log("simulator"), CHECKOUT)

    def write_config(self, url: str, credential: str) -> None:
        secret = self._layout.agent / "credential"
        secret.touch(mode=0o600)
        secret.write_text(credential)
        ports = json.dumps(self.ports)  # a JSON list of texts is a TOML one
        self.config.write_text(
            f"[cloud]\nurl = {json.dumps(url)}\n\n[modems]\nports = {ports}\n{self._options.agent_options}"
        )

    @property
    def ports(self) -> list[str]:
        simulated = [str(self._layout.links / f"modem{number}") for number in range(self._options.simulate)]
        return list(self._options.modems) or simulated

    def start_agent(self) -> None:
        self._wait_for_ports()
        self.agent = start_any("agent", self.command, self._layout.log("agent"), CHECKOUT)

    def stop_agent(self, timeout_s: float = 5.0) -> bool:
        """As an operator would; whether it ended by itself in time."""
        assert self.agent
        self.agent.signal(signal.SIGTERM)
        in_time = self.agent.wait(timeout_s)
        self.agent.kill()
        return in_time

    def _wait_for_ports(self) -> None:
        deadline = time.monotonic() + _SIMULATOR_START_S
        while not all(Path(port).exists() for port in self.ports):
            if time.monotonic() > deadline or (self.simulator and self.simulator.ended is not None):
                raise StartError(f"the simulated modems did not appear; see {self._layout.log('simulator')}")
            time.sleep(0.02)


def check_devices(devices: Sequence[str]) -> None:
    for device in devices:
        try:
            mode = Path(device).stat().st_mode
        except OSError as error:
            raise StartError(f"no serial port {device}: {error.strerror}") from error
        if not stat.S_ISCHR(mode):
            raise StartError(f"{device} is no serial port")
