"""The agent's command line. Exit codes: 0 done, 1 it did not work, 2 wrong use, 78 a mistake in the configuration."""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from edge_agent import agent, collector, doctor, logs, processor, standalone
from edge_agent.config import Config, load
from edge_agent.config_table import ConfigError
from edge_agent.control import Answer, Refused, is_text
from edge_agent.enroll import enroll, place_of
from edge_agent.held import JournalBroken
from edge_agent.journal import AlreadyRunning
from edge_agent.ownership import hand_over, kept_out
from edge_agent.release import version

EXIT_FAILED, EXIT_CONFIG = 1, os.EX_CONFIG
CONFIG_VARIABLE = "SPANBRIDGE_CONFIG"
_SPAN_HELP = "name or IMEI of the modem (default: the first that is ready)"

Command = Callable[[Config, argparse.Namespace], Awaitable[int]]


def main(arguments: list[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    try:
        if asked.command == "doctor":
            return asyncio.run(_doctor(asked))
        if asked.command == "enroll":
            return asyncio.run(_until_signalled(_enroll(asked)))
        config = load(asked.config, os.environ, cloud=asked.command == "run")
        logs.set_up(config.log.format, config.log.level if asked.command == "run" else "warning")
        command: Command = asked.do
        return asyncio.run(_until_signalled(command(config, asked)))
    except ConfigError as error:
        return _fail(f"configuration: {error}", EXIT_CONFIG)
    except (AlreadyRunning, JournalBroken, Refused) as error:
        return _fail(str(error), EXIT_FAILED)
    except PermissionError as error:
        return _fail(kept_out(Path(error.filename)) if error.filename else str(error), EXIT_FAILED)
    except asyncio.CancelledError:
        return _fail("interrupted", EXIT_FAILED)


async def _run(config: Config, asked: argparse.Namespace) -> int:
    collector.relieve()
    processor.stay()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    ended = await agent.run(config, stop)
    return _fail(ended.reason, EXIT_CONFIG) if ended else 0


async def _doctor(asked: argparse.Namespace) -> int:
    logs.set_up("text", "error")
    return await _show(doctor.examine(asked.config, os.environ, asked.seconds))


async def _probe(config: Config, asked: argparse.Namespace) -> int:
    return await _show(doctor.probe(config))


async def _show(findings: doctor.Findings) -> int:
    bad = 0
    async for finding in findings:
        mark = {True: "ok  ", False: "BAD ", None: "?   "}[finding.ok]
        print(f"{mark} {finding.subject}: {finding.text}" + (f"\n     → {finding.remedy}" if finding.remedy else ""))
        bad += finding.ok is False
    return EXIT_FAILED if bad else 0


async def _enroll(asked: argparse.Namespace) -> int:
    logs.set_up("text", "error")
    place = place_of(asked.config)
    try:
        token = await enroll(asked.url, asked.code, place, force=asked.force)
    finally:
        hand_over([place.credential, place.pending], place.credential.parent, _state_of(asked.config))
    print(f"enrolled as {token.agent} of {token.account}; the credential is in {place.credential}")
    start = f"python -m edge_agent run --config {asked.config}"
    print(f"next: {start}" if asked.config.exists() else f"next: write {asked.config} with this url, then {start}")
    if asked.force:
        print("an agent that runs there already takes the new credential by itself, within seconds of being refused")
    return 0


def _state_of(config: Path) -> Path:
    """The folder of the service's user, as far as it is known by now."""
    try:
        return load(config, {}, cloud=False).journal.path.parent
    except ConfigError:
        return config.absolute().parent


async def _status(config: Config, asked: argparse.Namespace) -> int:
    async for answer in standalone.ask_running(config, {"do": "status"}):
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    return 0


async def _ussd(config: Config, asked: argparse.Namespace) -> int:
    async for answer in standalone.ask_or_start(config, {"do": "ussd", "code": asked.code, "span": asked.span}):
        print(answer["answer"])
    return 0


async def _send(config: Config, asked: argparse.Namespace) -> int:
    request = {"do": "send", "to": asked.number, "text": asked.text, "span": asked.span}
    good = False
    async for event in standalone.ask_or_start(config, request):
        print(_told(event))
        good = event["outcome"] in {"sent", "delivered"}
    return 0 if good else EXIT_FAILED


def _told(event: Answer) -> str:
    cause = event.get("cause")
    why = f": {cause['text']}" if isinstance(cause, dict) else ""
    return f"{event['outcome']} by {event['span'] or 'no modem'}{why}"


async def _until_signalled(work: Awaitable[int]) -> int:
    """SIGTERM ends a command as Ctrl-C does: in order. `run` sets handlers of its own."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m edge_agent", description="Spanbridge's agent at a site with modems."
    )
    parser.add_argument("--version", action="version", version=version())
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _command(commands, "run", _run, "run the agent until it is told to stop")
    enrolled = _command(commands, "enroll", _probe, "trade the operator's one-time code for this site's credential")
    enrolled.add_argument("--url", required=True, help="wss://…, as `python -m admin agents add` printed it")
    enrolled.add_argument("--code", required=True, help="account.agent.…, good once and for 24 hours")
    enrolled.add_argument("--force", action="store_true", help="replace a credential that is there already")
    examined = _command(commands, "doctor", _probe, "find what is wrong here, and say what to do about it")
    examined.add_argument("--seconds", type=float, default=doctor.LOOK_S, help="how long modems may take to register")
    _command(commands, "probe", _probe, "say what is behind each port; the agent must not be running")
    _command(commands, "status", _status, "show modems, queue and link of the running agent, as JSON")
    sent = _command(commands, "send", _send, "send a test message from here; the cloud learns nothing of it")
    sent.add_argument("number", type=_typed)
    sent.add_argument("text", type=_typed)
    sent.add_argument("--span", type=_typed, default="", help=_SPAN_HELP)
    asked = _command(commands, "ussd", _ussd, 'ask the network a code, for instance "*100#"')
    asked.add_argument("code", type=_typed)
    asked.add_argument("--span", type=_typed, default="", help=_SPAN_HELP)
    return parser


def _typed(text: str) -> str:
    """An argument as a person typed it: Python smuggles bytes that are no text through as surrogates (PEP 383)."""
    if not is_text(text):
        raise argparse.ArgumentTypeError("is not UTF-8; set the terminal's locale to UTF-8, for instance LANG=C.UTF-8")
    return text


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, do: Command, help_text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help_text, description=help_text)
    default = Path(os.environ.get(CONFIG_VARIABLE, "agent.toml"))
    parser.add_argument("--config", type=Path, default=default, help=f"the TOML file (default: {default})")
    parser.set_defaults(do=do)
    return parser


def _fail(text: str, code: int) -> int:
    print(f"spanbridge-agent: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
