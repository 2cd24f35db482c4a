"""`python -m edge_agent.simulator`: prints a path a line, then `ready`, and runs until SIGTERM or SIGINT."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from edge_agent.simulator.simulator import Simulator, SimulatorError
from edge_agent.simulator.state import Traits
from edge_agent.simulator.vendors import VENDORS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m edge_agent.simulator", description="Simulated AT modems on ptys.")
    parser.add_argument("--count", type=int, default=4, help="how many modems (4)")
    parser.add_argument("--link-dir", type=Path, required=True, help="where the links modem0, modem1, … go")
    parser.add_argument("--air", type=Path, help="JSON-lines file of what went over the air")
    parser.add_argument("--vendor", default="quectel", help=f"dealt out in turn: {', '.join(sorted(VENDORS))}")
    parser.add_argument("--answer-delay-ms", type=float, default=20, help="from a PDU to its +CMGS answer (20)")
    parser.add_argument(
        "--report-delay-ms", type=float, default=300, help="from that answer to the delivery report (300)"
    )
    parser.add_argument("--no-reports", action="store_true", help="the network sends no delivery reports")
    parser.add_argument("--pin", help="the PIN that every SIM asks for")
    parser.add_argument("--seed", type=int, help="makes the chances repeatable")
    return parser


def _simulator(options: argparse.Namespace) -> Simulator:
    vendors = options.vendor.split(",")
    if unknown := set(vendors) - set(VENDORS):
        raise SimulatorError(f"unknown vendor {', '.join(sorted(unknown))}; known: {', '.join(sorted(VENDORS))}")
    traits = Traits(
        answer_delay=options.answer_delay_ms / 1000,
        report_delay=options.report_delay_ms / 1000,
        reports=not options.no_reports,
        pin=options.pin,
    )
    return Simulator(
        dir=options.link_dir,
        count=options.count,
        vendors=vendors,
        traits=traits,
        seed=options.seed,
        air_file=options.air,
        keep_air=False,
    )


async def _run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with _simulator(options) as simulator:
        for path in simulator.ports:
            print(path)
        print("ready", flush=True)
        await stop.wait()


def main() -> int:
    try:
        asyncio.run(_run(_parser().parse_args()))
    except (SimulatorError, OSError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
