"""The cloud side of a stack: the process that plays AWS, and the gateway process in front of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_cloud import aws
from local_cloud.deploy import Addresses, Deployment, deploy, plan
from local_cloud.layout import CHECKOUT, Layout
from local_cloud.ports import Reservation, reserve_near
from local_cloud.process import Child, start_own
from local_cloud.transform import transformed

_START_S = 60.0  # generous: a busy machine is slow, and whatever fails says so at once
# Parameters of the template that differ on one machine.
LOCAL_PARAMETERS = {"Environment": "local", "AllowLoopbackPush": "true"}


@dataclass(frozen=True)
class CloudOptions:
    """Port 0 takes any. `code` is the folder that functions are imported from."""

    port: int = 0
    sockets_port: int = 0
    template: Path = CHECKOUT / "template.yaml"
    code: Path = CHECKOUT
    parameters: Mapping[str, str] = field(default_factory=lambda: LOCAL_PARAMETERS)
    workers: int = 4
    throttled: bool = True
    trace: bool = False


class Cloud:
    """Starts in two steps, so that others can start while moto does: `begin`, then `deploy`."""

    def __init__(self, layout: Layout, options: CloudOptions) -> None:
        self._layout, self._options = layout, options
        self._http = Reservation(options.port)
        near = options.sockets_port or (self._http.port + 1 if options.port else 0)
        self._sockets = Reservation(near) if options.sockets_port else reserve_near(near)
        self._control = Reservation(0)
        self.moto: Child | None = None
        self.gateway: Child | None = None
        self._deployment: Deployment | None = None

    @property
    def deployment(self) -> Deployment:
        assert self._deployment is not None, "not deployed yet"
        return self._deployment

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.port}"

    @property
    def control_url(self) -> str:
        return f"http://127.0.0.1:{self._control.port}"

    def begin(self) -> None:
        self.moto = start_own("moto", "local_cloud.moto_process", [], self._layout.log("moto"), CHECKOUT)
        self.gateway = self._spawn_gateway()

    def deploy(self) -> None:
        assert self.moto and self.gateway
        template = transformed(self._options.template, self._options.parameters, self._layout.cache)
        addresses = Addresses(self._http.port, self._sockets.port, self._control.port)
        wanted = plan(template, self._options.parameters, addresses)
        aws.prepare()
        self._deployment = deploy(wanted, f"http://127.0.0.1:{self.moto.wait_ready(_START_S)}")
        self.gateway.tell(self._deployment.model_dump_json())

    def wait_ready(self) -> None:
        assert self.gateway
        self.gateway.wait_ready(_START_S)

    def start_gateway(self) -> None:
        """Again, after it was killed: same ports, same deployment, no connection of before."""
        self.gateway = self._spawn_gateway()
        self.gateway.tell(self.deployment.model_dump_json())
        self.wait_ready()

    def _spawn_gateway(self) -> Child:
        options: list[object] = ["--http-port", self._http.port, "--sockets-port", self._sockets.port]
        options += ["--control-port", self._control.port, "--code", self._options.code, "--logs", self._layout.logs]
        options += ["--workers", self._options.workers]
        options += [] if self._options.throttled else ["--no-throttle"]
        options += ["--trace", self._layout.frames] if self._options.trace else []
        return start_own("gateway", "local_cloud.gateway", options, self._layout.log("gateway"), CHECKOUT)

    @property
    def children(self) -> list[Child]:
        """In the order in which they are to stop."""
        return [child for child in (self.gateway, self.moto) if child]

    def release(self) -> None:
        for reservation in (self._http, self._sockets, self._control):
            reservation.release()
