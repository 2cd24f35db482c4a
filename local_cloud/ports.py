"""TCP ports kept for a process that has yet to bind them."""

from __future__ import annotations

import socket

from local_cloud.process import StartError

_HIGHEST = 65535  # RFC 9293 §3.1: sixteen bits


class Reservation:
    """Holds a port on 127.0.0.1 without listening on it.

    The gateway binds the same port beside us (SO_REUSEPORT). As long as it does not run, callers are refused at
    once; the port stays ours meanwhile, so that a gateway that was killed can come back to it.
    """

    def __init__(self, port: int) -> None:
        """Port 0 takes any. StartError if the port is in use, or is none."""
        if not 0 <= port <= _HIGHEST:
            raise StartError(f"PORT must be 1 to {_HIGHEST}, not {port}")
        if port:
            _check_free(port)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]

    def release(self) -> None:
        self._socket.close()


def _check_free(port: int) -> None:
    # Without SO_REUSEPORT, or a second copy of ours would share the port with the first.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StartError(f"port {port} cannot be used ({error}); choose another: make run PORT=9000") from error


def reserve_near(port: int) -> Reservation:
    """`port`, or any other if that is taken; for a port that nobody has asked for by number."""
    try:
        return Reservation(port)
    except StartError:
        return Reservation(0)
