"""Every function does all it has to under its own role as the template expands it, and nothing that is another's."""

import ast
import importlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from local_cloud import aws
from local_cloud.cloud import LOCAL_PARAMETERS
from local_cloud.deploy import Addresses, Deployment, Plan, deploy, plan
from local_cloud.layout import CHECKOUT
from local_cloud.process import start_own
from local_cloud.sam_local import add_sample_agents
from local_cloud.topology import api_id, as_list, as_object
from local_cloud.transform import transformed
from shared import credentials
from shared.aws import wiring
from shared.aws.account_table import AccountTable
from shared.aws.outbox_table import OutboxTable
from shared.lifecycle import State
from shared.message import Account
from shared.wire import SpanInfo
from tests.least_privilege import Role, table
from tests.receivers import OK, Receiver
from tests.sample_events import FUNCTIONS, sample
from tests.samples import message

# Name → what AWS publishes of each of its managed policies, as moto carries it.
_MANAGED: dict[str, Any] = json.loads(aws_managed_policies_data)
SOCKETS = f"arn:aws:execute-api:{aws.REGION}:{aws.ACCOUNT}:{api_id('Sockets')}/live"


class _Connections(BaseHTTPRequestHandler):
    """The gateway's @connections: every post arrives."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@dataclass
class Stack:
    deployment: Deployment
    roles: dict[str, Role]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The template in a moto of its own, one account with one agent in it."""
    connections = ThreadingHTTPServer(("127.0.0.1", 0), _Connections)
    threading.Thread(target=connections.serve_forever, daemon=True).start()
    moto = start_own("moto", "local_cloud.moto_process", [], tmp_path_factory.mktemp("moto") / "log", CHECKOUT)
    endpoint = f"http://127.0.0.1:{moto.wait_ready(60)}"
    template = transformed(CHECKOUT / "template.yaml", LOCAL_PARAMETERS, CHECKOUT / ".local" / "cache")
    wanted = plan(template, LOCAL_PARAMETERS, Addresses(1, 1, connections.server_port))
    deployment = deploy(wanted, endpoint)
    yield Stack(deployment, {name: _role(endpoint, wanted, name) for name in FUNCTIONS.values()})
    moto.kill()
    connections.shutdown()
    connections.server_close()


def _role(endpoint: str, wanted: Plan, function: str) -> Role:
    """All policies of the role that the deployed function has: its own, and AWS's that are attached to it."""
    session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=aws.REGION)
    iam: Any = session.client("iam", endpoint_url=endpoint)
    [name] = [each["RoleName"] for each in iam.list_roles()["Roles"] if f"-{function}Role-" in each["RoleName"]]
    names = iam.list_role_policies(RoleName=name)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"] for each in names]
    # moto keeps a document that CloudFormation gave it as Python's text of it, and not as JSON.
    own = [ast.literal_eval(each) if isinstance(each, str) else each for each in documents]
    return Role([*own, *_attached(wanted, f"{function}Role")], SOCKETS)


def _attached(wanted: Plan, role: str) -> Iterator[dict[str, Any]]:
    """From the template, since moto's CloudFormation attaches none of AWS's own."""
    properties = as_object(as_object(wanted.copy["Resources"])[role])["Properties"]
    for arn in as_list(as_object(properties).get("ManagedPolicyArns")):
        yield _MANAGED[str(arn).rpartition("/")[2]]["Document"]


@pytest.fixture
def ask(deployed: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, dict[str, Any]], Any]]:
    """A function's handler, wired anew under its own environment and its own role."""

    def asked(function: str, event: dict[str, Any]) -> Any:
        _rewire()
        spec = deployed.deployment.functions[function]
        for name, value in (spec.environment | aws.CREDENTIALS).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_DEFAULT_REGION", aws.REGION)
        monkeypatch.setenv("AWS_ENDPOINT_URL", deployed.deployment.endpoint)
        wiring._clients()._session.register("provide-client-params", deployed.roles[function].judge)
        return importlib.import_module(spec.handler.removesuffix(".handler")).handler(event, None)

    yield asked
    _rewire()


def _rewire() -> None:
    for made_once in vars(wiring).values():
        if hasattr(made_once, "cache_clear"):
            made_once.cache_clear()


