"""The judge of a torture finds each kind of lie: a run that says 0 can be believed."""

import json
from dataclasses import asdict, replace

import pytest

from edge_agent.modem.pdu import encode_message
from local_cloud.torture_callers import Sent
from local_cloud.torture_harm import Blow
from local_cloud.torture_truth import Verdict, judge
from local_cloud.torture_windows import matched

AT = 1767225605.0  # 2026-01-01 00:00:05
SENT = Sent("+19990000001", "torture 1", 1, 0, "torture-1", id="M1", told="SENDING", answers={"M1"})
ROW = {
    "id": "M1",
    "phonenumber": SENT.number,
    "port": 3,
    "status": "DELIVERD",
    "time": "2026-01-01 00:00:05",
    "error": None,
}
SUBMIT = {"event": "submit", "at": AT, "modem": 2, "to": SENT.number, "mr": 7, "text": SENT.text, "concat": None}
REPORT = {"event": "report", "at": AT + 1, "modem": 2, "to": SENT.number, "mr": 7, "st": 0}
GIVEN_UP = REPORT | {"st": 0x46}


def push(kind: str, status: str, webhook_id: str = "w", answered: int = 200, cause: str = "", of: str = "M1") -> dict:
    fields = {"id": of, "type": f"SMS-Status-{kind}", "status": status, "cause": cause}
    return {"answered": answered, "parameters": fields, "headers": {"webhook-id": webhook_id}}


RESULT, DELIVERED = push("Result", "SENT"), push("Report", "DELIVERD", "r")
PUSHES = [RESULT, DELIVERED]


def verdict(sent=SENT, row=ROW, air=(SUBMIT, REPORT), pushes=PUSHES, blows=()) -> Verdict:
    return judge([sent], {"M1": row} if row else {}, list(air), list(pushes), list(blows))


def failed(cause: str, *more: dict) -> dict:
    """A row that failed for this, and its push."""
    return {
        "row": ROW | {"status": "FAILED", "error": cause},
        "pushes": [*more, push("Result", "FAILED", "f", 200, cause)],
    }


def undelivered(cause: str = "undelivered: the network gave up") -> dict:
    row = ROW | {"status": "FAILED", "error": cause}
    return {"row": row, "pushes": [RESULT, push("Report", "FAILED", "r", 200, cause)]}


THREE = replace(SENT, parts=3, text="abc")


def part(number: int, after: float = 0.0) -> dict:
    return SUBMIT | {"concat": [1, 3, number], "text": "abc"[number - 1], "at": AT + after, "mr": 6 + number}


def test_a_message_that_everyone_says_the_same_of_is_clean():
    found = verdict()
    assert found.clean and found.accepted == 1


@pytest.mark.parametrize(
    "told",
    [
        {"sent": replace(SENT, mode=1, told="SENT")},
        {"row": ROW | {"status": "SENT"}, "pushes": [RESULT], "air": (SUBMIT,)},
        {**undelivered(), "air": (SUBMIT, GIVEN_UP)},
        {**failed("refused: no"), "air": (), "sent": replace(SENT, mode=1, told="FAILED", why="refused: no")},
        {**failed("refused: no; 2 of its 3 parts went out"), "sent": THREE, "air": (part(1), part(2, 0.1))},
        # The cloud ends what it has not heard of, until its site tells the truth.
        {"pushes": [push("Result", "FAILED", "f", 200, "expired: its time was up"), *PUSHES]},
        {"pushes": [*PUSHES, push("Result", "FAILED", "f", 200, "cancelled: taken back")]},
        {**failed("refused: no", push("Result", "FAILED", "e", 200, "expired: its time was up")), "air": ()},
        {"sent": replace(SENT, mode=1, told="FAILED", why="expired: its time was up")},
        {"sent": replace(SENT, id="", refused="no span", answers=set()), "row": None, "air": (), "pushes": []},
    ],
)
def test_the_truth_is_clean_also_when_it_comes_late(told):
    found = verdict(**told)
    assert found.clean and not found.uncertain, found


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        ({"row": None}, "lost"),
        ({"row": ROW | {"status": "SENDING"}}, "lost"),
        ({"pushes": [RESULT, push("Report", "DELIVERD", answered=500)]}, "lost"),
        ({"pushes": [DELIVERED]}, "lost"),
        ({"row": ROW | {"status": "SENT"}, "pushes": []}, "lost"),
        ({**undelivered(), "air": (SUBMIT, GIVEN_UP), "pushes": undelivered()["pushes"][1:]}, "lost"),
        ({**failed("refused: no"), "air": (), "pushes": [push("Result", "FAILED", "f", 200, "expired: no")]}, "lost"),
        ({"air": (SUBMIT, SUBMIT | {"mr": 8}, REPORT)}, "doubled"),
        ({"sent": replace(SENT, answers={"M1", "M2"})}, "doubled"),
        ({"air": (SUBMIT,)}, "untruthful"),
        ({"air": ()}, "untruthful"),
        ({"row": ROW | {"status": "SENT"}, "pushes": [RESULT], "air": ()}, "untruthful"),
        ({"row": ROW | {"status": "SENT"}, "pushes": [RESULT], "sent": THREE, "air": (part(1), part(2))}, "untruthful"),
        ({"air": (SUBMIT | {"text": "another"}, REPORT)}, "untruthful"),
        (failed("refused: no"), "untruthful"),
        ({"pushes": [*PUSHES, push("Result", "SENT", "another")]}, "untruthful"),
        ({"pushes": [RESULT, push("Report", "DELIVERD", "w")]}, "untruthful"),
        ({"air": (SUBMIT, REPORT, SUBMIT | {"to": "+19990000002"})}, "untruthful"),
        ({"sent": replace(SENT, id="", refused="no span", answers=set())}, "untruthful"),
        ({"sent": replace(SENT, mode=1, told="FAILED", why="refused: no")}, "untruthful"),
        (
            {"sent": replace(SENT, mode=1, told="FAILED", why="refused: no"), **failed("expired: no"), "air": ()},
            "untruthful",
        ),
        ({**failed("refused: no"), "air": (), "sent": replace(SENT, mode=1, told="SENT")}, "untruthful"),
        ({"pushes": [*PUSHES, push("Result", "FAILED", "f", 200, "refused: no")]}, "untruthful"),
        ({**failed("refused: no", RESULT), "air": ()}, "untruthful"),
        ({"row": ROW | {"status": "SENT"}, "air": (SUBMIT,)}, "untruthful"),
        ({"air": (SUBMIT, REPORT | {"modem": 3})}, "untruthful"),
        (undelivered(), "untruthful"),
        ({**undelivered(), "air": (SUBMIT, REPORT | {"st": 0x20})}, "untruthful"),
        ({**failed("refused: no"), "sent": THREE, "air": (part(1), part(2, 0.1))}, "untruthful"),
        ({**failed("expired: no"), "sent": THREE, "air": (part(1), part(2, 0.1))}, "untruthful"),
        ({**failed("cancelled: no; 1 of its 3 parts went out"), "sent": THREE, "air": ()}, "untruthful"),
    ],
)
def test_every_kind_of_lie_is_found(lie, kind):
    found = verdict(**lie)
    assert getattr(found, kind) and not found.clean


