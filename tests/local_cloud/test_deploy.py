"""From the template to the copy for moto and to who calls whom; Spanbridge's own template among them."""

import json

import pytest

from local_cloud.cloud import LOCAL_PARAMETERS
from local_cloud.deploy import Addresses, plan
from local_cloud.layout import CHECKOUT
from local_cloud.topology import TemplateError, topology
from local_cloud.transform import transformed

ADDRESSES = Addresses(http=8080, sockets=8081, control=8082)
SMALL = CHECKOUT / "tests" / "local_cloud" / "template.yaml"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def small(cache):
    return plan(transformed(SMALL, {}, cache), {}, ADDRESSES)


@pytest.fixture(scope="module")
def ours(cache):
    template = transformed(CHECKOUT / "template.yaml", LOCAL_PARAMETERS, cache)
    return plan(template, LOCAL_PARAMETERS, ADDRESSES)


def test_a_second_transformation_is_read_from_the_cache(cache, small):
    (kept,) = [file for file in cache.iterdir() if "SocketGuard" in file.read_text()]
    kept.write_text(kept.read_text().replace("SocketGuard", "FromTheCache"))
    try:
        assert "FromTheCache" in transformed(SMALL, {}, cache)["Resources"]
    finally:
        kept.unlink()


def test_a_change_of_the_template_or_its_parameters_is_never_answered_from_the_cache(cache, tmp_path, small):
    changed = tmp_path / "template.yaml"
    changed.write_text(SMALL.read_text().replace("SocketGuard", "OtherGuard"))
    assert "OtherGuard" in transformed(changed, {}, cache)["Resources"]
    before = set(cache.iterdir())
    transformed(SMALL, {"Greeting": "hi"}, cache)
    assert set(cache.iterdir()) > before


def test_moto_gets_only_what_it_knows_and_nothing_that_makes_it_call_functions(small):
    kinds = {each["Type"] for each in small.copy["Resources"].values()}
    assert {"AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::Lambda::Function", "AWS::IAM::Role"} <= kinds
    assert not [kind for kind in kinds if "ApiGatewayV2" in kind or "Scheduler" in kind]
    assert "AWS::Lambda::EventSourceMapping" not in kinds


def test_no_reference_to_what_was_taken_out_is_left(ours):
    text = json.dumps(ours.copy)
    assert "Sockets" not in text
    assert "execute-api.us-east-1.amazonaws.com" not in text


def test_addresses_of_the_apis_become_addresses_on_this_machine(small):
    variables = small.copy["Resources"]["Probe"]["Properties"]["Environment"]["Variables"]
    assert variables["CONNECTIONS_URL"] == "http://127.0.0.1:8082/live"
    assert small.copy["Outputs"]["SocketUrl"]["Value"] == "ws://127.0.0.1:8081/live"
    assert small.copy["Outputs"]["ApiUrl"]["Value"] == "http://127.0.0.1:8080"


def test_a_route_leads_through_an_alias_to_its_function(small):
    assert {route.key: route.function for route in small.topology.http.routes} == {
        "POST /echo": "Probe",
        "GET /items/{name}": "Probe",
        "ANY /deep/{proxy+}": "Probe",
    }
    assert small.topology.http.routes[0].throttle.burst == 200


def test_sockets_queues_and_schedules_are_wired(small):
    sockets, (queue,), (schedule,) = small.topology.sockets, small.topology.queues, small.topology.schedules
    assert sockets.routes == {"$connect": "Socket", "$disconnect": "Socket", "$default": "Socket"}
    assert sockets.authorizer.function == "Guard"
    assert (queue.queue, queue.function, queue.batch_size, queue.partial_failures) == ("Work", "Worker", 5, True)
    assert (schedule.function, schedule.every_s, schedule.retries) == ("Sweep", 300, 2)


def test_our_own_template_is_played_whole(ours):
    parts = ours.topology
    assert [route.function for route in parts.http.routes] == ["SmsApi"]
    assert set(parts.sockets.routes.values()) == {"AgentSocket"}
    assert parts.sockets.authorizer.function == "AgentAuth"
    assert [(source.queue, source.function) for source in parts.queues] == [("PushQueue", "Push")]
    assert [(each.function, each.retries) for each in parts.schedules] == [("Sweep", 0)]  # the next minute is a retry


def test_a_condition_that_does_not_hold_takes_its_resource_away(cache):
    with_mail = {**LOCAL_PARAMETERS, "SocketAccessLogs": "true"}
    template = transformed(CHECKOUT / "template.yaml", with_mail, cache)
    assert "SocketAccessLogGroup" in plan(template, with_mail, ADDRESSES).copy["Resources"]
    template = transformed(CHECKOUT / "template.yaml", LOCAL_PARAMETERS, cache)
    assert "SocketAccessLogGroup" not in plan(template, LOCAL_PARAMETERS, ADDRESSES).copy["Resources"]


def test_what_cannot_be_played_is_refused_by_name():
    from local_cloud.topology import Resource

    mapping = {"EventSourceArn": {"Fn::GetAtt": ["Stream", "Arn"]}, "FunctionName": {"Ref": "F"}}
    resources = {
        "Stream": Resource(type="AWS::Kinesis::Stream"),
        "F": Resource(type="AWS::Lambda::Function"),
        "Mapping": Resource(type="AWS::Lambda::EventSourceMapping", properties=mapping),
    }
    with pytest.raises(TemplateError, match="SQS"):
        topology(resources)
