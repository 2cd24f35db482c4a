"""`python -m edge_agent.simulator`: prints a path a line, then `ready`, and runs until SIGTERM or SIGINT."""

import argparse
import asyncio
import contextlib
import selectors
import signal
import sys
from pathlib import Path

from edge_agent.simulator.control import control_socket
from edge_agent.simulator.fault_rows import CATALOGUE, Value
from edge_agent.simulator.faults import Chance, UnknownFault, checked
from edge_agent.simulator.identity import read_identities
from edge_agent.simulator.simulator import Simulator, SimulatorError
from edge_agent.simulator.state import Traits
from edge_agent.simulator.vendors import VENDORS

# select() takes descriptors below 1024, and a modem has two.
_MOST_FOR_SELECT = 400


def exact_loop() -> asyncio.AbstractEventLoop:
    """Sleeps by microseconds, where epoll rounds up to milliseconds: a modem's 20 ms are a measure for others."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def chance(text: str) -> Chance:
    """NAME=PROBABILITY with parameters behind, as in hang=0.05,seconds=2."""
    first, *more = text.split(",")
    name, _, probability = first.partition("=")
    params = tuple((key, _value(value)) for key, _, value in (pair.partition("=") for pair in more))
    try:
        checked(name, dict(params))
        return Chance(name, float(probability), params)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _value(text: str) -> Value:
    if text in ("never", "none"):
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _vendors(text: str) -> list[str]:
    if unknown := set(text.split(",")) - set(VENDORS):
        raise argparse.ArgumentTypeError(f"no vendor {', '.join(sorted(unknown))}; there are {', '.join(VENDORS)}")
    return text.split(",")


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("at least one modem")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m edge_agent.simulator", description="Simulated AT modems on ptys.")
    add = parser.add_argument
    add("--count", type=_count, default=4, help="how many modems (4)")
    add("--link-dir", type=Path, required=True, metavar="DIR", help="where the links modem0, modem1, … go")
    add("--air", type=Path, metavar="FILE", help="JSON lines of what went over the air; appended to")
    add("--control", type=Path, metavar="SOCKET", help="unix socket that takes faults and messages, see control.py")
    add("--vendor", type=_vendors, default=["quectel"], help=f"dealt out in turn: {','.join(VENDORS)}")
    add("--answer-delay-ms", type=float, default=20, help="from a PDU to its +CMGS answer (20)")
    add("--report-delay-ms", type=float, default=300, help="from that answer to the delivery report (300)")
    add("--no-reports", action="store_true", help="the network sends no delivery reports")
    add("--pin", help="the PIN that every SIM asks for")
    add("--identity-file", type=Path, metavar="FILE", help="JSON list of imei, imsi, iccid, number, one a modem")
    add(
        "--identity-offset", type=int, default=0, metavar="N", help="modem 0 is who modem N would be, for a second site"
    )
    add("--fault", type=chance, action="append", default=[], metavar="NAME=PROBABILITY[,PARAMETER=VALUE…]")
    add("--seed", type=int, help="makes the chances repeatable")
    parser.epilog = f"faults: {', '.join(CATALOGUE)}"
    return parser


def _simulator(options: argparse.Namespace) -> Simulator:
    traits = Traits(
        answer_delay=options.answer_delay_ms / 1000,
        report_delay=options.report_delay_ms / 1000,
        reports=not options.no_reports,
        pin=options.pin,
    )
    return Simulator(
        dir=options.link_dir,
        count=options.count,
        vendors=options.vendor,
        traits=traits,
        identities=read_identities(options.identity_file) if options.identity_file else (),
        identity_offset=options.identity_offset,
        risks=options.fault,
        seed=options.seed,
        air_file=options.air,
        keep_air=False,
    )


async def _run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(_simulator(options))
        if options.control:
            await stack.enter_async_context(control_socket(simulator, options.control))
        print("\n".join([*map(str, simulator.ports), "ready"]), flush=True)
        await stop.wait()


def main() -> int:
    try:
        options = _parser().parse_args()
        with asyncio.Runner(loop_factory=exact_loop if options.count <= _MOST_FOR_SELECT else None) as runner:
            runner.run(_run(options))
    except (SimulatorError, UnknownFault, OSError, ValueError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
