"""Messages from the queue to their function: batches, failures, redrive; and schedules on the turned clock."""

import json

import pytest

from local_cloud import aws


@pytest.fixture
def sqs(probe):
    return aws.sqs(probe.deployment.endpoint)


@pytest.fixture
def send(probe, sqs):
    def put(**fields):
        return sqs.send_message(QueueUrl=probe.deployment.queues["Work"], MessageBody=json.dumps(fields))["MessageId"]

    return put


@pytest.fixture
def seen(notes):
    def with_tag(tag):
        return [each for each in notes("work") if each["body"].get("tag") == tag]

    return with_tag


def _dead(probe, sqs):
    answer = sqs.receive_message(
        QueueUrl=probe.deployment.queues["DeadWork"], VisibilityTimeout=0, MaxNumberOfMessages=10
    )
    return {message["MessageId"] for message in answer.get("Messages", [])}


@pytest.mark.aws("lambda/latest/dg/with-sqs.html")
def test_a_message_comes_as_lambda_would_bring_it(probe, send, seen, eventually):
    message = send(tag="shape")
    (note,) = eventually(lambda: seen("shape"))
    record = note["record"]
    assert record["messageId"] == message
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "us-east-1")
    assert record["eventSourceARN"].startswith("arn:aws:sqs:us-east-1:123456789012:spanbridge-Work-")
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert {"body", "receiptHandle", "md5OfBody", "messageAttributes"} <= set(record)


@pytest.mark.aws("lambda/latest/dg/services-sqs-errorhandling.html")
def test_what_is_done_is_deleted_and_what_failed_comes_back(send, seen, eventually, mark):
    send(tag="partial", do="fail once", mark=mark)
    send(tag="partial")
    eventually(lambda: len(seen("partial")) == 3)
    times = [each["record"]["attributes"]["ApproximateReceiveCount"] for each in seen("partial")]
    assert sorted(times) == ["1", "1", "2"]


@pytest.mark.aws("lambda/latest/dg/services-sqs-errorhandling.html")
def test_a_function_that_dies_loses_no_message(send, seen, eventually, mark):
    message = send(tag="die", do="die once", mark=mark)
    eventually(lambda: len(seen("die")) == 2)
    assert {each["record"]["messageId"] for each in seen("die")} == {message}


@pytest.mark.aws("AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html")
@pytest.mark.parametrize("how", ["fail", "raise"])
def test_what_always_fails_ends_in_the_dead_letter_queue(probe, sqs, send, seen, eventually, how):
    message = send(tag=f"dead by {how}", do=how)
    eventually(lambda: message in _dead(probe, sqs))
    assert len(seen(f"dead by {how}")) == 2  # maxReceiveCount


@pytest.mark.aws("lambda/latest/dg/with-sqs.html")
def test_a_burst_comes_in_batches_of_at_most_the_batch_size(probe, sqs, seen, eventually):
    entries = [{"Id": str(number), "MessageBody": json.dumps({"tag": "burst", "n": number})} for number in range(10)]
    sqs.send_message_batch(QueueUrl=probe.deployment.queues["Work"], Entries=entries)
    eventually(lambda: len(seen("burst")) == 10)
    assert {each["body"]["n"] for each in seen("burst")} == set(range(10))
    assert max(each["batch"] for each in seen("burst")) <= 5


@pytest.mark.aws("scheduler/latest/UserGuide/schedule-types.html")
def test_a_schedule_calls_its_function_when_its_time_has_come(probe, notes, eventually):
    before = len(notes("sweep"))
    probe.turn_clock(5 * 60)
    eventually(lambda: len(notes("sweep")) > before)
    event = notes("sweep")[-1]["event"]
    assert (event["source"], event["detail-type"], event["detail"]) == ("aws.scheduler", "Scheduled Event", "{}")