UNCERTAIN = failed("uncertain: handed to the modem, and no answer came")


def kill(after: float, took: float = 0.0) -> Blow:
    return Blow(AT + after, "kill agent", until=AT + after + took)


def struck(after: float = 0.0, modem: int = 2, fault: str = "hang_after_pdu") -> dict:
    return {"event": "fault", "at": AT + after, "modem": modem, "fault": fault}


def refusal(to: str = SENT.number) -> dict:
    (pdu,) = encode_message(to, SENT.text, ref=1, validity_s=600, status_report=True)
    return {"event": "refused", "at": AT, "modem": 2, "error": "+CMS ERROR: 38", "why": "network", "pdu": pdu.hex}


@pytest.mark.parametrize(
    ("blows", "faults", "by"),
    [
        ([kill(0.05)], [], "kill agent"),
        ([kill(-0.5, took=0.6)], [], "kill agent"),  # the process was gone at some time of these 0.6 s
        ([kill(3.0)], [struck(fault="late_answer")], "kill agent"),  # which comes 4 s late
        ([], [struck()], "hang_after_pdu"),
        ([], [struck(fault="refuse_network")], "refuse_network"),
    ],
)
def test_an_uncertain_message_is_excused_by_what_came_between_its_pdu_and_the_answer(blows, faults, by):
    found = verdict(**UNCERTAIN, blows=blows, air=(SUBMIT, *faults))
    assert found.clean and json.loads(json.dumps(asdict(found)))["by"] == {by: 1}  # as it is kept
    assert (found.uncertain, found.settled, found.windows) == (1, 0, 1)


@pytest.mark.parametrize(
    ("blow", "fault"),
    [
        (kill(60), struck(60)),
        (kill(-0.5), struck(-0.5)),
        (kill(0.8), struck(0.06)),
        (kill(3.0), struck(3.0, fault="late_answer")),
        (Blow(AT, "cut"), struck(-10)),
        (Blow(AT, "kill gateway"), struck(fault="garbage")),  # which takes no answer away
        (Blow(AT - 1, "hang", modem=2), struck(0, modem=3)),  # armed, and not struck
    ],
)
def test_an_uncertain_message_that_nothing_befell_is_a_lie(blow, fault):
    found = verdict(**UNCERTAIN, blows=[blow], air=(SUBMIT, fault))
    assert found.untruthful and not found.clean and found.windows == 0


def test_an_answer_is_in_the_journal_before_the_next_pdu_goes_to_the_modem():
    later = SUBMIT | {"to": "+19990000002", "at": AT + 0.2, "mr": 8}
    other = replace(SENT, number="+19990000002", key="torture-2", id="M2", answers={"M2"})
    rows = {"M1": UNCERTAIN["row"], "M2": ROW | {"id": "M2", "phonenumber": other.number, "status": "SENT"}}
    pushes = [*UNCERTAIN["pushes"], push("Result", "SENT", "w2", of="M2")]
    found = judge([SENT, other], rows, [SUBMIT, later], pushes, [kill(0.25)])
    assert found.untruthful == ["M1: uncertain, and no kill and no fault of its own befell it"]


