"""The judge of a torture finds what was received and lost, doubled or told wrongly."""

import pytest

from local_cloud.torture_inbox import judge_received, unheard
from local_cloud.torture_truth import Verdict, pushed
from local_cloud.torture_writers import Written

WRITTEN = Written("+18880000001", "written 1", 2)
ROW = {"id": "rx.1", "phonenumber": WRITTEN.number, "message": WRITTEN.text, "port": 3}


def push(webhook_id: str = "rx.1-received", answered: int = 200) -> dict:
    fields = {"id": "rx.1", "type": "SMS-Received", "status": "", "phonenumber": WRITTEN.number}
    return {"answered": answered, "parameters": fields, "headers": {"webhook-id": webhook_id}}


PUSH = push()


def verdict(inbox=(ROW,), pushes=(PUSH,)) -> Verdict:
    found = Verdict()
    judge_received([WRITTEN], list(inbox), pushed(pushes), found)
    return found


def test_what_stands_once_in_the_inbox_and_was_pushed_under_one_id_is_clean():
    assert verdict().clean and verdict().received == 1
    assert verdict(pushes=(push(answered=500), push(), push())).clean


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        ({"inbox": ()}, "lost"),
        ({"pushes": ()}, "lost"),
        ({"pushes": (push(answered=500),)}, "lost"),
        ({"inbox": (ROW, ROW | {"id": "rx.2"})}, "doubled"),
        ({"inbox": (ROW | {"message": "another"},)}, "untruthful"),
        ({"inbox": (ROW, ROW | {"phonenumber": "+18880000009"})}, "untruthful"),
        ({"pushes": (push(), push("another"))}, "untruthful"),
    ],
)
def test_every_kind_of_lie_is_found(lie, kind):
    found = verdict(**lie)
    assert getattr(found, kind) and not found.clean


def test_of_whom_nothing_was_pushed_is_not_heard_yet():
    assert unheard([WRITTEN], []) == unheard([WRITTEN], [push(answered=500)]) == {WRITTEN.number}
    assert unheard([WRITTEN], [push()]) == set()
