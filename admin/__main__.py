"""The operator's commands over a deployed stack: `python -m admin --help`.

Works wherever the AWS environment points: a real account, or with AWS_ENDPOINT_URL the local cloud.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence

from admin.deployed import NoStack, administration
from shared.ports import Unavailable
from shared.usecases.administration import Administration, Refused

Facts = Mapping[str, str]
Command = Callable[[argparse.Namespace, Administration], Facts]


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    command: Command = asked.command
    try:
        facts = command(asked, administration(asked.stack))
    except (Refused, NoStack, Unavailable) as error:
        print(f"admin: {error}", file=sys.stderr)
        return 1
    print(json.dumps(facts) if asked.json else _table(facts))
    return 0


def _create_account(asked: argparse.Namespace, desk: Administration) -> Facts:
    password = sys.stdin.readline().rstrip("\n") if asked.password_stdin else ""
    secret = desk.create_account(asked.name, timezone=asked.timezone, password=password)
    return {"account": asked.name} | ({} if asked.password_stdin else {"password": secret})


def _add_agent(asked: argparse.Namespace, desk: Administration) -> Facts:
    token = desk.add_agent(asked.account, asked.agent, site=asked.site or asked.agent)
    return {"account": asked.account, "agent": asked.agent, "credential": str(token)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m admin", description="Accounts and agents of a Spanbridge stack.")
    parser.add_argument("--stack", default="spanbridge", help="name of the CloudFormation stack (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    topics = parser.add_subparsers(required=True, metavar="TOPIC")

    accounts = topics.add_parser("accounts", help="customers of the API").add_subparsers(
        required=True, metavar="ACTION"
    )
    create = accounts.add_parser("create", help="a new account; prints its password once")
    create.add_argument("name")
    create.add_argument(
        "--timezone", default="UTC", help="IANA name of the time zone of its times (default: %(default)s)"
    )
    create.add_argument("--password-stdin", action="store_true", help="read the password instead of making one")
    create.set_defaults(command=_create_account)

    agents = topics.add_parser("agents", help="sites").add_subparsers(required=True, metavar="ACTION")
    add = agents.add_parser("add", help="a new agent; prints its credential once")
    add.add_argument("account")
    add.add_argument("agent")
    add.add_argument("--site", default="", help="where it stands, for people")
    add.set_defaults(command=_add_agent)
    return parser


def _table(facts: Facts) -> str:
    width = max(map(len, facts))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in facts.items())


if __name__ == "__main__":
    sys.exit(main())