def many(count: int, *, aired: bool = True, apart: float = 0.0, by: int = 1, told: str = "") -> dict:
    """So many uncertain messages, dealt over `by` modems, and one that was sent by each of these before."""
    sent, rows, air, pushes = [], {}, [], []
    for number in range(count + by):
        before, message_id, modem = number < by, f"M{number}", number % by
        one = replace(SENT, number=f"+1999{number:07d}", key=f"k{number}", id=message_id, answers={message_id})
        row = ROW | {"id": message_id, "phonenumber": one.number, "port": modem + 1, "status": "SENT"}
        told_row = row if before else row | UNCERTAIN["row"] | {key: row[key] for key in ("id", "phonenumber", "port")}
        rows[message_id] = told_row | ({"time": told} if told and not before else {})
        if before or aired:
            at = AT - 600 if before else AT + apart * (number - by)
            air.append(SUBMIT | {"to": one.number, "modem": modem, "at": at, "mr": number})
        cause = "" if before else str(told_row["error"])
        pushes.append(push("Result", "FAILED" if cause else "SENT", f"w{number}", 200, cause, message_id))
        sent.append(one)
    return {"sent": sent, "rows": rows, "records": air, "pushes": pushes}


def test_one_kill_leaves_one_message_a_modem_uncertain():
    assert judge(**many(2, by=2), blows=[kill(0.05)]).clean
    found = judge(**many(3, by=2, apart=0.15), blows=[kill(0.2)])
    assert len(found.untruthful) == 1 and found.uncertain == 3


def test_of_what_never_went_on_the_air_a_kill_just_before_it_was_told_is_the_cause_for_one_a_modem():
    assert judge(**many(1, aired=False), blows=[kill(-2.0)]).by == {"kill agent": 1}
    assert judge(**many(1, aired=False, told="2026-01-01 00:00:02"), blows=[kill(-2.0)]).clean  # in whole seconds
    assert len(judge(**many(30, aired=False), blows=[kill(-2.0)]).untruthful) == 29
    assert len(judge(**many(1, aired=False), blows=[kill(-20.0)]).untruthful) == 1
    assert len(judge(**many(1, aired=False), blows=[kill(2.0)]).untruthful) == 1
    assert len(judge(**many(1, aired=False), blows=[Blow(AT - 2.0, "hang", modem=0)]).untruthful) == 1


def test_of_what_never_went_on_the_air_by_a_port_of_which_nothing_is_known_no_kill_is_the_cause():
    assert verdict(**UNCERTAIN, air=(), blows=[kill(-2.0)]).untruthful


def test_one_who_can_have_two_leaves_to_another_the_only_one_that_it_can_have():
    first, second = (kill(0.1), 0), (kill(0.2), 0)
    assert matched({"M1": [first, second], "M2": [first]}) == {"M1": second, "M2": first}


def test_a_part_that_the_network_refused_on_the_way_may_be_uncertain_and_never_on_the_air():
    found = verdict(**UNCERTAIN, air=(refusal(), struck(fault="refuse_network")))
    assert found.clean and found.by == {"refuse_network": 1}
    assert verdict(**UNCERTAIN, air=(refusal(), struck(fault="refuse"))).untruthful
    assert verdict(**UNCERTAIN, air=(refusal("+19990000002"), struck(fault="refuse_network"))).untruthful


def doubt(text: str) -> dict:
    return {**failed(f"uncertain: {text}"), "sent": THREE, "blows": [kill(0.15)]}


def test_a_message_with_one_part_in_doubt_says_which():
    said = doubt("part 2 of 3 was handed to the modem, and no answer came; 1 before it sent, 1 after it not sent")
    assert verdict(**said, air=(part(1), part(2, 0.1))).clean
    assert verdict(**said, air=(part(1), part(2, 0.1), part(3, 0.3))).untruthful
    assert verdict(**said, air=(part(2, 0.1),)).untruthful
    assert verdict(**said | {"blows": [kill(0.02)]}, air=(part(1), part(2, 0.1))).untruthful  # that was part 1
    for untold in (
        "handed to the modem, and no answer came",
        "part 1 of 4 was handed to the modem, and no answer came",
    ):
        assert verdict(**doubt(untold) | {"blows": [kill(0.02)]}, air=(part(1),)).untruthful


def test_what_was_uncertain_until_a_report_came_needs_its_reason_too():
    settled = {"pushes": [*UNCERTAIN["pushes"], *PUSHES]}
    found = verdict(**settled, blows=[kill(0.05)])
    assert found.clean and (found.uncertain, found.settled) == (0, 1)
    assert verdict(**settled).untruthful
    assert verdict(sent=replace(SENT, mode=1, told="FAILED", why="uncertain: no answer came")).untruthful
