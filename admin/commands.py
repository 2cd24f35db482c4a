"""How a topic of the command line is put together: `accounts`, `agents` … each have a file that adds itself here."""

import argparse
from collections.abc import Callable

from admin.shown import Shown
from admin.stack import Stack

Command = Callable[[argparse.Namespace, Stack], Shown]


class Topic:
    def __init__(self, topics: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, says: str) -> None:
        self._actions = topics.add_parser(name, help=says, description=says).add_subparsers(
            required=True, metavar="ACTION"
        )

    def action(self, name: str, command: Command, says: str, *positional: str) -> argparse.ArgumentParser:
        """`positional` arguments may bear a help text behind a colon."""
        parser = self._actions.add_parser(name, help=says, description=says)
        add_json(parser)
        for argument in positional:
            called, _, meaning = argument.partition(":")
            parser.add_argument(called, help=meaning or None)
        parser.set_defaults(command=command)
        return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    """Behind the action as in front of the topic; where it is not given, it leaves what was said there."""
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")


def at_least(least: int) -> Callable[[str], int]:
    """Type of an argument that is a whole number."""

    def number(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} up")
        return int(text)

    return number
