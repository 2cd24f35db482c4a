"""`python -m local_cloud run`, `demo` and `torture`: the command line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - says it better than the SyntaxError that would follow
    sys.exit("Spanbridge needs Python 3.11 or newer; choose one with: make PYTHON=python3.13 …")

from local_cloud.cloud import CloudOptions
from local_cloud.layout import CHECKOUT
from local_cloud.site import SiteOptions
from local_cloud.stack import LocalStack
from local_cloud.supervisor import supervise, watch

_STATE = CHECKOUT / ".local"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local_cloud", description="The whole of Spanbridge on one machine."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start everything and leave it running")
    run.add_argument("--port", type=int, default=8080, help="of the HTTP API (8080); 0 takes a free one")
    run.add_argument("--modems", default="", help="serial ports to use, separated by spaces, instead of simulated ones")
    run.add_argument("--simulate", type=int, default=4, metavar="N", help="how many modems to simulate (4)")
    run.add_argument("--state-dir", type=Path, default=_STATE / "run", help="logs, journal, what was sent (.local/run)")
    demo = commands.add_parser("demo", help="send four messages, show what becomes of each, stop")
    demo.add_argument("--state-dir", type=Path, default=_STATE / "demo")
    torture = commands.add_parser("torture", help="hurt a stack for a time, then hold what was told against the air")
    torture.add_argument("--seconds", type=float, default=300.0, help="for how long it is hurt (300)")
    torture.add_argument("--seed", type=int, default=7, help="of the schedule (7)")
    torture.add_argument("--state-dir", type=Path, default=_STATE / "torture")
    return parser


def _stack(options: argparse.Namespace) -> LocalStack:
    site = SiteOptions(modems=options.modems.split(), simulate=options.simulate)
    return LocalStack(options.state_dir.resolve(), CloudOptions(port=options.port), site, quiet=False)


def main() -> int:
    options = _parser().parse_args()
    if options.command == "run":
        return supervise(lambda: _stack(options), watch)
    if options.command == "torture":
        from local_cloud.torture import TortureOptions, torture

        return torture(options.state_dir.resolve(), TortureOptions(options.seconds, options.seed))
    from local_cloud.demo import show

    return supervise(lambda: LocalStack(options.state_dir.resolve(), CloudOptions(trace=True)), show)


if __name__ == "__main__":
    sys.exit(main())