@pytest.fixture
def site(deployed: Stack, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """The samples' account with its agent, and a receiver of its pushes. Made with an operator's rights."""
    _rewire()
    client = aws.dynamodb(deployed.deployment.endpoint)
    accounts = AccountTable(client, deployed.deployment.outputs["ConfigTable"], wiring.CLOCK)
    accounts.put_account(Account(name="demo", credential=credentials.encode("demo-local", n=2**10, p=1)))
    add_sample_agents(accounts)
    receiver = Receiver(OK)
    where: dict[str, str | int] = {"url_host": "127.0.0.1", "url_port": str(receiver.port), "url_path": "/"}
    accounts.save_push_settings("demo", {"enable": 1, "results_enable": 1, "reports_enable": 1, **where})
    yield receiver
    if not receiver.stopping.is_set():
        receiver.stop()


def test_every_use_case_runs_under_its_functions_own_role(
    deployed: Stack, ask: Callable[[str, dict[str, Any]], Any], site: Receiver
) -> None:
    assert ask("AgentAuth", sample("agent_auth/known_agent"))["context"]["account"] == "demo"
    assert ask("AgentAuth", sample("agent_auth/one_time_code"))["context"]["agent"] == "site-2"
    for name in ("enrol", "connect", "hello", "heartbeat", "accepted", "spans", "hello"):
        assert ask("AgentSocket", sample(f"agent_socket/{name}")) == {"statusCode": 200}
    sent = None
    for name in ("get_valid_spans", "send", "smsoutbox_get", "smsinbox_get", "get_config", "set_config", "send_form"):
        answer = ask("SmsApi", sample(f"sms_api/{name}"))
        assert answer["statusCode"] == 200, answer
        sent = json.loads(answer["body"])["data"] if name == "send" else sent
    assert sent
    for name in ("result", "report", "received"):
        event = sample(f"agent_socket/{name}")
        event["body"] = event["body"].replace("01JXSAMPLE0000000000000001", sent[0]["id"])
        assert ask("AgentSocket", event) == {"statusCode": 200}
    assert ask("Sweep", sample("sweep/every_minute")) is None
    wrong = ask("SmsApi", sample("sms_api/wrong_password"))
    assert wrong["statusCode"] == 401
    assert ask("AgentSocket", sample("agent_socket/disconnect")) == {"statusCode": 200}


def test_the_sweeper_ends_what_is_overdue_and_tells_of_who_is_silent_under_its_own_role(
    deployed: Stack, ask: Callable[[str, dict[str, Any]], Any], site: Receiver
) -> None:
    names, client = deployed.deployment.outputs, aws.dynamodb(deployed.deployment.endpoint)
    accounts = AccountTable(client, names["ConfigTable"], wiring.CLOCK)
    accounts.connected("demo", "site-2", connection="c2", since=1.0, at=1.0)  # and never heard of since
    accounts.save_spans("demo", "site-2", [SpanInfo(span="imei:2", available=True)], at=1.0, whole=True)
    _back(accounts)
    outbox = OutboxTable(client, names["OutboxTable"], retention_days=90)
    outbox.add([message("late", account="demo", agent="site-1", deadline=wiring.CLOCK.now() - 3600)])
    assert ask("Sweep", sample("sweep/every_minute")) is None
    assert outbox.get("demo", ["late"])[0].state is State.EXPIRED
    silent = accounts.agent("demo", "site-2")
    assert silent is not None and silent.offline_told
    assert accounts.spans_due(9e12) == []
    needed = {action for action, _ in deployed.roles["Sweep"].used}
    assert needed >= {"dynamodb:Scan", "dynamodb:UpdateItem", "sqs:SendMessage", "sns:Publish"}


def _back(accounts: AccountTable) -> None:
    """A span of site-1 that was told of as lost, and is back."""
    now = wiring.CLOCK.now()
    accounts.connected("demo", "site-1", connection="c1", since=now, at=now)
    up, down = (SpanInfo(span="imei:1", available=available) for available in (True, False))
    for at, info in enumerate((up, down)):
        accounts.save_spans("demo", "site-1", [info], at=now + at, whole=False)
    accounts.note_told("demo", "site-1", [down], at=now, done=True)
    accounts.save_spans("demo", "site-1", [up], at=now + 2, whole=False)
    assert accounts.spans_due(9e12) == [("demo", "site-1")]


def test_pushes_are_delivered_put_back_and_buried_under_their_own_role(
    deployed: Stack, ask: Callable[[str, dict[str, Any]], Any], site: Receiver
) -> None:
    assert ask("Push", _taken(deployed, "push/one")) == {"batchItemFailures": []}
    site.stop()  # nobody listens: it is tried again later
    later = _taken(deployed, "push/one", "01JXSAMPLE0000000000000007")
    assert ask("Push", later)["batchItemFailures"]
    assert ask("Push", _taken(deployed, "push/not_an_event")) == {"batchItemFailures": []}


def _taken(deployed: Stack, name: str, message_id: str = "01JXSAMPLE0000000000000001") -> dict[str, Any]:
    """A sample whose record lies in the deployed queue and was received from it."""
    sqs, url = aws.sqs(deployed.deployment.endpoint), deployed.deployment.queues["PushQueue"]
    event = sample(name)
    [record] = event["Records"]
    body = record["body"].replace("01JXSAMPLE0000000000000001", message_id)
    wanted = sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="demo")["MessageId"]
    while True:
        for taken in sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]:
            if taken["MessageId"] == wanted:
                record |= {"messageId": wanted, "receiptHandle": taken["ReceiptHandle"], "body": body}
                return event


