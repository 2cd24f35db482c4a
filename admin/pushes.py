"""`admin pushes`: what customers' own addresses were told, and telling it again."""

import argparse

from admin.commands import Topic, at_least
from admin.moments import moment, told
from admin.shown import Facts, Shown
from admin.stack import Stack
from shared.push_record import PushAttempt, PushRecord, PushState
from shared.usecases.administration import Refused
from shared.usecases.manage_pushes import NotPushed


def add(topics: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    pushes = Topic(topics, "pushes", "what customers' own addresses were told; the last 7 days")
    listed = pushes.action("list", _list, "pushes of an account, oldest first", "account")
    _between(listed)
    listed.add_argument("--state", choices=[state.value for state in PushState], help="only those in this state")
    pushes.action("show", _show, "the last attempts of one of them, oldest first", "account", "id")
    replay = pushes.action("replay", _replay, "tells one again, or all that were given up", "account")
    replay.add_argument("--id", default="", help="of the event, as the webhook-id and `pushes list` say it")
    _between(replay)
    replay.add_argument("--all", action="store_true", help="also what was told already; the webhook-id stays the same")
    pushes.action("test", _test, "puts a made-up event into the queue", "account")
    drain = pushes.action("drain", _drain, "puts the dead letters of all accounts back into the queue")
    drain.add_argument("--most", type=at_least(1), default=10_000, metavar="N")


def _between(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--since",
        default="7d",
        help="of its first try: 90m, 2h, 3d or a time in UTC (default: %(default)s, all there are)",
    )
    parser.add_argument("--until", default="0m", help="the same (default: now)")


def _range(asked: argparse.Namespace, stack: Stack) -> tuple[float, float]:
    now = stack.clock.now()
    return moment(asked.since, now), moment(asked.until, now)


def _list(asked: argparse.Namespace, stack: Stack) -> Shown:
    stack.desk.account(asked.account)
    states = [PushState(asked.state)] if asked.state else list(PushState)
    return Shown(rows=[_row(each) for each in stack.push_desk.pushes(asked.account, *_range(asked, stack), states)])


def _row(record: PushRecord) -> Facts:
    last = record.attempts[-1] if record.attempts else None
    return {
        "id": record.event.id,
        "type": record.event.type,
        "message": record.event.message_id,
        "state": record.state.value,
        "tries": record.tries,
        "first": told(record.first_at),
        "last_answer": (last.error or str(last.status)) if last else "",
        "next_try": told(record.next_at) if record.state is PushState.WAITING else "",
    }


def _show(asked: argparse.Namespace, stack: Stack) -> Shown:
    record = stack.push_desk.log.get(asked.account, asked.id)
    if record is None:
        raise _unknown(asked)
    waits = f"; it is tried again at {told(record.next_at)}" if record.state is PushState.WAITING else ""
    return Shown(rows=[_attempt(each) for each in record.attempts], next_step=f"It is {record.state.value}{waits}.")


def _attempt(attempt: PushAttempt) -> Facts:
    return {
        "time": told(attempt.at),
        "status": attempt.status,
        "seconds": round(attempt.seconds, 3),
        "error": attempt.error,
    }


def _unknown(asked: argparse.Namespace) -> Refused:
    return Refused(f"no push {asked.id} is known; `pushes list {asked.account}` shows all of the last 7 days")


def _replay(asked: argparse.Namespace, stack: Stack) -> Shown:
    stack.desk.account(asked.account)
    if asked.id and stack.push_desk.log.get(asked.account, asked.id) is None:
        raise _unknown(asked)
    start, end = _range(asked, stack)
    what = asked.id or f"since {told(start)} until {told(end)}{', all' if asked.all else ''}"
    stack.desk.store.note(stack.desk.entry("pushes replay", asked.account, what))
    if asked.id:
        if not stack.push_desk.replay(asked.account, asked.id):
            raise _unknown(asked)
        return Shown({"replayed": 1})
    states = list(PushState) if asked.all else [PushState.DEAD]
    return Shown({"replayed": stack.push_desk.replay_between(asked.account, start, end, states)})


def _test(asked: argparse.Namespace, stack: Stack) -> Shown:
    stack.desk.account(asked.account)
    stack.desk.store.note(stack.desk.entry("pushes test", asked.account))
    try:
        event = stack.push_desk.send_test(asked.account)
    except NotPushed as why:
        stack.desk.store.note(stack.desk.entry("pushes test", asked.account, f"nothing was sent: {why}"))
        raise Refused(f"{why}; the customer sets that with /smsoutbox/set_config") from None
    return Shown(
        {"id": event.id, "type": event.type}, next_step=f"What came of it: pushes show {asked.account} {event.id}"
    )


def _drain(asked: argparse.Namespace, stack: Stack) -> Shown:
    stack.desk.store.note(stack.desk.entry("pushes drain"))
    done = stack.push_desk.drain(asked.most)
    return Shown({"replayed": done.replayed, "told_meanwhile": done.settled, "unreadable": done.unreadable})
