"""Ports: ptys and sockets, partial writes, ends; errors with their remedy."""

import asyncio
import contextlib
import errno
import fcntl
import os
import termios
import tty
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from serial import serialposix

from edge_agent.modem.config import ModemsConfig, SpanOptions
from edge_agent.modem.serial_port import PortError, open_port
from edge_agent.simulator import Simulator
from edge_agent.span import SpanState, Taken
from tests.edge_agent.modem.rig import OPTIONS, QUICK, SHORT, modems, run


class Receiver:
    def __init__(self) -> None:
        self.data = b""
        self.lost: list[str] = []
        self.changed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.changed.set()

    def link_lost(self, reason: str) -> None:
        self.lost.append(reason)
        self.changed.set()

    async def until(self, wanted: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not wanted():
                self.changed.clear()
                await self.changed.wait()


def on_a_pty(story: Callable[[str, int, Receiver], Awaitable[None]]) -> None:
    async def whole() -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        path = os.ttyname(slave)
        os.close(slave)
        try:
            await story(path, master, Receiver())
        finally:
            with contextlib.suppress(OSError):
                os.close(master)

    run(whole)


def test_more_than_the_kernel_takes_at_once_is_written_in_order() -> None:
    async def story(path: str, master: int, receiver: Receiver) -> None:
        port = await open_port(path, SpanOptions(), receiver)
        wanted = bytes(range(256)) * 200
        for at in range(0, len(wanted), 1000):
            port.write(wanted[at : at + 1000])
        read = b""
        async with asyncio.timeout(5):
            while len(read) < len(wanted):
                await asyncio.sleep(0)
                try:
                    read += os.read(master, 65536)
                except BlockingIOError:
                    continue
        assert read == wanted
        port.close()

    on_a_pty(story)


def test_a_port_that_goes_away_is_told_once_and_closed() -> None:
    async def story(path: str, master: int, receiver: Receiver) -> None:
        port = await open_port(path, SpanOptions(), receiver)
        os.close(master)
        await receiver.until(lambda: receiver.lost)
        port.write(b"AT\r")
        port.close()
        await asyncio.sleep(0.01)
        assert len(receiver.lost) == 1
        assert path in receiver.lost[0]

    on_a_pty(story)


def test_a_port_is_for_one_user_at_a_time() -> None:
    async def story(path: str, master: int, receiver: Receiver) -> None:
        port = await open_port(path, SpanOptions(), receiver)
        with pytest.raises(PortError, match="in use"):
            await open_port(path, SpanOptions(), receiver)
        port.close()
        (await open_port(path, SpanOptions(), receiver)).close()

    on_a_pty(story)


def test_a_port_that_another_program_has_for_itself_is_left_to_it_even_by_root() -> None:
    """As ModemManager holds its ports; for others than root the kernel sees to it."""

    async def story(path: str, master: int, receiver: Receiver) -> None:
        held = os.open(path, os.O_RDWR | os.O_NOCTTY)
        fcntl.ioctl(held, termios.TIOCEXCL)
        with pytest.raises(PortError, match="in use"):
            await open_port(path, SpanOptions(), receiver)
        fcntl.ioctl(held, termios.TIOCNXCL)
        (await open_port(path, SpanOptions(), receiver)).close()
        os.close(held)

    on_a_pty(story)


def test_a_port_that_is_not_there_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        with pytest.raises(PortError, match="no such port"):
            await open_port(str(tmp_path / "ttyUSB9"), SpanOptions(), Receiver())

    run(story)


def test_a_file_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    async def story() -> None:
        with pytest.raises(PortError, match="cannot be opened"):
            await open_port(str(tmp_path / "file"), SpanOptions(), Receiver())

    run(story)


class Dying:
    """The kernel's ioctl, of a USB device that dies as its port is opened: DTR and RTS cannot be raised any more."""

    def __init__(self, port: Path) -> None:
        self._port = os.path.realpath(port)

    def __getattr__(self, name: str) -> object:
        return getattr(fcntl, name)

    def ioctl(self, fd: int, request: int, *rest: object) -> object:
        raises = request in {termios.TIOCMBIS, termios.TIOCMBIC}
        if raises and str(Path(f"/proc/self/fd/{fd}").readlink()) == self._port:
            raise OSError(errno.EPROTO, os.strerror(errno.EPROTO))
        return fcntl.ioctl(fd, request, *rest)  # type: ignore[call-overload]


def test_a_port_that_dies_as_it_is_opened_is_told_and_ends_no_other_modem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def before(sim: Simulator) -> None:
        monkeypatch.setattr(serialposix, "fcntl", Dying(sim.ports[0]))

    async def story() -> None:
        async with modems(tmp_path, count=2, prepare=before) as rig:
            dying = str(rig.sim.ports[0])
            await rig.state(SpanState.READY)
            assert rig.fleet.unusable() == {dying: f"{dying}: cannot be opened (Protocol error)"}
            assert isinstance(await rig.submit("one"), Taken)
            monkeypatch.undo()
            await rig.agent.until_ready(2)

    run(story)


@pytest.mark.parametrize("address", ["socket://", "socket://host", "socket://127.0.0.1:1"])
def test_a_socket_that_cannot_be_reached_says_so(address: str) -> None:
    async def story() -> None:
        with pytest.raises(PortError, match=r"socket://host:port|serial server"):
            await open_port(address, SpanOptions(), Receiver())

    run(story)


def test_a_modem_behind_a_serial_server_is_a_span_like_any_other(tmp_path: Path) -> None:
    async def story() -> None:
        async with Simulator(dir=tmp_path / "ports", count=1, traits=QUICK) as sim:
            serving = await asyncio.start_server(lambda *ends: bridge(sim, *ends), "127.0.0.1", 0)
            address = "socket://127.0.0.1:" + str(serving.sockets[0].getsockname()[1])
            config = ModemsConfig(ports=(address,), default=OPTIONS, timings=SHORT)
            async with modems(tmp_path / "none", count=0, config=config) as rig:
                status = await rig.state(SpanState.READY)
                assert status.device == address
                assert isinstance(await rig.submit("over the net"), Taken)
            serving.close()

    run(story)


async def bridge(sim: Simulator, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What a serial server does: bytes to and fro."""
    fd = os.open(sim.ports[0], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(fd)
    loop = asyncio.get_running_loop()
    loop.add_reader(fd, lambda: writer.write(os.read(fd, 4096)))
    while data := await reader.read(4096):
        os.write(fd, data)
    loop.remove_reader(fd)
    os.close(fd)
    writer.close()
