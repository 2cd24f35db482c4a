"""The main job, through every real part: from a call of the API to a modem on a serial port, and all the way back."""

import pytest

from local_cloud.stack import LocalStack


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with LocalStack(tmp_path_factory.mktemp("round-trip")) as running:
        yield running


def _send(stack, number, text, **fields):
    status, answer = stack.call("/sms/send", dest_num=number, msg=text, **fields)
    assert (status, answer["code"]) == (200, 0), answer
    (row,) = answer["data"]
    return row


def _outbox(stack, number):
    _, answer = stack.call("/smsoutbox/get", phone_number_filter=number)
    return answer["data"]


def _texts(stack, number):
    return [each["text"] for each in stack.air() if each["event"] == "message" and each["to"] == number]


def _pushes(stack, message_id):
    found = [each["parameters"] for each in stack.pushes() if each["parameters"]["id"] == message_id]
    return [(each["type"], each["status"]) for each in found]


def test_four_spans_are_listed_and_available(stack):
    assert [(span["port"], span["status"]) for span in stack.spans()] == [(1, 1), (2, 1), (3, 1), (4, 1)]


def test_a_message_sent_with_mode_1_is_taken_delivered_and_pushed(stack, eventually):
    row = _send(stack, "+12025550111", "Hello, {world} 🎉", mode=1)
    assert row["status"] == "SENT"
    eventually(lambda: [each["status"] for each in _outbox(stack, "+12025550111")] == ["DELIVERD"])
    assert _texts(stack, "+12025550111") == ["Hello, {world} 🎉"]
    eventually(lambda: len(_pushes(stack, row["id"])) == 2)
    assert _pushes(stack, row["id"]) == [("SMS-Status-Result", "SENT"), ("SMS-Status-Report", "DELIVERD")]


def test_a_message_for_an_agent_that_was_killed_goes_out_once_when_it_is_back(stack, eventually):
    stack.kill("agent")
    eventually(lambda: stack.connections() == [])
    row = _send(stack, "+12025550112", "while you were away", mode=0, spans="1,2,3,4")
    assert row["status"] == "SENDING"
    stack.restart("agent")
    eventually(lambda: [each["status"] for each in _outbox(stack, "+12025550112")] == ["DELIVERD"])
    assert _texts(stack, "+12025550112") == ["while you were away"]
    eventually(lambda: len(_pushes(stack, row["id"])) == 2)


def test_a_message_survives_the_gateway_being_killed(stack, eventually):
    stack.kill("gateway")
    stack.restart("gateway")
    eventually(lambda: len(stack.connections()) == 1, within=60)
    row = _send(stack, "+12025550113", "new gateway, same tables", mode=1)
    assert row["status"] == "SENT"
    eventually(lambda: len(_pushes(stack, row["id"])) == 2)


def test_a_push_that_fails_is_tried_again_after_its_delay(stack, eventually):
    stack.set_receiver(status=503, times=1)
    row = _send(stack, "+12025550114", "try again", mode=1)
    eventually(
        lambda: [push["answered"] for push in stack.pushes() if push["parameters"]["id"] == row["id"]][:1] == [503]
    )
    stack.set_receiver()
    eventually(lambda: ("SMS-Status-Result", "SENT") in _answered_well(stack, row["id"]), within=60)


def _answered_well(stack, message_id):
    return [
        (push["parameters"]["type"], push["parameters"]["status"])
        for push in stack.pushes()
        if push["parameters"]["id"] == message_id and push["answered"] == 200
    ]
