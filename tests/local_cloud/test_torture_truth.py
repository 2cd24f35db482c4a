"""The judge of a torture finds each kind of lie: a run that says 0 can be believed."""

from dataclasses import replace

import pytest

from local_cloud.torture_callers import Sent
from local_cloud.torture_harm import Blow
from local_cloud.torture_truth import Verdict, judge

SENT = Sent("+19990000001", "torture 1", 1, 0, "torture-1", id="M1", told="SENDING", answers={"M1"})
ROW = {"id": "M1", "phonenumber": SENT.number, "status": "DELIVERD", "time": "2026-01-01 00:00:05", "error": None}
SUBMIT = {
    "event": "submit",
    "at": 1767225605.0,
    "modem": 2,
    "to": SENT.number,
    "mr": 7,
    "text": SENT.text,
    "concat": None,
}
REPORT = {"event": "report", "to": SENT.number, "mr": 7, "st": 0}


def push(kind: str, status: str, webhook_id: str = "w", answered: int = 200) -> dict:
    fields = {"id": "M1", "type": f"SMS-Status-{kind}", "status": status}
    return {"answered": answered, "parameters": fields, "headers": {"webhook-id": webhook_id}}


PUSHES = [push("Result", "SENT"), push("Report", "DELIVERD", "r")]


def verdict(sent=SENT, row=ROW, air=(SUBMIT, REPORT), pushes=PUSHES, blows=()) -> Verdict:
    return judge([sent], {"M1": row} if row else {}, list(air), list(pushes), list(blows))


def test_a_message_that_everyone_says_the_same_of_is_clean():
    found = verdict()
    assert found.clean and found.accepted == 1


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        ({"row": None}, "lost"),
        ({"row": ROW | {"status": "SENDING"}}, "lost"),
        ({"pushes": [push("Report", "DELIVERD", answered=500)]}, "lost"),
        ({"air": (SUBMIT, SUBMIT | {"mr": 8}, REPORT)}, "doubled"),
        ({"sent": replace(SENT, answers={"M1", "M2"})}, "doubled"),
        ({"air": (SUBMIT,)}, "untruthful"),
        ({"air": ()}, "untruthful"),
        ({"air": (SUBMIT | {"text": "another"}, REPORT)}, "untruthful"),
        (
            {"row": ROW | {"status": "FAILED", "error": "refused: no"}, "pushes": [push("Result", "FAILED")]},
            "untruthful",
        ),
        ({"pushes": [*PUSHES, push("Result", "SENT", "another")]}, "untruthful"),
        ({"air": (SUBMIT, REPORT, SUBMIT | {"to": "+19990000002"})}, "untruthful"),
        ({"sent": replace(SENT, id="", refused="no span", answers=set())}, "untruthful"),
    ],
)
def test_every_kind_of_lie_is_found(lie, kind):
    found = verdict(**lie)
    assert getattr(found, kind) and not found.clean


UNCERTAIN = {
    "row": ROW | {"status": "FAILED", "error": "uncertain: no answer came"},
    "pushes": [push("Result", "FAILED")],
}


def test_an_uncertain_message_is_excused_by_a_kill_between_its_pdu_and_the_answer():
    found = verdict(**UNCERTAIN, blows=[Blow(SUBMIT["at"] + 0.05, "kill agent")])
    assert found.clean and found.uncertain == 1 and found.windows == 1


def struck(after: float, modem: int = 2) -> dict:
    return {"event": "fault", "at": SUBMIT["at"] + after, "modem": modem, "fault": "hang_after_pdu"}


def test_an_uncertain_message_is_excused_by_a_fault_that_struck_its_modem():
    found = verdict(**UNCERTAIN, air=(SUBMIT, struck(0.06)))
    assert found.clean and found.uncertain == 1 and found.windows == 1


@pytest.mark.parametrize(
    ("blow", "fault"),
    [
        (Blow(SUBMIT["at"] + 60, "kill agent"), struck(60)),
        (Blow(SUBMIT["at"], "cut"), struck(-10)),
        (Blow(SUBMIT["at"] - 1, "hang", modem=2), struck(0, modem=3)),  # armed, and not struck
    ],
)
def test_an_uncertain_message_that_nothing_befell_is_a_lie(blow, fault):
    assert verdict(**UNCERTAIN, blows=[blow], air=(SUBMIT, fault)).untruthful
