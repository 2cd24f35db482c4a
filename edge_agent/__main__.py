"""The agent's command line. Exit codes: 0 done, 1 it did not work, 2 wrong use, 78 a mistake in the configuration."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from edge_agent import agent, logs
from edge_agent.config import Config, load
from edge_agent.config_table import ConfigError
from edge_agent.held import JournalBroken
from edge_agent.journal import AlreadyRunning

EXIT_FAILED, EXIT_CONFIG = 1, os.EX_CONFIG


def main() -> int:
    arguments = _parser().parse_args()
    try:
        config = load(arguments.config, os.environ)
        logs.set_up(config.log.format, config.log.level)
        return asyncio.run(_run(config))
    except ConfigError as error:
        return _fail(f"configuration: {error}", EXIT_CONFIG)
    except (AlreadyRunning, JournalBroken) as error:
        return _fail(str(error), EXIT_FAILED)


async def _run(config: Config) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    ended = await agent.run(config, stop)
    return _fail(ended.reason, EXIT_CONFIG) if ended else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m edge_agent", description="Spanbridge's agent at a site with modems."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the agent until it is told to stop")
    run.add_argument("--config", type=Path, default=Path("agent.toml"), help="the TOML file (default: agent.toml)")
    return parser


def _fail(text: str, code: int) -> int:
    print(f"spanbridge-agent: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
