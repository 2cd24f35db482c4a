"""Ports: opened, read and written. The only importer of pyserial, which sets the line up.

Device paths, ptys and socket://host:port. Rules: nothing here blocks the event loop (bytes go straight through the
descriptor; opening and closing, which a hung USB device blocks for seconds, are done aside); and a port that dies is
closed at once, for an open descriptor keeps its number taken and the device comes back under another one.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import socket
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import serial

from edge_agent.modem.config import SpanOptions
from edge_agent.modem.port_holder import holder_of

_CHUNK = 16 * 1024  # one read; more than a pty or tty buffers (4 KiB)
_TIOCGEXCL = 0x80045440  # _IOR('T', 0x40, int), Linux since 3.8; Python's termios does not have it
_CONNECT_S = 5.0  # socket://; serial servers stand on the same network


class PortError(OSError):
    """A port that cannot be used; the text says why and what a person can do."""


class Receiver(Protocol):
    def data_received(self, data: bytes) -> None: ...
    def link_lost(self, reason: str) -> None: ...


class Port:
    """An open port. `write` never blocks: what the kernel does not take at once is written when it does."""

    def __init__(self, device: str, fd: int, close: Callable[[], object], receiver: Receiver) -> None:
        self.device = device
        self._fd = fd
        self._close = close
        self._receiver = receiver
        self._unwritten = b""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(fd, self._readable)

    def write(self, data: bytes) -> None:
        if self._fd < 0:
            return
        if self._unwritten:
            self._unwritten += data
            return
        self._unwritten = self._write_now(data)
        if self._unwritten:
            self._loop.add_writer(self._fd, self._writable)

    def close(self) -> None:
        """Idempotent. Unsent bytes are dropped: waiting for a dead device to take them would block for 30 s."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        self._loop.remove_reader(fd)
        self._loop.remove_writer(fd)
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(fd, termios.TCIOFLUSH)
        with contextlib.suppress(OSError):
            self._close()

    def _write_now(self, data: bytes) -> bytes:
        """What could not be written yet."""
        try:
            return data[os.write(self._fd, data) :]
        except BlockingIOError:
            return data
        except OSError as error:
            # Not from within the caller's own write: it may be in the middle of something.
            self._loop.call_soon(self._lose, error)
            return b""

    def _writable(self) -> None:
        self._unwritten = self._write_now(self._unwritten)
        if not self._unwritten and self._fd >= 0:
            self._loop.remove_writer(self._fd)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(error)
            return
        if data:
            self._receiver.data_received(data)
        else:
            self._lose(None)

    def _lose(self, error: OSError | None) -> None:
        if self._fd < 0:
            return
        self.close()
        self._receiver.link_lost(f"{self.device} went away" + (f" ({error.strerror})" if error else ""))


async def open_port(device: str, options: SpanOptions, receiver: Receiver) -> Port:
    """Opens a port for this process alone. Raises PortError with the remedy."""
    if device.startswith("socket://"):
        return await _open_socket(device, receiver)
    loop = asyncio.get_running_loop()
    opening = loop.run_in_executor(None, _open_tty, device, options)
    try:
        opened = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unwanted)
        raise
    close = opened.close if _is_pty(device) else lambda: loop.run_in_executor(None, opened.close)
    return Port(device, opened.fileno(), close, receiver)


def _close_unwanted(opening: asyncio.Future[serial.Serial]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


async def _open_socket(device: str, receiver: Receiver) -> Port:
    address = urlsplit(device)
    if not address.hostname or not address.port:
        raise PortError(f"{device}: write it as socket://host:port")
    try:
        async with asyncio.timeout(_CONNECT_S):
            connected = await _connect(address.hostname, address.port)
    except OSError as error:  # TimeoutError is one
        raise PortError(f"{device}: {error.strerror or 'no answer'}; is the serial server running?") from error
    return Port(device, connected.fileno(), connected.close, receiver)


async def _connect(host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, kind, protocol, _, address = found[0]
    connecting = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
    try:
        await loop.sock_connect(connecting, address)
    except BaseException:
        connecting.close()
        raise
    connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connecting


def _open_tty(device: str, options: SpanOptions) -> serial.Serial:
    """May take seconds; raises PortError."""
    try:
        # exclusive: flock(2), which the kernel lets go of with the process. pyserial opens with O_NONBLOCK.
        tty = serial.Serial(
            device, options.baud, timeout=0, write_timeout=0, rtscts=options.rtscts, dsrdtr=False, exclusive=True
        )
    except (OSError, termios.error) as error:  # plain OSError too: of the ioctl that raises DTR and RTS
        raise PortError(_cannot_open(device, error)) from error
    except ValueError as error:
        raise PortError(f"{device}: {error}") from error
    if _is_held(tty.fileno()):
        tty.close()
        raise PortError(_in_use(device))
    if not _is_pty(device):
        with contextlib.suppress(OSError):
            fcntl.ioctl(tty.fileno(), termios.TIOCEXCL)  # keeps other programs out that do not know of flock
    return tty


def _is_held(fd: int) -> bool:
    """Whether another program has the tty for itself (TIOCEXCL), which keeps out everybody but root."""
    try:
        return any(fcntl.ioctl(fd, _TIOCGEXCL, bytes(4)))
    except OSError:  # another system, or an architecture that counts its ioctls otherwise
        return False


def is_usb(device: str) -> bool:
    """Whether the port is one of a USB device, by its name on Linux."""
    return Path(os.path.realpath(device)).name.startswith(("ttyUSB", "ttyACM"))


def _is_pty(device: str) -> bool:
    """A pty's TIOCEXCL would outlive this process while the other side holds it open."""
    return os.path.realpath(device).startswith("/dev/pts/")


def _cannot_open(device: str, error: BaseException) -> str:
    number = getattr(error, "errno", None)
    if number in {errno.EBUSY, errno.EWOULDBLOCK, errno.EAGAIN}:
        return _in_use(device)
    if number in {errno.EACCES, errno.EPERM}:
        return f"{device}: permission denied; add the agent's user to the group that owns it, mostly dialout"
    if number == errno.ENOENT or not Path(device).exists():
        return f"{device}: no such port; is the modem plugged in?"
    return f"{device}: cannot be opened ({os.strerror(number) if number else error})"


def _in_use(device: str) -> str:
    return f"{device}: {holder_of(device) or 'in use by another program'}"
