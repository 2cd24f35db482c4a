"""The operator's command line: `python -m admin --help`.

Works on a deployed stack with AWS credentials, and with `--local` on one of `make run`. Exit status: 0 done, 1 refused
or not possible (one line on standard error says why and what to do), 2 wrong use.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

try:
    from botocore.exceptions import BotoCoreError, ClientError
except ModuleNotFoundError:
    sys.exit("admin: this Python has no botocore; run `make admin` once, and then .venv/bin/python -m admin")

from admin import accounts, agents, health, messages, pushes, spans
from admin.commands import Command
from admin.stack import NoStack, Stack, Where
from shared.errors import ApiError
from shared.ports import TooBroad, Unavailable
from shared.usecases.administration import Refused

_STATE = Path(__file__).resolve().parent.parent / ".local" / "run"
_FAULTS = (Refused, NoStack, Unavailable, TooBroad, argparse.ArgumentTypeError)


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    command: Command = asked.command
    try:
        shown = command(asked, Stack(_where(asked)))
    except _FAULTS as error:
        return _fail(str(error))
    except ApiError as error:
        return _fail(error.sentence)
    except (BotoCoreError, ClientError) as error:
        return _fail(f"AWS refused: {error}")
    print(shown.as_json() if asked.json else shown.as_text())
    return 0


def _where(asked: argparse.Namespace) -> Where:
    local = asked.state_dir if asked.local else None
    return Where(stack=asked.stack, region=asked.region, profile=asked.profile, local=local)


def _fail(text: str) -> int:
    print(f"admin: {text}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m admin", description="Everything about accounts, sites and spans, from the operator's desk."
    )
    add = parser.add_argument
    add("--stack", default="spanbridge", help="name of the CloudFormation stack (default: %(default)s)")
    add("--region", default="", help="where it is (default: as AWS is configured here)")
    add("--profile", default="", help="AWS profile to use (default: as AWS is configured here)")
    add("--local", action="store_true", help="the stack of `make run` on this machine")
    add("--state-dir", type=Path, default=_STATE, metavar="DIR", help="of that stack (default: .local/run)")
    add("--json", action="store_true", help="print JSON")
    topics = parser.add_subparsers(required=True, metavar="TOPIC")
    for topic in (accounts, agents, spans, messages, pushes, health):
        topic.add(topics)
    return parser


if __name__ == "__main__":
    sys.exit(main())
