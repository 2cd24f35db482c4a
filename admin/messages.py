"""`admin messages`: what customers sent."""

import argparse

from admin.commands import Topic, at_least
from admin.moments import moment, told
from admin.shown import Facts, Shown
from admin.stack import Stack
from shared.lifecycle import State, has_ended
from shared.message import Message
from shared.ports import OutboxFilter
from shared.usecases import administration_messages as desk


def add(topics: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    messages = Topic(topics, "messages", "what customers sent")
    find = messages.action("find", _find, "newest first", "account")
    find.add_argument("--number", default="", help="of the recipient; * stands for any run of digits")
    find.add_argument("--since", default="", help="90m, 2h, 3d or a time in UTC, by the end of the attempt")
    find.add_argument("--until", default="", help="the same")
    states = [state.value for state in State]
    find.add_argument("--state", choices=states, metavar="STATE", help=f"only those in this one: {', '.join(states)}")
    most = "look at so many (default: %(default)s)"
    find.add_argument("--most", type=at_least(1), default=50, metavar="N", help=most)
    messages.action("show", _show, "one message with all that is known of it", "account", "id")
    messages.action("cancel", _cancel, "takes one back; its site has the last word", "account", "id")
    requeue = messages.action("requeue", _requeue, "sends a failed one again, as a new message", "account", "id")
    requeue.add_argument("--i-know", action="store_true", help="even if it may have gone out, and so may arrive twice")
    requeue.add_argument("--any-span", action="store_true", help="through any span, not just those it was meant for")


def _find(asked: argparse.Namespace, stack: Stack) -> Shown:
    stack.desk.account(asked.account)
    now = stack.clock.now()
    since, until = (moment(text, now) if text else None for text in (asked.since, asked.until))
    where = OutboxFilter(phone=asked.number, start=since, end=until)
    found = stack.desk.outbox.history(asked.account, where, skip=0, limit=asked.most, include_pending=True)
    return Shown(rows=[_row(message) for message in found.rows if asked.state in {None, message.state}])


def _row(message: Message) -> Facts:
    return {
        "id": message.id,
        "number": message.to,
        "state": message.state,
        "port": message.port,
        "site": message.agent,
        "accepted": told(message.accepted_at),
        "ended": told(message.ended_at),
        "error": message.error,
    }


def _show(asked: argparse.Namespace, stack: Stack) -> Shown:
    return Shown(_facts(desk.message_of(stack.desk, asked.account, asked.id)))


def _facts(message: Message) -> Facts:
    return {
        **_row(message),
        "port_name": message.port_name,
        "parts": message.parts,
        "parts_sent": message.parts_sent,
        "expires": told(message.deadline),
        "delivered": told(message.delivered_at),
        "left_the_cloud": "yes" if message.posted else "no",
        "told_by_its_site": "yes" if message.told else "no",
    }


def _cancel(asked: argparse.Namespace, stack: Stack) -> Shown:
    message = desk.cancel(stack.desk, asked.account, asked.id)
    why = desk.why_unsure(stack.desk, message)
    note = f"Not certain: {why}. Should it have been sent, its site says so when it can, and then the outbox does."
    return Shown(_row(message), next_step=note if why else "")


def _requeue(asked: argparse.Namespace, stack: Stack) -> Shown:
    new = desk.requeue(stack.desk, asked.account, asked.id, i_know=asked.i_know, any_span=asked.any_span)
    message = desk.message_of(stack.desk, asked.account, new)
    return Shown(
        {"again": asked.id, **_row(message)}, next_step="" if has_ended(message.state) else "It is on its way."
    )