def test_a_function_writes_its_own_log_and_no_other(deployed: Stack) -> None:
    groups = {name: _log_group(deployed, name) for name in deployed.roles}
    assert len(set(groups.values())) == len(groups)
    for name, role in deployed.roles.items():
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            allowed = {owner for owner, group in groups.items() if role.allows(action, f"{group}:log-stream:x")}
            assert allowed == {name}
        assert not role.allows("logs:CreateLogGroup", f"arn:aws:logs:{aws.REGION}:{aws.ACCOUNT}:log-group:any")


def _log_group(deployed: Stack, function: str) -> str:
    session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=aws.REGION)
    logs: Any = session.client("logs", endpoint_url=deployed.deployment.endpoint)
    groups = [each["arn"].removesuffix(":*") for each in logs.describe_log_groups()["logGroups"]]
    [own] = [each for each in groups if f"-{function}Logs-" in each]
    return str(own)


def test_the_queue_can_be_polled_under_the_role_of_its_function_alone(deployed: Stack) -> None:
    """An event source mapping takes messages with the rights of the function that it calls."""
    name = deployed.deployment.outputs["PushQueueUrl"].rpartition("/")[2]
    queue = f"arn:aws:sqs:{aws.REGION}:{aws.ACCOUNT}:{name}"
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        assert {name for name, role in deployed.roles.items() if role.allows(action, queue)} == {"Push"}
        assert not deployed.roles["Push"].allows(action, f"arn:aws:sqs:{aws.REGION}:{aws.ACCOUNT}:of-another-stack")


def test_what_is_anothers_is_denied(deployed: Stack) -> None:
    names = deployed.deployment.outputs
    outbox, inbox = table(names["OutboxTable"]), table(names["InboxTable"])
    config, pushes = table(names["ConfigTable"]), table(names["PushesTable"])
    queue = f"arn:aws:sqs:{aws.REGION}:{aws.ACCOUNT}:{names['PushQueueUrl'].rpartition('/')[2]}"
    dead = f"arn:aws:sqs:{aws.REGION}:{aws.ACCOUNT}:{names['PushDeadQueueUrl'].rpartition('/')[2]}"
    denied = {
        "SmsApi": [
            ("dynamodb:Scan", outbox), ("dynamodb:DeleteItem", outbox), ("dynamodb:PutItem", inbox),
            ("dynamodb:DeleteItem", config), ("dynamodb:Query", pushes), ("sqs:SendMessage", queue),
            ("execute-api:ManageConnections", f"{SOCKETS}/DELETE/@connections/x"),
        ],
        "AgentAuth": [
            ("dynamodb:Query", config), ("dynamodb:PutItem", config), ("dynamodb:GetItem", outbox),
            ("dynamodb:GetItem", inbox), ("sqs:SendMessage", queue),
            ("execute-api:ManageConnections", f"{SOCKETS}/POST/@connections/x"),
        ],
        "AgentSocket": [
            ("dynamodb:PutItem", outbox), ("dynamodb:DeleteItem", outbox), ("dynamodb:Query", inbox),
            ("dynamodb:GetItem", pushes), ("sqs:ReceiveMessage", queue), ("sqs:SendMessage", dead),
        ],
        "Push": [
            ("dynamodb:GetItem", outbox), ("dynamodb:Query", f"{outbox}/index/history"), ("dynamodb:GetItem", inbox),
            ("dynamodb:PutItem", config), ("dynamodb:UpdateItem", config), ("sqs:ReceiveMessage", dead),
            ("execute-api:ManageConnections", f"{SOCKETS}/POST/@connections/x"),
        ],
        "Sweep": [
            ("dynamodb:Scan", outbox), ("dynamodb:PutItem", outbox), ("dynamodb:DeleteItem", config),
            ("dynamodb:GetItem", inbox), ("dynamodb:GetItem", pushes), ("sqs:ReceiveMessage", queue),
            ("execute-api:ManageConnections", f"{SOCKETS}/DELETE/@connections/x"),
        ],
    }  # fmt: skip
    assert denied.keys() == deployed.roles.keys()
    wrongly = [(name, each) for name, some in denied.items() for each in some if deployed.roles[name].allows(*each)]
    assert wrongly == []
    for role in deployed.roles.values():
        assert not role.allows("dynamodb:DeleteTable", outbox)
        assert not role.allows("iam:PassRole", "arn:aws:iam::123456789012:role/any")
        assert not role.allows("dynamodb:GetItem", table("of-another-stack"))


def test_a_call_that_is_not_allowed_fails_as_on_aws(
    deployed: Stack, ask: Callable[[str, dict[str, Any]], Any], site: Receiver
) -> None:
    """The gate bites: the same handler under another function's role is refused."""
    own = deployed.roles["SmsApi"]
    deployed.roles["SmsApi"] = deployed.roles["AgentAuth"]
    try:
        answer = ask("SmsApi", sample("sms_api/send"))
    finally:
        deployed.roles["SmsApi"] = own
    assert answer["statusCode"] == 500
