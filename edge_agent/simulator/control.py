"""The control socket: one JSON object a line, `{"modem": 0, "do": "receive", …}`, answered by `{"ok": true, …}`.

`modem` is an index or "all". What can be done is DEEDS below; a mistake is answered by `{"ok": false, "error": …}`.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from edge_agent.simulator.air import Json, Record
from edge_agent.simulator.fault_rows import CATALOGUE, Value
from edge_agent.simulator.handle import Handle
from edge_agent.simulator.identity import sim_of
from edge_agent.simulator.simulator import Simulator

_NOT_PARAMETERS = {"modem", "do", "name", "count", "probability", "on"}
Deed = Callable[[Handle, Record], Record]


class BadRequest(ValueError):
    """The text says what is wrong with it."""


def _text(request: Record, key: str, default: str | None = None) -> str:
    value = request.get(key, default)
    if not isinstance(value, str):
        raise BadRequest(f"{key!r} has to be a text")
    return value


def _number(request: Record, key: str, default: float) -> float:
    value = request.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"{key!r} has to be a number")
    return value


def _values(request: Record) -> dict[str, Value]:
    """A fault's own parameters: all that is not one of the request's."""
    rest = {key: value for key, value in request.items() if key not in _NOT_PARAMETERS}
    return {key: value for key, value in rest.items() if value is None or isinstance(value, float | int | str | bool)}


def _receive(handle: Handle, request: Record) -> Record:
    if "raw_pdu" in request:
        handle.receive_tpdu(bytes.fromhex(_text(request, "raw_pdu")))
        return {}
    order = request.get("parts_order", [])
    if not isinstance(order, list):
        raise BadRequest("'parts_order' has to be a list")
    numbers = [int(part) for part in order if isinstance(part, int)]
    handle.receive(_text(request, "text"), _text(request, "from"), order=numbers, wide=bool(request.get("wide")))
    return {}


def _fault(handle: Handle, request: Record) -> Record:
    name, on = _text(request, "name"), _text(request, "on", "")
    if "probability" in request:
        handle.risk(name, _number(request, "probability", 0.0), on=on, **_values(request))
    else:
        count = int(_number(request, "count", 0)) or None
        handle.fault(name, count=count, on=on, **_values(request))
    return {}


def _clear(handle: Handle, request: Record) -> Record:
    handle.clear(_text(request, "name") if "name" in request else None)
    return {}


def _unplug(handle: Handle, request: Record) -> Record:
    handle.unplug(_number(request, "seconds", float("inf")), _text(request, "as", ""))
    return {}


def _replug(handle: Handle, request: Record) -> Record:
    handle.replug(_text(request, "as", ""))
    return {"port": str(handle.port.link)}


def _reboot(handle: Handle, request: Record) -> Record:
    handle.reboot()
    return {}


def _wake(handle: Handle, request: Record) -> Record:
    handle.wake()
    return {}


def _swap_sim(handle: Handle, request: Record) -> Record:
    """`index` is the SIM that the modem of that index would have."""
    sim = sim_of(int(_number(request, "index", handle.core.index + 1000)))
    handle.swap_sim(sim, _text(request, "pin") if "pin" in request else None)
    return {"imsi": sim.imsi, "iccid": sim.iccid}


def _set(handle: Handle, request: Record) -> Record:
    """Signal (`csq`), `operator`, registration `stat` (1 home, 5 roaming, …)."""
    radio = handle.core.radio
    radio.csq = int(_number(request, "csq", radio.csq))
    radio.operator = _text(request, "operator", radio.operator)
    radio.stat = int(_number(request, "stat", radio.stat))
    handle.core.power.registration_changed()
    handle.port.flush()
    return {}


def _ussd(handle: Handle, request: Record) -> Record:
    handle.core.ussd.answers[_text(request, "code")] = _text(request, "answer")
    return {}


def _state(handle: Handle, request: Record) -> Record:
    return {"port": str(handle.port.link) if handle.port.plugged else None, **handle.core.summary()}


DEEDS: dict[str, Deed] = {
    "receive": _receive,
    "fault": _fault,
    "clear": _clear,
    "unplug": _unplug,
    "replug": _replug,
    "reboot": _reboot,
    "wake": _wake,
    "swap_sim": _swap_sim,
    "set": _set,
    "ussd": _ussd,
    "state": _state,
}


def answer(simulator: Simulator, line: bytes) -> Record:
    """One request carried out on the modem it names, or on all in turn."""
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise BadRequest("a request is an object")
        if request.get("do") == "catalogue":
            faults: Json = {name: fault.says for name, fault in CATALOGUE.items()}
            return {"ok": True, "faults": faults}
        deed = DEEDS.get(_text(request, "do"))
        if deed is None:
            raise BadRequest(f"'do' is one of {', '.join([*DEEDS, 'catalogue'])}")
        told: list[Record] = [deed(handle, request) for handle in _chosen(simulator, request)]
    except (ValueError, OSError, IndexError) as error:
        return {"ok": False, "error": str(error)}
    return {"ok": True, **(told[0] if len(told) == 1 else {"modems": list[Json](told)})}


def _chosen(simulator: Simulator, request: Record) -> list[Handle]:
    which = request.get("modem")
    if which == "all":
        return simulator.modems
    index = _number(request, "modem", -1)
    if not 0 <= index < len(simulator.modems):
        raise BadRequest(f"'modem' is 0 to {len(simulator.modems) - 1}, or \"all\"")
    return [simulator.modem(int(index))]


@contextlib.asynccontextmanager
async def control_socket(simulator: Simulator, path: Path) -> AsyncIterator[None]:
    """Listens as long as the block runs; OSError where the path is too long (107 octets) or taken."""

    talks: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks[asyncio.current_task()] = writer
        try:
            await _talk(simulator, reader, writer)
        except (ConnectionError, ValueError):  # gone, or a line without end
            writer.close()
        finally:
            del talks[asyncio.current_task()]

    server = await asyncio.start_unix_server(serve, path, limit=1 << 20)
    try:
        yield
    finally:
        server.close()
        for writer in talks.values():
            writer.close()  # its talk reads an end of file then, and ends by itself
        await asyncio.gather(*(task for task in talks if task))
        _remove(path)


async def _talk(simulator: Simulator, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(json.dumps(answer(simulator, line)).encode() + b"\n")
        await writer.drain()
    writer.close()


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
