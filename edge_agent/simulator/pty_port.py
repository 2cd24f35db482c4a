"""A simulated modem's serial port: a pty whose slave has a link with a lasting name. Rule: never blocks."""

import asyncio
import contextlib
import os
import pty
import tty
from collections.abc import Callable
from pathlib import Path

from edge_agent.simulator.accidents import Wish
from edge_agent.simulator.modem import Modem
from edge_agent.simulator.ticker import Ticker

_READ_OCTETS = 65536
# With nobody reading, a pty holds some kilobytes and this much more waits; what comes then is lost, as on a real line.
_BACKLOG_OCTETS = 262144


class LinkTaken(OSError):
    """Something that is no symbolic link stands where a modem's link should be."""


class PtyPort:
    """Shell around one modem core. The slave stays open here too, so that the computer may come and go."""

    def __init__(self, modem: Modem, link: Path, ticker: Ticker, loop: asyncio.AbstractEventLoop) -> None:
        self.modem, self.link = modem, link
        self._ticker, self._loop = ticker, loop
        self._master = self._slave = -1
        self._backlog = bytearray()
        self.on_wish: Callable[[Wish], None] | None = None

    @property
    def plugged(self) -> bool:
        return self._master >= 0

    def plug(self, link: Path | None = None) -> None:
        self.link = link or self.link
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._place_link()
        self._loop.add_reader(self._master, self._readable)

    def unplug(self) -> None:
        """Whoever has the port open gets an end of file or EIO; the link is gone."""
        if not self.plugged:
            return
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        self._remove_link()
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1
        self._backlog.clear()

    @property
    def due(self) -> float | None:
        return self.modem.due

    def tick(self, now: float) -> None:
        self.modem.tick(now)
        self.flush()

    def flush(self) -> None:
        """Writes what the modem has to say and plans its next tick."""
        data = self.modem.take()
        if data and self.plugged:
            self._write(data)
        while self.modem.wishes and self.on_wish is not None:
            self.on_wish(self.modem.wishes.pop())
        self._ticker.plan(self)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, _READ_OCTETS)
        except BlockingIOError:
            return
        self.modem.feed(data, self._loop.time())
        self.flush()

    def _write(self, data: bytes) -> None:
        if self._backlog:
            if len(self._backlog) < _BACKLOG_OCTETS:
                self._backlog += data
            return
        try:
            written = os.write(self._master, data)
        except BlockingIOError:
            written = 0
        if written < len(data):
            self._backlog += data[written:]
            self._loop.add_writer(self._master, self._writable)

    def _writable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            del self._backlog[: os.write(self._master, self._backlog)]
        if not self._backlog:
            self._loop.remove_writer(self._master)

    def _place_link(self) -> None:
        """Replaces a link that an earlier run left; never anything else."""
        if self.link.exists() and not self.link.is_symlink():
            raise LinkTaken(f"{self.link} is in the way")
        fresh = self.link.with_name(f".{self.link.name}.{os.getpid()}")
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self.link)

    def _remove_link(self) -> None:
        with contextlib.suppress(OSError):
            if self.link.readlink() == Path(os.ttyname(self._slave)):
                self.link.unlink()
